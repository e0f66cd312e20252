/** What is said of objectives and their budgets in words and numbers: the same for API, command line and log. Every percentage has its integers beside it. */
import { lengthText, momentText, percent, timesText, whole } from './number-text.ts';
import type { AlertView, Forecast, IncidentView, ObjectiveReport, ObjectiveState, TierReading, WindowCounts } from './slo-views.ts';
import type { DurationMs, EpochMs } from './time.ts';
import type { Interval, WhatIfView } from './what-if.ts';

const STATE_TEXT: Readonly<Record<ObjectiveState, string>> = {
  met: 'met',
  at_risk: 'at risk',
  breached: 'breached',
  no_data: 'no data',
};

export function stateText(state: ObjectiveState): string {
  return STATE_TEXT[state];
}

/** A ratio of any sign as percent: `-2.4 %`, `50 %`. */
export function signedPercent(ratio: number): string {
  return ratio < 0 ? `-${percent(-ratio)}` : percent(ratio);
}

/** A count: whole ones as they are, sums of sampling weights with what two places can say. `4,003`, `40.03`. */
export function countText(count: number): string {
  return COUNT.format(count);
}

const COUNT = new Intl.NumberFormat('en-US', { maximumFractionDigits: 2 });

/** `99.95 % (11,997 of 12,003)`: good of valid; a dash without valid ones. Never reads like `target` when it is not. */
export function sliText({ valid, bad }: Pick<WindowCounts, 'valid' | 'bad'>, target: number): string {
  return valid > 0 ? `${percentApart((valid - bad) / valid, target)} (${countText(valid - bad)} of ${countText(valid)})` : '-';
}

const MOST_PLACES = 15;

/** A ratio as percent with three telling digits, counted from 0 % or 100 %, and as many more as it takes to tell it from `other`. */
function percentApart(ratio: number, other: number): string {
  if (ratio <= 0 || ratio >= 1) return percent(ratio);
  const telling = Math.min(ratio, 1 - ratio) * 100;
  const places = Math.min(MOST_PLACES, Math.max(0, 2 - Math.floor(Math.log10(telling))));
  const trimmed = (value: number, to: number): string => String(Number((value * 100).toFixed(to)));
  for (let to = places; to < MOST_PLACES; to++) {
    const text = trimmed(ratio, to);
    if (ratio === other || text !== trimmed(other, MOST_PLACES)) return `${text} %`;
  }
  return `${trimmed(ratio, MOST_PLACES)} %`;
}

/** `0.05 % (6 of 12,003)`: bad of valid. */
export function badText({ valid, bad }: Pick<WindowCounts, 'valid' | 'bad'>): string {
  return valid > 0 ? `${percent(bad / valid)} (${countText(bad)} of ${countText(valid)})` : '-';
}

/**
 * What is left of a budget: `50 % (6 of 12)`, `-2.4 % (-1 of 40)`. The integers are whole requests: how many more may be bad, of how many. Below ten the
 * whole ones would not tell where the percentage comes from, so there are decimals: `-1,400 % (-16.8 of 1.2)`. So there are where the bad ones themselves
 * are parts, of slices or by sampling: `91.9 % (37.07 of 40.32)`.
 */
export function budgetText(remaining: number | null, allowed: number, bad: number): string {
  if (remaining === null) return '-';
  const left = isFine(allowed, bad) ? smallText(allowed - bad) : countText(wholeAllowed(allowed) - bad);
  return `${signedPercent(remaining)} (${left} of ${allowedText(allowed, bad)})`;
}

/** A share of a budget: `8 % (41 of 512)`. */
export function spentText(share: number | null, bad: number, allowed: number): string {
  return share === null ? `- (${countText(bad)})` : `${percent(share)} (${countText(bad)} of ${allowedText(allowed, bad)})`;
}

/** How many may be bad: whole ones, but with two telling digits behind below ten, and beside `bad` ones that are not whole. */
export function allowedText(allowed: number, bad = 0): string {
  return isFine(allowed, bad) ? smallText(allowed) : whole(wholeAllowed(allowed));
}

const FEW = 10;

function isFine(allowed: number, bad: number): boolean {
  if (!Number.isInteger(bad)) return true;
  return allowed > 0 && allowed < FEW && wholeAllowed(allowed) !== Number(allowed.toPrecision(15));
}

