/** Local time of a zone as an instant. */
import type { EpochMs } from '../model/time.ts';

const DAY_MS = 86_400_000;
const formats = new Map<string, Intl.DateTimeFormat>();

/**
 * The instant at which clocks of `timeZone` (an IANA name) show the local time that `shownAsUtc` is in UTC. A time that the clocks skip is taken as
 * many minutes after the change as it lies after the skip's begin; of one that they show twice, the first is meant. As RFC 5545, section 3.3.5.
 */
export function instantOf(shownAsUtc: EpochMs, timeZone: string): EpochMs {
  // Zones change at most once within two days.
  const before = offsetMs(shownAsUtc - DAY_MS, timeZone);
  const after = offsetMs(shownAsUtc + DAY_MS, timeZone);
  if (before === after) return shownAsUtc - before;
  const isShown = (offset: number): boolean => offsetMs(shownAsUtc - offset, timeZone) === offset;
  return shownAsUtc - (isShown(before) || !isShown(after) ? before : after);
}

/** What clocks show in UTC's stead: local time minus UTC, in ms. */
export function offsetMs(at: EpochMs, timeZone: string): number {
  let format = formats.get(timeZone);
  if (format === undefined) {
    format = new Intl.DateTimeFormat('en-u-ca-iso8601-hc-h23', {
      timeZone,
      ...{ year: 'numeric', month: 'numeric', day: 'numeric', hour: 'numeric', minute: 'numeric', second: 'numeric' },
    });
    formats.set(timeZone, format);
  }
  const part: Record<string, number> = {};
  for (const { type, value } of format.formatToParts(at)) part[type] = Number(value);
  const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = part;
  return Date.UTC(year, month - 1, day, hour, minute, second) - Math.floor(at / 1000) * 1000;
}
