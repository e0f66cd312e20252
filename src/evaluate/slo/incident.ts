/** When an episode of burning began and when it was over, as the counts show it, whatever the alert's own delays. */
import { errorBudget } from '../../model/error-budget.ts';
import type { WindowCounts } from '../../model/slo-views.ts';
import type { DurationMs, EpochMs } from '../../model/time.ts';

const SECOND_MS = 1000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;

/** Steps by age: as fine as exact counts are kept, with a step of the next width to spare. */
const STEPS: readonly { readonly untilMs: DurationMs; readonly stepMs: DurationMs }[] = [
  { untilMs: 14 * MINUTE_MS, stepMs: 10 * SECOND_MS },
  { untilMs: 5 * HOUR_MS + 50 * MINUTE_MS, stepMs: MINUTE_MS },
  { untilMs: 71 * HOUR_MS, stepMs: 10 * MINUTE_MS },
  { untilMs: Number.POSITIVE_INFINITY, stepMs: HOUR_MS },
];

/**
 * Edges of steps from `fromMs` or a little before to `toMs`, ascending: 10 s in the last quarter of an hour, 1 min in the last hours, 10 min in the last
 * days, 1 h before; none finer than `leastMs`. `toMs` must be a multiple of 10 s.
 */
export function stepEdges(fromMs: EpochMs, toMs: EpochMs, leastMs: DurationMs): EpochMs[] {
  const edges = [toMs];
  for (let at = toMs; at > fromMs; ) {
    const ageMs = toMs - at;
    const step = Math.max(leastMs, (STEPS.find(({ untilMs }) => ageMs < untilMs) as (typeof STEPS)[number]).stepMs);
    at = Math.floor((at - 1) / step) * step;
    edges.push(at);
  }
  return edges.reverse();
}

/**
 * When the burning that goes on now began: the begin of the last steps that together spent most above `burn` times the sustainable, which is where
 * Page's cumulative sum (Biometrika 41, 1954) was at its lowest. A failure now and then before it does not move it, and neither does a pause that is short
 * for what it lies between. `steps` ascend and reach up to now; the first step with a bad event, or the end, when they did not burn.
 */
export function burnStart(steps: readonly WindowCounts[], target: number, burn = 1): EpochMs {
  const perValid = errorBudget(target) * burn;
  let best = 0;
  let excess = 0;
  let start: EpochMs | null = null;
  for (let i = steps.length - 1; i >= 0; i--) {
    const step = steps[i] as WindowCounts;
    excess += step.bad - perValid * step.valid;
    if (excess <= best) continue;
    best = excess;
    start = step.from;
  }
  return start ?? steps.find(({ bad }) => bad > 0)?.from ?? steps[steps.length - 1]?.to ?? Number.NaN;
}

/**
 * When a burning that is over ended: the same looked at from the other side, the begin of the last steps that together spent least. Steps without requests
 * right before them belong to them. `steps` ascend and begin with the burning; the end of the last one when they burned to the end.
 */
export function burnEnd(steps: readonly WindowCounts[], target: number): EpochMs {
  const budget = errorBudget(target);
  let best = 0;
  let kept = 0;
  let first = steps.length;
  for (let i = steps.length - 1; i >= 0; i--) {
    const step = steps[i] as WindowCounts;
    kept += budget * step.valid - step.bad;
    if (kept <= best) continue;
    best = kept;
    first = i;
  }
  while (first > 0 && (steps[first - 1] as WindowCounts).bad === 0) first--;
  return first > 0 ? (steps[first - 1] as WindowCounts).to : (steps[0]?.from ?? Number.NaN);
}
