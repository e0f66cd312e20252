/** How many events a whole period has, which the budget-count form of burn divides by. */
import type { WindowCounts } from '../../model/slo-views.ts';
import type { DurationMs } from '../../model/time.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

export interface PeriodCounts {
  readonly windowMs: DurationMs;
  /** Of the period so far. */
  readonly total: Pick<WindowCounts, 'valid'>;
  /** Of the last day and the last hour. */
  readonly day: Pick<WindowCounts, 'valid'>;
  readonly hour: Pick<WindowCounts, 'valid'>;
}

/**
 * Valid events that a period of `windowMs` has at least: the most of what was counted, the last day taken for every day, and the last hour for every hour.
 * So an endpoint that was first seen today has the budget of a whole period and is not paged for on its first day. 0 when nothing was ever valid.
 *
 * Example: 10 requests an hour for two hours count as 7,200 in 30 days, so one bad request at 99.9 % spends 13.9 % of the budget of 7.2.
 */
export function periodVolume({ windowMs, total, day, hour }: PeriodCounts): number {
  return Math.max(total.valid, (day.valid * windowMs) / DAY_MS, (hour.valid * windowMs) / HOUR_MS);
}
