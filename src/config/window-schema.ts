/** Over what time an objective counts, and whether requests or slices of time, as a file says it. */
import { z } from 'zod';
import type { CalendarWindow } from '../model/calendar.ts';
import { spanText } from '../model/slo-text.ts';
import { count, duration, optional, scalar, WRITTEN_DEFAULT } from './fields.ts';
import { Complaint, PERCENT_PATTERN, parsePercent, ratioOfPercent } from './quantity.ts';
import { LOCAL_TIME_PATTERN, parseLocalTime, parseTimeZone } from './time-zone.ts';

const SECOND_MS = 1000;
const DAY_MS = 86_400_000;

export const USUAL_WINDOW_MS = 28 * DAY_MS;
export const USUAL_SLICE_MS = 60 * SECOND_MS;
const CALENDAR_DEFAULTS = { timeZone: 'UTC', start: '2024-01-01T00:00:00', count: 1 } as const;
/** As people reckon; tiers and limits go by it. Of OpenSLO's SDK, which has the same for M, Q and Y. */
const UNIT_DAYS = { day: 1, week: 7, month: 30, quarter: 90, year: 365 } as const;
const MAX_CALENDAR_DAYS = 365;

/** A rolling window, or a period of the calendar and its usual length. */
export interface WindowSetting {
  readonly windowMs: number;
  readonly calendar: CalendarWindow | null;
}

export const timeZone = scalar({ type: 'string', examples: ['Europe/Lisbon'] }, parseTimeZone);
export const localTime = scalar({ type: 'string', pattern: LOCAL_TIME_PATTERN, examples: ['2026-01-04T02:00:00'] }, parseLocalTime);

const calendarWindow = z
  .strictObject({
    calendar: z
      .enum(['day', 'week', 'month', 'quarter', 'year'])
      .describe('Unit of the calendar whose current period counts; the budget is whole again when the next begins.'),
    timeZone: optional(timeZone, CALENDAR_DEFAULTS.timeZone, 'IANA zone in whose local time periods begin. Use that of the contract.'),
    start: optional(
      localTime,
      CALENDAR_DEFAULTS.start,
      'Local time at which some period begins; others follow from it. The usual one is a Monday and the first of a year. Use it for months that begin on the 15th.',
    ),
    count: optional(count(1, 365), CALENDAR_DEFAULTS.count, 'Units in a period; at most 365 days in all. Use 2 for sprints of two weeks.'),
  })
  .refine((entry) => UNIT_DAYS[entry.calendar] * (entry.count ?? 1) <= MAX_CALENDAR_DAYS, 'a period is at most 365 days long')
  .transform(({ calendar: unit, ...given }): WindowSetting => {
    const periods = given.count ?? CALENDAR_DEFAULTS.count;
    return {
      windowMs: UNIT_DAYS[unit] * DAY_MS * periods,
      calendar: {
        unit,
        count: periods,
        timeZone: given.timeZone ?? CALENDAR_DEFAULTS.timeZone,
        start: given.start ?? CALENDAR_DEFAULTS.start,
      },
    };
  });

const rollingMs = duration({ min: '1m', max: '92d', usual: 'd', otherwise: ofCalendar });

/** `month` and `monthly` mean the calendar. */
function ofCalendar(text: string): Complaint | null {
  const unit = /^(day|week|month|quarter|year)(?:s|ly)?$|^(daily)$/i.exec(text.trim());
  if (unit === null) return null;
  const named = unit[1]?.toLowerCase() ?? 'day';
  return new Complaint('not a duration', '`28d` for a window that rolls, or one of the calendar', `{ calendar: ${named} }`);
}
const rolling = rollingMs.transform((windowMs): WindowSetting => ({ windowMs, calendar: null }));

export const windowSetting = () =>
  z
    .union([rolling, calendarWindow])
    .optional()
    .meta({
      description:
        'Over what time objectives count: `28d` rolls (whole weeks hold the same number of weekends at any time), `{ calendar: month, timeZone: Europe/Lisbon }` is the month of the calendar. Use 7d for services that change daily, a calendar where a contract asks for it.',
      [WRITTEN_DEFAULT]: spanText(USUAL_WINDOW_MS),
    });

/** Slices of time that are good or bad as a whole, or as good as their requests. */
export interface SliceSetting {
  readonly sliceMs: number;
  /** Share of a slice's requests that makes it good; null: as the objective's target. */
  readonly ratio: number | 'mean' | null;
}

const MEAN = 'mean';
const sliceWidth = duration({ min: '10s', max: '1h' });
const good = scalar(
  { type: 'string', pattern: `${PERCENT_PATTERN}|^${MEAN}$`, examples: ['99%', MEAN] },
  (value): number | 'mean' | Complaint => {
    if (value === MEAN) return MEAN;
    const digits = parsePercent(value, '99%');
    if (digits instanceof Complaint) return digits;
    const ratio = ratioOfPercent(digits);
    return ratio > 0 && ratio <= 1 ? ratio : new Complaint('no share of requests', 'more than 0% and at most 100%');
  },
);

export const timeslices = () =>
  z
    .strictObject({
      slice: optional(
        sliceWidth,
        spanText(USUAL_SLICE_MS),
        'Length of a slice: 10s to 1h, a multiple of 10 s that divides a day. Use 5m where a minute holds few requests.',
      ),
      good: good
        .optional()
        .describe(
          'Share of its requests from which a slice is good: `99%`. Left out: the target of the objective. `mean`: a slice is as good as the share of its requests that are, and the target is for the mean over slices. Not for throughput and requests in flight, which are about slices themselves.',
        ),
    })
    .refine(({ slice }) => slice === undefined || (slice % (10 * SECOND_MS) === 0 && DAY_MS % slice === 0), {
      message: 'a slice is a multiple of 10 s that divides a day, such as 10s, 30s, 1m, 5m or 1h',
      path: ['slice'],
    })
    .transform(({ slice, good: ratio }): SliceSetting => ({ sliceMs: slice ?? USUAL_SLICE_MS, ratio: ratio ?? null }))
    .optional()
    .describe(
      'Slices of time are good or bad, not requests, and the target is the share of good ones: an outage counts the same by night and by day. Left out: every request counts. Slices without requests do not count.',
    );