function smallText(count: number): string {
  return Math.abs(count) < 1 ? String(Number(count.toPrecision(2))) : countText(count);
}

/** Half a request cannot be bad. */
export function wholeAllowed(allowed: number): number {
  return Math.floor(Number(allowed.toPrecision(15)));
}

/** A burn rate with about three digits: `14.4`, `0.052`, `1,000`. */
export function burnText(burn: number | null): string {
  if (burn === null) return '-';
  return burn >= 100 ? whole(burn) : String(Number(burn.toPrecision(3)));
}

const UNITS: readonly (readonly [string, DurationMs])[] = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1000],
];

/** A length of time as the file has it, exact: `28d`, `90m`, `1h`. */
export function spanText(ms: DurationMs): string {
  const [unit, unitMs] = UNITS.find(([, length]) => ms >= length && ms % length === 0) ?? ['ms', 1];
  return `${ms / unitMs}${unit}`;
}

/** `28d rolling`, `month in Europe/Lisbon`, `2 weeks in UTC`. */
export function windowText(window: {
  readonly windowMs: DurationMs;
  readonly calendar: { readonly unit: string; readonly count: number; readonly timeZone: string } | null;
}): string {
  const { calendar } = window;
  if (calendar === null) return `${spanText(window.windowMs)} rolling`;
  return `${calendar.count === 1 ? calendar.unit : `${calendar.count} ${calendar.unit}s`} in ${calendar.timeZone}`;
}

/** What a tier saw, with the integers: `12 bad of 3,400 in 60 min (14.1 times too fast), …` over its long and its short window. */
export function readingText({ tier, long, short, longBurn, shortBurn }: TierReading): string {
  const part = (counts: TierReading['long'], ms: DurationMs, burn: number): string =>
    `${countText(counts.bad)} bad of ${whole(counts.valid)} in ${lengthText(ms)} (${timesText(burn)} times too fast)`;
  return `${part(long, tier.longMs, longBurn)}, ${part(short, tier.shortMs, shortBurn)}`;
}

/** Why a tier fires, or why not: half a sentence. */
export function tierText({ why, tier, long, longBurn, longSpent, shortBurn, isFiring }: TierReading): string {
  if (isFiring) return `fires by ${BASIS_TEXT[why] ?? why}`;
  switch (why) {
    case 'below_long':
      return longBurn > tier.burnRate && longSpent !== null
        ? `spent ${spentText(longSpent, long.bad, long.bad / longSpent)}, not above ${percent(tier.budgetShare)}`
        : `not above ${burnText(tier.burnRate)} over ${spanText(tier.longMs)}`;
    case 'below_short':
      return shortBurn > tier.burnRate
        ? `spends too little over ${spanText(tier.shortMs)}: it is over`
        : `not above ${burnText(tier.burnRate)} over ${spanText(tier.shortMs)}: it is over`;
    case 'too_few_bad':
      return `only ${countText(long.bad)} bad over ${spanText(tier.longMs)}`;
    case 'no_data':
      return long.valid > 0 ? "a whole period's budget is not known yet" : 'no data';
    case 'rate':
    case 'budget':
    case 'both':
      return 'no more, it is being cleared';
    default:
      return why satisfies never;
  }
}

const BASIS_TEXT: Readonly<Record<string, string>> = {
  rate: 'the rate of burn',
  budget: 'the budget spent',
  both: 'rate and budget spent',
};

/** `page since 2026-01-02 12:03:04 UTC`, `frozen: …`. */
export function alertText({ severity, since, isFrozen }: AlertView): string {
  const fires = severity === null ? 'nothing fires' : `${severity} fires${since === null ? '' : ` since ${momentText(since)}`}`;
  return isFrozen ? `${fires}; frozen, because telemetry is lost or unknown: the state is what it was` : fires;
}

/** In a table: `page`, `page (frozen)`, `-`. */
export function alertCell({ severity, isFrozen }: AlertView): string {
  return isFrozen ? `${severity ?? 'none'} (frozen)` : (severity ?? '-');
}

/** In a table: `spent in 40 h`, `kept again in 3 days`, `-`. */
export function forecastCell({ exhaustedAt, recoveredAt }: Forecast, now: EpochMs): string {
  if (exhaustedAt !== null) return `spent in ${lengthText(exhaustedAt - now)}`;
  if (recoveredAt !== null) return `kept again in ${lengthText(recoveredAt - now)}`;
  return '-';
}

