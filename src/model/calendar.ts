/** Periods of the calendar in a time zone: where the one begins and ends that holds a moment. */
import { offsetMs, offsetsAround, shownAt } from './local-time.ts';
import type { EpochMs } from './time.ts';

/** Repeats every `count` units from `start` on, local time of `timeZone` throughout. */
export interface CalendarWindow {
  readonly unit: 'day' | 'week' | 'month' | 'quarter' | 'year';
  readonly count: number;
  /** IANA name. */
  readonly timeZone: string;
  /** Local time without zone, `YYYY-MM-DDThh:mm:ss`: some period begins then. */
  readonly start: string;
}

/** [fromMs, toMs) */
export interface CalendarPeriod {
  readonly fromMs: EpochMs;
  readonly toMs: EpochMs;
}

const DAY_MS = 86_400_000;
const SECOND_MS = 1000;
/** Days or months in a unit. */
const UNITS: Readonly<Record<CalendarWindow['unit'], { readonly days: number } | { readonly months: number }>> = {
  day: { days: 1 },
  week: { days: 7 },
  month: { months: 1 },
  quarter: { months: 3 },
  year: { months: 12 },
};

/**
 * Periods asked for last, newest first, shared by all calendars that say the same: two, because requests of the one that has just ended come late,
 * between those of the next.
 */
const known = new WeakMap<CalendarWindow, CalendarPeriod[]>();
const byText = new Map<string, CalendarPeriod[]>();
const KEPT_PERIODS = 2;
const MAX_TEXTS = 1_000;

/**
 * The period that contains `at`. Periods begin at the wall-clock time of `start` and tile all of time, before `start` too. A begin that the zone skips
 * is the first moment after it, one that happens twice the first of both. In months that are too short a period begins on their last day: from the
 * 31st of January on the 28th or 29th of February, then the 31st of March. Throws RangeError for a zone that does not exist.
 */
export function calendarPeriod(calendar: CalendarWindow, at: EpochMs): CalendarPeriod {
  const periods = known.get(calendar) ?? periodsOf(calendar);
  for (const period of periods) if (at >= period.fromMs && at < period.toMs) return period;
  let index = roughIndex(calendar, at + offsetMs(at, calendar.timeZone));
  while (beginOf(calendar, index) > at) index--;
  while (beginOf(calendar, index + 1) <= at) index++;
  const period = { fromMs: beginOf(calendar, index), toMs: beginOf(calendar, index + 1) };
  periods.unshift(period);
  if (periods.length > KEPT_PERIODS) periods.pop();
  return period;
}

function periodsOf(calendar: CalendarWindow): CalendarPeriod[] {
  const text = [calendar.unit, calendar.count, calendar.timeZone, calendar.start].join(' ');
  if (byText.size >= MAX_TEXTS && !byText.has(text)) byText.clear();
  const periods = byText.get(text) ?? [];
  byText.set(text, periods);
  known.set(calendar, periods);
  return periods;
}

/** Which period a local time lies in, give or take one; `start` begins period 0. Local times are told as if they were UTC. */
function roughIndex(calendar: CalendarWindow, localMs: number): number {
  const unit = UNITS[calendar.unit];
  const startMs = localStart(calendar);
  if ('days' in unit) return Math.floor((localMs - startMs) / (unit.days * calendar.count * DAY_MS));
  const [local, start] = [new Date(localMs), new Date(startMs)];
  const months = (local.getUTCFullYear() - start.getUTCFullYear()) * 12 + local.getUTCMonth() - start.getUTCMonth();
  return Math.floor(months / (unit.months * calendar.count));
}

function beginOf(calendar: CalendarWindow, index: number): EpochMs {
  const unit = UNITS[calendar.unit];
  const startMs = localStart(calendar);
  const steps = index * calendar.count;
  const localMs = 'days' in unit ? startMs + steps * unit.days * DAY_MS : monthsLater(startMs, steps * unit.months);
  return instantOf(calendar.timeZone, localMs);
}

function localStart({ start }: CalendarWindow): number {
  return Date.parse(`${start}Z`);
}

function monthsLater(localMs: number, months: number): number {
  const start = new Date(localMs);
  const month = start.getUTCMonth() + months;
  const days = new Date(Date.UTC(start.getUTCFullYear(), month + 1, 0)).getUTCDate();
  const dayMs = localMs - Math.floor(localMs / DAY_MS) * DAY_MS;
  return Date.UTC(start.getUTCFullYear(), month, Math.min(start.getUTCDate(), days)) + dayMs;
}

/** When it is `localMs` in the zone; the first time of two, and the first moment after a local time that is skipped. */
function instantOf(timeZone: string, localMs: number): EpochMs {
  const shown = shownAt(localMs, timeZone);
  if (shown !== null) return shown;
  // Skipped: the clock goes forward between these two.
  const [before, after] = offsetsAround(localMs, timeZone);
  let low = localMs - Math.max(before, after);
  let high = localMs - Math.min(before, after);
  while (high - low > SECOND_MS) {
    const middle = low + Math.floor((high - low) / 2 / SECOND_MS) * SECOND_MS;
    if (offsetMs(middle, timeZone) === before) low = middle;
    else high = middle;
  }
  return high;
}
