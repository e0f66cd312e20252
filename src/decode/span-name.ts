/** Takes the identifiers out of a span name, so that names built from URI paths do not make a series per request. */

const SLASH = 0x2f;
const SPACE = 0x20;
const QUESTION = 0x3f;
const PLACEHOLDER = new TextEncoder().encode('{id}');

/** Hexadecimal of this length with a digit in it is an identifier: half a UUID, a short hash, an object id. */
const MIN_HEX_BYTES = 8;
/** A path segment of this length with letters and digits is a token: base64, ULID, JWT. */
const MIN_TOKEN_BYTES = 24;

/**
 * Writes the name in `bytes[start, end)` to `out` and returns its length, at most `out.length`. Pieces between `/` and space become `{id}` when
 * they are numbers (also dates and addresses), hexadecimal or, in a path, long tokens; a query goes. Examples:
 *
 *     GET /users/1234/cart?x=1   GET /users/{id}/cart
 *     /a/9f1c2d3e-… (UUID)       /a/{id}
 *     checkout v2                checkout v2
 */
export function writeSpanName(bytes: Uint8Array, start: number, end: number, out: Uint8Array): number {
  let length = 0;
  let pos = start;
  let inPath = false;
  while (pos < end && length < out.length) {
    const byte = bytes[pos] as number;
    if (byte === SLASH || byte === SPACE) {
      if (byte === SLASH) inPath = true;
      out[length++] = byte;
      pos++;
      continue;
    }
    if (byte === QUESTION && inPath) {
      while (pos < end && bytes[pos] !== SPACE) pos++;
      continue;
    }
    const pieceEnd = endOfPiece(bytes, pos, end, inPath);
    const identifier = isIdentifier(bytes, pos, pieceEnd, inPath);
    const source = identifier ? PLACEHOLDER : bytes;
    const sourceEnd = identifier ? PLACEHOLDER.length : pieceEnd;
    for (let from = identifier ? 0 : pos; from < sourceEnd && length < out.length; from++) out[length++] = source[from] as number;
    pos = pieceEnd;
  }
  return length;
}

function endOfPiece(bytes: Uint8Array, start: number, end: number, inPath: boolean): number {
  let pos = start + 1;
  while (pos < end && bytes[pos] !== SLASH && bytes[pos] !== SPACE && !(inPath && bytes[pos] === QUESTION)) pos++;
  return pos;
}

function isIdentifier(bytes: Uint8Array, start: number, end: number, inPath: boolean): boolean {
  let digits = 0;
  let hexLetters = 0;
  let letters = 0;
  let others = 0;
  for (let pos = start; pos < end; pos++) {
    const byte = bytes[pos] as number;
    const lower = byte | 0x20;
    if (byte >= 0x30 && byte <= 0x39) digits++;
    else if (lower >= 0x61 && lower <= 0x66) hexLetters++;
    else if (lower >= 0x67 && lower <= 0x7a) letters++;
    else if (!isMark(byte)) others++;
  }
  if (digits === 0 || others > 0) return false;
  if (letters === 0 && hexLetters === 0) return true;
  if (letters === 0 && end - start >= MIN_HEX_BYTES) return true;
  return inPath && end - start >= MIN_TOKEN_BYTES;
}

/** What joins the parts of dates, addresses, UUIDs and base64: the ASCII from `%` to `=`, `_` and `~`. */
function isMark(byte: number): boolean {
  return (byte >= 0x25 && byte <= 0x3d) || byte === 0x5f || byte === 0x7e;
}
