/** When a budget is spent at this rate, and when an overspent one is kept again, with what leaves the window taken into account. */
import { errorBudget } from '../../model/error-budget.ts';
import type { Forecast, WindowCounts } from '../../model/slo-views.ts';
import type { DurationMs, EpochMs } from '../../model/time.ts';
import { burnRate } from './burn-rate.ts';

export interface ForecastInput {
  readonly target: number;
  readonly now: EpochMs;
  /** Counts of the window up to now in steps of an hour or so, ascending and without overlap: all that is in the window. */
  readonly hours: readonly WindowCounts[];
  /** Of a rolling window: how long a step stays in it. */
  readonly windowMs: DurationMs;
  /** Of a calendar window: when the next period begins; null: the window rolls. */
  readonly periodEndsAt: EpochMs | null;
  /** What is supposed to go on. */
  readonly lastHour: WindowCounts;
}

/** Events per millisecond. */
interface Rate {
  readonly valid: number;
  readonly bad: number;
}

/** From `at` on what remains of the budget, in events, changes by `slope` a millisecond. */
interface Bend {
  readonly at: EpochMs;
  readonly slope: number;
}

/** Of what the budget allows: less than this is no more than float dirt. */
const DIRT = 1e-9;

/**
 * What remains of the budget, `(1 - target) × valid - bad`, is a broken line over the time to come: the last hour's traffic comes in at its pace, and of
 * a rolling window each step leaves, evenly over its length, as much later as the window is long. Where it goes below 0 the budget is spent; with
 * nothing more going wrong at that traffic, an overspent one is kept again where the line comes back to 0. Between two bends this is exact. A calendar
 * window loses nothing before it ends, and a new period begins with a whole budget.
 *
 * Example: 30 days at 99.9 %, nothing bad so far, even traffic, and now a burn of 14.4: spent after 50 hours.
 */
export function forecast(input: ForecastInput): Forecast {
  const { target, now, lastHour, periodEndsAt } = input;
  const budget = errorBudget(target);
  const lengthMs = lastHour.to - lastHour.from;
  const hasTraffic = lastHour.valid > 0 && lengthMs > 0;
  const rate: Rate = hasTraffic ? { valid: lastHour.valid / lengthMs, bad: lastHour.bad / lengthMs } : { valid: 0, bad: 0 };
  let valid = 0;
  let bad = 0;
  for (const step of input.hours) {
    valid += step.valid;
    bad += step.bad;
  }
  const allowed = budget * valid;
  const dirt = DIRT * Math.max(allowed, bad);
  const remaining = Math.abs(allowed - bad) <= dirt ? 0 : allowed - bad;
  const isSpent = remaining < 0;
  const inflow = budget * rate.valid - (isSpent ? 0 : rate.bad);
  const bends = periodEndsAt === null ? rollOff(input, budget, inflow) : [{ at: now, slope: inflow }];
  const lastAt = periodEndsAt ?? now + input.windowMs;
  return {
    burnRate: hasTraffic ? burnRate(lastHour.bad, lastHour.valid, target) : null,
    exhaustedAt: isSpent || !hasTraffic ? null : firstBelow(bends, remaining, lastAt, dirt),
    recoveredAt: isSpent ? (firstKept(bends, remaining, lastAt) ?? lastAt) : null,
  };
}

/** Bends of a rolling window, ascending, the first at `now`: at each one a step begins to leave or has left. */
function rollOff({ hours, now, windowMs }: ForecastInput, budget: number, inflow: number): Bend[] {
  const changes: { at: EpochMs; change: number }[] = [];
  for (const { from, to, valid, bad } of hours) {
    // Edges are rounded outward: what is counted still leaves as a whole.
    const begin = Math.max(from + windowMs, now);
    const end = Math.max(to + windowMs, begin + 1);
    const pace = (bad - budget * valid) / (end - begin);
    if (pace !== 0) changes.push({ at: begin, change: pace }, { at: end, change: -pace });
  }
  changes.sort((a, b) => a.at - b.at);
  const bends: Bend[] = [{ at: now, slope: inflow }];
  let outflow = 0;
  for (const { at, change } of changes) {
    outflow += change;
    bends.push({ at, slope: inflow + outflow });
  }
  return bends;
}

/** The line between two bends, up to `lastAt`: what remains at its begin and its end. */
function* pieces(
  bends: readonly Bend[],
  start: number,
  lastAt: EpochMs,
): Generator<Bend & { readonly first: number; readonly last: number }> {
  let first = start;
  for (let i = 0; i < bends.length; i++) {
    const { at, slope } = bends[i] as Bend;
    const until = Math.min(bends[i + 1]?.at ?? lastAt, lastAt);
    if (until <= at) continue;
    const last = first + slope * (until - at);
    yield { at, slope, first, last };
    first = last;
  }
}

/** The last moment before it falls below 0; null: it does not until `lastAt`. */
function firstBelow(bends: readonly Bend[], start: number, lastAt: EpochMs, dirt: number): EpochMs | null {
  for (const { at, slope, first, last } of pieces(bends, start, lastAt)) {
    if (last < -dirt) return at + Math.max(first, 0) / -slope;
  }
  return null;
}

/** When it comes back to 0; null: not until `lastAt`. */
function firstKept(bends: readonly Bend[], start: number, lastAt: EpochMs): EpochMs | null {
  for (const { at, slope, first, last } of pieces(bends, start, lastAt)) {
    if (last >= 0) return at - first / slope;
  }
  return null;
}
