/** The kinds of fields our schemas are made of: quantities with units, sections, references to secrets, each with its JSON Schema. */
import { z } from 'zod';
import {
  BYTES_PATTERN,
  Complaint,
  DURATION_PATTERN,
  PERCENT_PATTERN,
  parseBytes,
  parseDurationNs,
  parsePercent,
  ratioOfPercent,
} from './quantity.ts';

/** Where the schema of a field says what a file that leaves it out gets. */
export const WRITTEN_DEFAULT = 'writtenDefault';

/** An option that may be left out: then `Defaults`, then `written` is in force. */
export function optional<S extends z.ZodType>(schema: S, written: unknown, description: string) {
  return schema.optional().meta({ description, ...(written === undefined ? {} : { [WRITTEN_DEFAULT]: written }) });
}

/** A field read by our own function, which sees whatever the file has there and says what is wrong with it. */
export function scalar<T>(json: Record<string, unknown>, read: (value: unknown) => T | Complaint) {
  return z
    .unknown()
    .meta(json)
    .transform((value, context): T => {
      const result = value === undefined ? new Complaint(MISSING) : value === null ? new Complaint('has no value') : read(value);
      if (!(result instanceof Complaint)) return result;
      const { message, expected, suggestion } = result;
      context.addIssue({ code: 'custom', message, params: { expected, suggestion }, input: value });
      return z.NEVER;
    });
}

/** Message of a field that must be there and is not. */
export const MISSING = 'is missing';

interface DurationRange {
  readonly min?: string;
  readonly max: string;
  /** What a number without unit most likely meant; seconds unless said otherwise. */
  readonly usual?: string;
  /** What is wrong with a text that is no duration, where more can be said of it. */
  readonly otherwise?: (text: string) => Complaint | null;
}

/** In ms, possibly with a fraction. */
export function duration(range: DurationRange) {
  const min = nanoseconds(range.min ?? '0s');
  const max = nanoseconds(range.max);
  return scalar({ type: 'string', pattern: DURATION_PATTERN, examples: [range.max] }, (value) => {
    const ns = parseDurationNs(value, range.usual);
    if (ns instanceof Complaint) return range.otherwise?.(String(value)) ?? ns;
    if (ns < min) return new Complaint(`shorter than ${range.min}`, `${range.min} to ${range.max}`);
    if (ns > max) return new Complaint(`longer than ${range.max}`, `${range.min ?? '0s'} to ${range.max}`);
    return Number(ns) / 1e6;
  });
}

function nanoseconds(text: string): bigint {
  const ns = parseDurationNs(text);
  if (ns instanceof Complaint) throw new RangeError(`${text}: ${ns.message}`);
  return ns;
}

export function bytes(min: number, max: number, expected: string) {
  return scalar({ type: 'string', pattern: BYTES_PATTERN }, (value) => {
    const size = parseBytes(value);
    if (size instanceof Complaint) return size;
    return size < min || size > max ? new Complaint('out of range', expected) : size;
  });
}

/** A probability in (0, 0.5), written as a percentage. */
export function risk() {
  return scalar({ type: 'string', pattern: PERCENT_PATTERN }, (value) => {
    const digits = parsePercent(value, '1%');
    if (digits instanceof Complaint) return digits;
    const ratio = ratioOfPercent(digits);
    if (ratio === 0) return new Complaint('without any risk nothing can ever be concluded', 'more than 0% and less than 50%');
    return ratio >= 0.5 ? new Complaint('no better than a coin', 'more than 0% and less than 50%') : ratio;
  });
}

/** `+10%` of the baseline's value, as a ratio. */
export function relativeIncrease() {
  return increase('%', '+10%', 10);
}

/** `+0.05pp`, percentage points, as a ratio. */
export function pointIncrease() {
  return increase('pp', '+0.05pp', 1);
}

function increase(unit: '%' | 'pp', example: string, maxRatio: number) {
  const expected = `an increase with sign and unit, such as ${example}`;
  return scalar({ type: 'string', pattern: `^\\+[0-9]+(\\.[0-9]+)?${unit}$`, examples: [example] }, (value) => {
    const text = String(value).trim();
    const match = /^([+-]?)(\d{1,6}(?:\.\d{1,12})?)\s*(%|pp)?$/.exec(text);
    if (match === null) return new Complaint('not an increase', expected);
    const [, sign = '', digits = '', written] = match;
    const meant = `+${digits}${unit}`;
    if (sign === '-') return new Complaint('a canary is never asked to be better than the baseline', expected, meant);
    if (written === undefined) return new Complaint('the unit is missing', expected, meant);
    if (written !== unit) {
      const why =
        unit === 'pp'
          ? '`%` would be relative to the baseline; error rates differ by percentage points'
          : 'percentage points are for error rates';
      return new Complaint(why, expected);
    }
    if (text !== meant) return new Complaint(sign === '' ? 'the sign is missing' : 'an increase has no spaces', expected, meant);
    const ratio = ratioOfPercent(digits);
    return ratio > maxRatio ? new Complaint('larger than can be meant', expected) : ratio;
  });
}

/** A count; `max` keeps typos of a few zeros out. */
export function count(min: number, max: number) {
  return z.int().min(min).max(max);
}

/** A part of the file whose every option has a default, so the part may be left out. */
export function section<Shape extends z.ZodRawShape>(description: string, shape: Shape) {
  const object: z.ZodObject<Shape, z.core.$strict> = z.strictObject(shape);
  return object.prefault({} as never).describe(description);
}

/** Where a secret is to be read. */
export interface SecretReference {
  readonly env?: string | undefined;
  readonly file?: string | undefined;
}

const EXPECTED_SECRET = '`{ env: NAME }` or `{ file: PATH }`';

export const secretReference = scalar<SecretReference>(
  {
    oneOf: [
      secretSource('env', '^[A-Z_][A-Z0-9_]*$', 'Name of the environment variable that holds the secret.'),
      secretSource('file', '^.+$', 'File that holds the secret; its last line break does not count. Relative to this file.'),
    ],
  },
  (value) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      return new Complaint(
        'a secret is never written into a configuration file, where it would end in Git, logs and backups',
        EXPECTED_SECRET,
      );
    }
    const { env, file, ...others } = value as Record<string, unknown>;
    const given = [env, file].filter((source) => source !== undefined);
    if (given.length !== 1 || Object.keys(others).length > 0) return new Complaint('a secret has one source', EXPECTED_SECRET);
    if (env !== undefined && !(typeof env === 'string' && /^[A-Z_][A-Z0-9_]{0,127}$/.test(env))) {
      return new Complaint('not the name of an environment variable', 'capital letters, digits and `_`');
    }
    if (file !== undefined && (typeof file !== 'string' || file === '' || file.length > 4096))
      return new Complaint('not a path', EXPECTED_SECRET);
    return value as SecretReference;
  },
);

function secretSource(name: string, pattern: string, description: string) {
  return {
    type: 'object',
    properties: { [name]: { type: 'string', pattern, description } },
    required: [name],
    additionalProperties: false,
  };
}