/** One sentence with the date. */
export function forecastText({ forecast, budgetRemaining }: Pick<ObjectiveReport, 'forecast' | 'budgetRemaining'>, now: EpochMs): string {
  const { burnRate, exhaustedAt, recoveredAt } = forecast;
  const rate = burnRate === null ? null : `the last hour burns at ${burnText(burnRate)}`;
  if (budgetRemaining !== null && budgetRemaining < 0) {
    return recoveredAt === null
      ? 'overspent, and not kept again within this window even if nothing more goes wrong'
      : `overspent; kept again ${momentText(recoveredAt)} (in ${lengthText(recoveredAt - now)}) if nothing more goes wrong`;
  }
  if (rate === null) return 'no traffic in the last hour, so nothing can be said';
  if (exhaustedAt === null) return `${rate}; the budget is not spent at this rate`;
  return `${rate}; the budget is spent ${momentText(exhaustedAt)} (in ${lengthText(exhaustedAt - now)}) if that goes on`;
}

/** `100 % (1,440 of 1,440 minutes)`. */
export function coverageText({ heardMinutes, minutes }: ObjectiveReport['coverage']): string {
  return minutes === 0 ? '-' : `${percent(heardMinutes / minutes)} (${whole(heardMinutes)} of ${whole(minutes)} minutes)`;
}

/** One sentence on an incident, as a log has it. */
export function incidentText({ startedAt, detectedAt, endedAt, bad, budgetShare, releases }: IncidentView): string {
  const detected = detectedAt === null ? 'never detected' : `detected after ${lengthText(detectedAt - startedAt)}`;
  const ended = endedAt === null ? 'it goes on' : `over after ${lengthText(endedAt - startedAt)}`;
  const by = releases.length === 0 ? '' : `, by ${releases.join(', ')}`;
  return `since ${momentText(startedAt)}, ${detected}, ${ended}: ${countText(bad)} bad, ${percent(budgetShare)} of the budget${by}`;
}

/** Both ends, or one when they are the same. */
export function intervalText({ least, most }: Interval, text: (value: number) => string): string {
  const [low, high] = [text(least), text(most)];
  return low === high ? low : `${low} to ${high}`;
}

const OUTCOME_TEXT: Readonly<Record<WhatIfView['outcome'], string>> = {
  met: 'would be met',
  breached: 'would be breached',
  undecided: 'cannot be told: the requests in doubt decide',
  no_data: 'has no data',
};

/** What an objective that was never declared would say, as lines. */
export function whatIfLines(view: WhatIfView): string[] {
  const { service, endpoint, text, windowMs, from, to, dataFrom, valid, bad, bucket, allowedBad, sli, budgetRemaining, basis } = view;
  const head = `${service}${endpoint === null ? '' : ` ${endpoint}`}: ${text} over ${spanText(windowMs)} ${OUTCOME_TEXT[view.outcome]}`;
  const looked = `looked at  ${momentText(from)} to ${momentText(to)}`;
  if (sli === null || budgetRemaining === null || dataFrom === null) return [head, looked];
  const good = { least: valid - bad.most, most: valid - bad.least };
  return [
    head,
    dataFrom > from ? `${looked}, but there is data only from ${momentText(dataFrom)} on` : looked,
    `SLI        ${intervalText(sli, percent)} (${intervalText(good, countText)} good of ${countText(valid)}), target ${percent(view.target)}`,
    `budget     ${intervalText(budgetRemaining, signedPercent)} left (${intervalText(bad, countText)} bad, ${countText(allowedBad)} allowed)`,
    basis === 'counts' ? 'basis      exact counts' : `basis      stored histograms${bucketText(bucket)}`,
    ...(view.isSampled && basis === 'histograms' ? ['           spans are sampled, and histograms count them as received'] : []),
  ];
}

function bucketText(bucket: WhatIfView['bucket']): string {
  if (bucket === null) return '; no request is in doubt';
  const to = bucket.highMs === null ? 'up' : `${bucket.highMs} ms`;
  return `; the limit lies in the bucket ${bucket.lowMs} ms to ${to}, whose ${countText(bucket.count)} requests are in doubt`;
}
