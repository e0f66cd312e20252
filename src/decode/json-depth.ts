/** Guards `JSON.parse`: refuses nesting that no request has, before any of it is built. */
import { Malformation } from './decode-error.ts';

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPEN_ARRAY = 0x5b;
const CLOSE_ARRAY = 0x5d;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;

/** Throws a Malformation at the bracket that nests deeper than `limit`. Strings are passed over; whether it is JSON at all is not asked. */
export function guardJsonDepth(bytes: Uint8Array, limit: number): void {
  let depth = 0;
  for (let pos = 0; pos < bytes.length; pos++) {
    switch (bytes[pos]) {
      case QUOTE:
        pos = endOfString(bytes, pos);
        break;
      case OPEN_ARRAY:
      case OPEN_OBJECT:
        depth++;
        if (depth > limit) throw new Malformation(pos, `JSON is nested deeper than ${limit} levels`);
        break;
      case CLOSE_ARRAY:
      case CLOSE_OBJECT:
        depth--;
        break;
    }
  }
}

/** Position of the closing quote, or of the last byte. */
function endOfString(bytes: Uint8Array, start: number): number {
  for (let pos = start + 1; pos < bytes.length; pos++) {
    if (bytes[pos] === BACKSLASH) pos++;
    else if (bytes[pos] === QUOTE) return pos;
  }
  return bytes.length;
}
