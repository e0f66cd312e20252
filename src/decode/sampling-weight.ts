/**
 * How many requests a sampled span stands for, from its W3C `tracestate`.
 *
 *     tracestate = member *("," member)       member = key "=" value       our member's key is "ot"
 *     value      = sub *(";" sub)             sub = "th:" 1*14 lower-case hex digits | others
 *
 * Source: OpenTelemetry, TraceState probability sampling: `th` is the rejection threshold T out of 2^56 with trailing zeros left out, and a
 * span was kept with probability (2^56 - T) / 2^56.
 */

const COMMA = 0x2c;
const SEMICOLON = 0x3b;
const EQUALS = 0x3d;
const COLON = 0x3a;
const SPACE = 0x20;
const TAB = 0x09;
const LETTER_O = 0x6f;
const LETTER_T = 0x74;
const LETTER_H = 0x68;

const TWO_28 = 2 ** 28;
const TWO_56 = 2 ** 56;
/** Hex digits of a threshold, and of each of the halves it is kept in: 56 bits do not fit a double. */
const MAX_DIGITS = 14;
const HALF_DIGITS = 7;

/** Finite and in [1, 2^56]; 1 where there is no valid `ot=th`. Example: `ot=th:8` keeps every second span, so the weight is 2. */
export function samplingWeight(bytes: Uint8Array, start: number, end: number): number {
  let pos = start;
  while (pos < end) {
    while (pos < end && (bytes[pos] === SPACE || bytes[pos] === TAB)) pos++;
    if (pos + 3 <= end && bytes[pos] === LETTER_O && bytes[pos + 1] === LETTER_T && bytes[pos + 2] === EQUALS) {
      return weightOfMember(bytes, pos + 3, end);
    }
    while (pos < end && bytes[pos] !== COMMA) pos++;
    pos++;
  }
  return 1;
}

function weightOfMember(bytes: Uint8Array, start: number, end: number): number {
  let pos = start;
  while (pos < end && bytes[pos] !== COMMA) {
    if (pos + 3 <= end && bytes[pos] === LETTER_T && bytes[pos + 1] === LETTER_H && bytes[pos + 2] === COLON) {
      return weightOfThreshold(bytes, pos + 3, end);
    }
    while (pos < end && bytes[pos] !== SEMICOLON && bytes[pos] !== COMMA) pos++;
    if (bytes[pos] === SEMICOLON) pos++;
  }
  return 1;
}

function weightOfThreshold(bytes: Uint8Array, start: number, end: number): number {
  let high = 0;
  let low = 0;
  let digits = 0;
  let pos = start;
  for (; pos < end; pos++) {
    const digit = hexDigit(bytes[pos] as number);
    if (digit < 0) break;
    if (digits === MAX_DIGITS) return 1;
    if (digits < HALF_DIGITS) high = high * 16 + digit;
    else low = low * 16 + digit;
    digits++;
  }
  if (digits === 0 || (pos < end && !endsThreshold(bytes[pos] as number))) return 1;
  high *= 16 ** (HALF_DIGITS - Math.min(digits, HALF_DIGITS));
  low *= 16 ** (MAX_DIGITS - Math.max(digits, HALF_DIGITS));
  // Never 0: both halves are below 2^28.
  return TWO_56 / ((TWO_28 - high) * TWO_28 - low);
}

function endsThreshold(byte: number): boolean {
  return byte === COMMA || byte === SEMICOLON || byte === SPACE || byte === TAB;
}

function hexDigit(byte: number): number {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  if (byte >= 0x61 && byte <= 0x66) return byte - 0x61 + 10;
  return -1;
}
