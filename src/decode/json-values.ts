/** Reads the scalars of OTLP/JSON: what is missing or null is the default, a wrong type is refused with its path. */
import { Malformation } from './decode-error.ts';

export type JsonObject = Readonly<Record<string, unknown>>;

const TWO_32 = 4_294_967_296;
const TWO_64 = TWO_32 * TWO_32;
const MAX_INT32 = 2_147_483_647;
const DECIMAL = /^-?\d+$/;
const HEX = /^[0-9a-fA-F]*$/;
const SPECIAL_DOUBLES: ReadonlyMap<string, number> = new Map([
  ['NaN', Number.NaN],
  ['Infinity', Number.POSITIVE_INFINITY],
  ['-Infinity', Number.NEGATIVE_INFINITY],
]);

/** JSON has no offsets once it is parsed; the path says where. */
export function wrongType(path: string, expected: string): Malformation {
  return new Malformation(0, `expected ${expected}`, path);
}

/** Null and missing are null. */
export function objectAt(value: unknown, path: string): JsonObject | null {
  if (value === undefined || value === null) return null;
  if (typeof value !== 'object' || Array.isArray(value)) throw wrongType(path, 'an object');
  return value as JsonObject;
}

/** Null and missing are empty. */
export function listAt(value: unknown, path: string): readonly unknown[] {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) throw wrongType(path, 'an array');
  return value;
}

/** Null and missing are ''. */
export function textAt(value: unknown, path: string): string {
  if (value === undefined || value === null) return '';
  if (typeof value !== 'string') throw wrongType(path, 'a string');
  return value;
}

/** An id in hex of either case, of any length: whether it is a valid id is not asked. */
export function hexAt(value: unknown, path: string): string {
  const text = textAt(value, path);
  if (!HEX.test(text)) throw wrongType(path, 'hexadecimal digits');
  return text;
}

/** Enums are integers, never names, says OTLP. */
export function enumAt(value: unknown, path: string): number {
  if (value === undefined || value === null) return 0;
  if (typeof value !== 'number' || !Number.isInteger(value) || Math.abs(value) > MAX_INT32)
    throw wrongType(path, 'an integer, not the name');
  return value;
}

/** An unsigned 32-bit integer. */
export function uint32At(value: unknown, path: string): number {
  if (value === undefined || value === null) return 0;
  if (typeof value !== 'number' || !Number.isInteger(value) || value < 0 || value >= TWO_32)
    throw wrongType(path, 'an unsigned 32-bit integer');
  return value;
}

/** A signed 64-bit integer, as decimal text or number, rounded to a double. */
export function int64At(value: unknown, path: string): number {
  if (typeof value === 'number' && Number.isInteger(value)) return value;
  if (typeof value === 'string' && DECIMAL.test(value) && value.length <= 20) return Number(value);
  throw wrongType(path, 'a 64-bit integer');
}

/** A number, or `NaN`, `Infinity`, `-Infinity` as text. */
export function doubleAt(value: unknown, path: string): number {
  if (typeof value === 'number') return value;
  const special = typeof value === 'string' ? SPECIAL_DOUBLES.get(value) : undefined;
  if (special === undefined) throw wrongType(path, 'a number');
  return special;
}

/**
 * Unsigned 64-bit nanoseconds into `times[high]` and `times[low]`: exactly from decimal text, digit by digit over two halves; from a number as
 * exactly as JSON.parse left it. Null and missing are 0.
 */
export function readNanoseconds(value: unknown, times: Float64Array, high: number, low: number, path: string): void {
  let highHalf = 0;
  let lowHalf = 0;
  if (typeof value === 'number') {
    if (!Number.isInteger(value) || value < 0 || value >= TWO_64) throw wrongType(path, 'nanoseconds of 64 bits');
    highHalf = Math.floor(value / TWO_32);
    lowHalf = value - highHalf * TWO_32;
  } else if (typeof value === 'string') {
    if (value.length === 0) throw wrongType(path, 'nanoseconds of 64 bits');
    for (let i = 0; i < value.length; i++) {
      const digit = value.charCodeAt(i) - 0x30;
      if (digit < 0 || digit > 9) throw wrongType(path, 'nanoseconds of 64 bits');
      const sum = lowHalf * 10 + digit;
      const carry = Math.floor(sum / TWO_32);
      lowHalf = sum - carry * TWO_32;
      highHalf = highHalf * 10 + carry;
      if (highHalf >= TWO_32) throw wrongType(path, 'nanoseconds of 64 bits');
    }
  } else if (value !== undefined && value !== null) throw wrongType(path, 'nanoseconds of 64 bits');
  times[high] = highHalf;
  times[low] = lowHalf;
}
