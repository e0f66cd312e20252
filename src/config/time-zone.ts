/** Names of time zones and local times, as files have them. */
import { nearestName } from './nearest-name.ts';
import { Complaint } from './quantity.ts';

const EXPECTED_ZONE = 'a name of the IANA time zone database, such as `UTC` or `Europe/Lisbon`';

/** An IANA name that this process knows; offsets such as `+01:00` are none, since they do not follow the law. */
export function parseTimeZone(value: unknown): string | Complaint {
  if (typeof value !== 'string' || value.length > 64) return new Complaint('not a time zone', EXPECTED_ZONE);
  if (/^(UTC|GMT|Z)?[+-]?\d/.test(value)) return new Complaint('an offset does not follow summer time', EXPECTED_ZONE);
  try {
    new Intl.DateTimeFormat('en', { timeZone: value });
    return value;
  } catch {
    const known = Intl.supportedValuesOf('timeZone');
    const city = known.find((zone) => zone.toLowerCase().endsWith(`/${value.toLowerCase().replaceAll(' ', '_')}`));
    return new Complaint('there is no such time zone', EXPECTED_ZONE, city ?? nearestName(value, known));
  }
}

const EXPECTED_LOCAL = 'a local time without zone, such as 2026-01-04T02:00:00';
export const LOCAL_TIME_PATTERN = '^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}(:[0-9]{2})?$';

/** `YYYY-MM-DDThh:mm[:ss]` of a day that exists, 1970 to 2199; given back with its seconds. */
export function parseLocalTime(value: unknown): string | Complaint {
  const text = String(value).trim();
  const match = /^(\d{4}-\d\d-\d\d)(?:(T|\s)(\d\d:\d\d)(:\d\d)?(\.0+)?(Z|[+-]\d\d:?\d\d)?)?$/.exec(text);
  if (match === null) return new Complaint('not a local time', EXPECTED_LOCAL);
  const [, day = '', mark, minutes = '00:00', seconds = ':00', , zone] = match;
  const whole = `${day}T${minutes}${seconds}`;
  if (zone !== undefined) return new Complaint('the zone is said by `timeZone`', EXPECTED_LOCAL, whole);
  if (mark !== 'T') return new Complaint(mark === undefined ? 'the time of day is missing' : 'a `T` stands between', EXPECTED_LOCAL, whole);
  const ms = Date.parse(`${whole}Z`);
  // The parser takes 31 April for 1 May.
  if (Number.isNaN(ms) || new Date(ms).toISOString().slice(0, 19) !== whole)
    return new Complaint('there is no such day or time', EXPECTED_LOCAL);
  const year = Number(day.slice(0, 4));
  return year < 1970 || year > 2199 ? new Complaint('out of range', 'a year from 1970 to 2199') : whole;
}
