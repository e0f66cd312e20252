/** Durations, percentages and sizes as people write them, read exactly: a number always carries its unit. */

/** Why a text is not the quantity that was asked for. */
export class Complaint {
  readonly message: string;
  readonly expected: string | undefined;
  readonly suggestion: string | undefined;

  constructor(message: string, expected?: string, suggestion?: string) {
    this.message = message;
    this.expected = expected;
    this.suggestion = suggestion;
  }
}

const UNIT_NS: Readonly<Record<string, bigint>> = {
  ns: 1n,
  us: 1000n,
  µs: 1000n,
  ms: 1_000_000n,
  s: 1_000_000_000n,
  m: 60_000_000_000n,
  h: 3_600_000_000_000n,
  d: 86_400_000_000_000n,
  w: 604_800_000_000_000n,
};

/** How people also write units, and ours for it. */
const UNIT_ALIASES: Readonly<Record<string, string>> = {
  msec: 'ms',
  millis: 'ms',
  milliseconds: 'ms',
  // The Greek letter; ours is the sign of units.
  μs: 'µs',
  usec: 'us',
  micros: 'us',
  sec: 's',
  secs: 's',
  second: 's',
  seconds: 's',
  min: 'm',
  mins: 'm',
  minute: 'm',
  minutes: 'm',
  hr: 'h',
  hrs: 'h',
  hour: 'h',
  hours: 'h',
  day: 'd',
  days: 'd',
  week: 'w',
  weeks: 'w',
};

export const DURATION_PATTERN = '^([0-9]+(\\.[0-9]+)?(ns|us|µs|ms|s|m|h|d|w))+$';
export const PERCENT_PATTERN = '^[0-9]+(\\.[0-9]+)?%$';
export const BYTES_PATTERN = '^[0-9]+(B|KiB|MiB|GiB)$';

const EXPECTED_DURATION = 'a duration with its unit (ns, us, ms, s, m, h, d, w), such as 500ms, 30s, 5m or 28d';
const MAX_TEXT_CHARS = 64;

/** A length of time in whole nanoseconds (`1h30m`, `0.5s`), exact up to 104 days. `unit` is what a number without one most likely meant. */
export function parseDurationNs(value: unknown, unit = 's'): bigint | Complaint {
  const text = String(value).trim();
  if (/^\d+(\.\d+)?$/.test(text)) return new Complaint('the unit is missing', EXPECTED_DURATION, `${text}${unit}`);
  if (typeof value !== 'string' || text.length > MAX_TEXT_CHARS) return new Complaint('not a duration', EXPECTED_DURATION);
  if (/^-/.test(text)) return new Complaint('a duration is not negative', EXPECTED_DURATION);
  let sum = 0n;
  let rest = text;
  while (rest !== '') {
    const part = /^(\d+)(?:\.(\d+))?\s*([A-Za-zµμ]+)/.exec(rest);
    if (part === null) return new Complaint('not a duration', EXPECTED_DURATION);
    const [all, whole = '', fraction = '', unitText = ''] = part;
    const unitNs = UNIT_NS[unitText];
    if (unitNs === undefined || /\s/.test(all)) return unitComplaint(text, unitText);
    const scaled = BigInt(whole + fraction) * unitNs;
    const divisor = 10n ** BigInt(fraction.length);
    if (scaled % divisor !== 0n) return new Complaint('finer than a nanosecond', EXPECTED_DURATION);
    sum += scaled / divisor;
    rest = rest.slice(all.length);
  }
  return text === '' ? new Complaint('not a duration', EXPECTED_DURATION) : sum;
}

/** A duration as people say it (`500 milliseconds`, `1.5 sec`) with our units and without spaces; what it does not know stays as it is. */
export function tidyDuration(text: string): string {
  return text
    .replaceAll('μ', 'µ')
    .replaceAll(/[A-Za-z]{2,}/g, (word) => UNIT_ALIASES[word.toLowerCase()] ?? (word.toLowerCase() === 'ms' ? 'ms' : word))
    .replaceAll(/\s/g, '');
}

function unitComplaint(text: string, unit: string): Complaint {
  if (unit === 'M') return new Complaint('`M` could be minutes (`m`) or months (`30d`)', EXPECTED_DURATION);
  if (UNIT_NS[unit] !== undefined) return new Complaint('a duration has no spaces', EXPECTED_DURATION, text.replaceAll(/\s/g, ''));
  const known = UNIT_ALIASES[unit.toLowerCase()] ?? (UNIT_NS[unit.toLowerCase()] === undefined ? undefined : unit.toLowerCase());
  const suggestion = known === undefined ? undefined : text.replace(unit, known).replaceAll(/\s/g, '');
  return new Complaint(`there is no unit \`${unit}\``, EXPECTED_DURATION, suggestion);
}

/** A percentage as its decimal digits: `99.95%` → `99.95`. */
export function parsePercent(value: unknown, example = '99.9%'): string | Complaint {
  const text = String(value).trim();
  const expected = `a percentage with its sign, such as ${example}`;
  const bare = /^(\d{1,6}(?:\.\d{1,12})?)(\s*%)?$/.exec(text);
  if (bare === null) return new Complaint('not a percentage', expected);
  const [, digits = '', sign] = bare;
  if (sign === '%') return digits;
  if (sign !== undefined) return new Complaint('a percentage has no spaces', expected, `${digits}%`);
  const meant = Number(digits) < 1 && Number(digits) > 0 ? trimmed(shifted(digits, 2)) : digits;
  return new Complaint('the `%` is missing, so it could be a ratio or a percentage', expected, `${meant}%`);
}

/** `99.9` → 0.999: the decimal point is moved in the text, so no float dirt. */
export function ratioOfPercent(digits: string): number {
  return Number(`${digits}e-2`);
}

/** 1 - percent / 100, exactly: `0.1` → 0.999. */
export function complementOfPercent(digits: string): number {
  const [whole = '', fraction = ''] = digits.split('.');
  const scale = fraction.length;
  const rest = 100n * 10n ** BigInt(scale) - BigInt(whole + fraction);
  return Number(`${rest}e-${scale + 2}`);
}

/** Moves the decimal point of a number below 1 to the right, in its text. */
function shifted(digits: string, places: number): string {
  const [whole = '', fraction = ''] = digits.split('.');
  const padded = fraction.padEnd(places, '0');
  return `${whole}${padded.slice(0, places)}.${padded.slice(places)}`;
}

function trimmed(digits: string): string {
  return digits.replace(/^0+(?=\d)/, '').replace(/\.0*$/, '');
}

const BYTE_UNITS: Readonly<Record<string, number>> = { B: 1, KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30 };

/** A size in whole bytes. */
export function parseBytes(value: unknown): number | Complaint {
  const text = String(value).trim();
  const expected = 'a size with its unit (B, KiB, MiB, GiB), such as 64MiB';
  const match = /^(\d{1,12})\s*([A-Za-z]*)$/.exec(text);
  if (match === null) return new Complaint('not a size', expected);
  const [, digits = '', unit = ''] = match;
  const factor = BYTE_UNITS[unit];
  if (factor !== undefined && !/\s/.test(text)) return Number(digits) * factor;
  const initial = unit.charAt(0).toUpperCase();
  const suggestion = 'KMG'.includes(initial) && initial !== '' ? `${digits}${initial}iB` : undefined;
  return new Complaint(unit === '' ? 'the unit is missing' : `there is no unit \`${unit}\``, expected, suggestion);
}
