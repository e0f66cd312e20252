/** What clocks of a time zone show. Local times are told as if they were UTC. */
import type { EpochMs } from './time.ts';

const SECOND_MS = 1000;
const DAY_MS = 86_400_000;
/** One for each zone; there are some 600 zones. */
const formats = new Map<string, Intl.DateTimeFormat>();

/** Local time less UTC, in ms. Throws RangeError for a zone that does not exist. */
export function offsetMs(at: EpochMs, timeZone: string): number {
  let format = formats.get(timeZone);
  if (format === undefined) {
    format = new Intl.DateTimeFormat('en-u-ca-iso8601-nu-latn-hc-h23', {
      timeZone,
      ...{ year: 'numeric', month: 'numeric', day: 'numeric', hour: 'numeric', minute: 'numeric', second: 'numeric' },
    });
    formats.set(timeZone, format);
  }
  const second = Math.floor(at / SECOND_MS) * SECOND_MS;
  const fields: Record<string, number> = {};
  for (const { type, value } of format.formatToParts(second)) fields[type] = Number(value);
  const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second: seconds = 0 } = fields;
  return Date.UTC(year, month - 1, day, hour, minute, seconds) - second;
}

/** Offsets a day before and a day after a local time, give or take the offset: zones change at most once within two days. */
export function offsetsAround(localMs: number, timeZone: string): readonly [before: number, after: number] {
  return [offsetMs(localMs - DAY_MS, timeZone), offsetMs(localMs + DAY_MS, timeZone)];
}

/** When clocks show `localMs`, the first time of two; null when they skip it. */
export function shownAt(localMs: number, timeZone: string): EpochMs | null {
  const [before, after] = offsetsAround(localMs, timeZone);
  if (before === after) return localMs - before;
  const moments = [before, after].filter((offset) => offsetMs(localMs - offset, timeZone) === offset).map((offset) => localMs - offset);
  return moments.length === 0 ? null : Math.min(...moments);
}
