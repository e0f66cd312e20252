/** Windows between OpenSLO and our files: rolling ones, and periods of the calendar. */
import type { CalendarWindow } from '../../model/calendar.ts';
import type { DurationMs } from '../../model/time.ts';
import { type Place, placeIn } from './references.ts';
import type { SloTimeWindow } from './schema.ts';
import { parseShorthand, type Shorthand, shorthandMs, shorthandOf } from './shorthand.ts';
import type { Critic } from './span-source.ts';

/** As our files have it, and how long it usually is. */
export interface NativeWindow {
  readonly written: string | { readonly calendar: string; readonly timeZone: string; readonly start: string; readonly count?: number };
  readonly ms: DurationMs;
}

const DAY_MS = 86_400_000;
const MAX_ROLLING_MS = 92 * DAY_MS;
const MAX_CALENDAR_MS = 365 * DAY_MS;
const UNITS = { d: 'day', w: 'week', M: 'month', Q: 'quarter', Y: 'year' } as const;

/** Null when it was refused. */
export function nativeWindow({ duration, calendar }: SloTimeWindow, place: Place, critic: Critic): NativeWindow | null {
  const length = parseShorthand(duration);
  const at = placeIn(place, 'duration');
  if (length === null || length.count === 0) {
    critic.refuse(at, { message: 'a window has a length', expected: 'such as `28d`' });
    return null;
  }
  const ms = shorthandMs(length);
  if (calendar === undefined) {
    if (ms > MAX_ROLLING_MS) {
      critic.refuse(at, {
        message: `a rolling window of \`${duration}\` is longer than what is kept`,
        expected: 'at most `92d`, or a calendar window',
      });
      return null;
    }
    if (length.unit === 'M' || length.unit === 'Q')
      critic.warn(at, {
        message: `a rolling window has no calendar: \`${duration}\` becomes \`${ms / DAY_MS}d\`, as the SDK reckons`,
        expected: 'days or weeks',
      });
    return { written: 'MQY'.includes(length.unit) ? `${ms / DAY_MS}d` : duration, ms };
  }
  const period = calendarUnit(length);
  if (period === null || ms > MAX_CALENDAR_MS) {
    const suggestion = length.unit === 'm' ? `${length.count}M` : undefined;
    critic.refuse(at, {
      message: `\`${duration}\` is no period of the calendar that is supported`,
      expected: 'days, weeks, months, quarters or a year, at most 365 days',
      suggestion,
    });
    return null;
  }
  const { unit, count } = period;
  const start = calendar.startTime.replace(' ', 'T');
  return { written: { calendar: unit, timeZone: calendar.timeZone, start, ...(count === 1 ? {} : { count }) }, ms };
}

function calendarUnit({ count, unit }: Shorthand): { readonly unit: CalendarWindow['unit']; readonly count: number } | null {
  if (unit === 'm') return null;
  if (unit === 'h') return count % 24 === 0 ? { unit: 'day', count: count / 24 } : null;
  return { unit: UNITS[unit], count };
}

/** What OpenSLO would say; null for a rolling window that is not of whole minutes. */
export function openSloWindow(windowMs: DurationMs, calendar: CalendarWindow | null): object | null {
  if (calendar === null) {
    const duration = shorthandOf(windowMs);
    return duration === null ? null : { duration, isRolling: true };
  }
  const entry = Object.entries(UNITS).find(([, unit]) => unit === calendar.unit);
  const { timeZone, start } = calendar;
  return {
    duration: `${calendar.count}${entry?.[0] ?? 'd'}`,
    isRolling: false,
    calendar: { startTime: start.replace('T', ' '), timeZone },
  };
}
