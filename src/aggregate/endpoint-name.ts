/** Endpoint names between bytes and text, so that two different byte strings never become the same text. */

const STRICT = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const ENCODER = new TextEncoder();
const BACKSLASH = 0x5c;
const LETTER_X = 0x78;

/**
 * Text of `bytes[0 .. length)`. Bytes that are no valid UTF-8 show as `\xNN`; so that a name that spells such an escape stays different
 * from the byte, a backslash before an `x` shows as `\x5c`. `endpointBytes` is the inverse.
 */
export function endpointText(bytes: Uint8Array, length: number): string {
  const name = bytes.subarray(0, length);
  for (let i = 0; i < length; i++) {
    if (name[i] === BACKSLASH && name[i + 1] === LETTER_X) return escapedText(name);
  }
  try {
    return STRICT.decode(name);
  } catch {
    return escapedText(name);
  }
}

/** The bytes that `endpointText` turned into `text`. */
export function endpointBytes(text: string): Uint8Array {
  const encoded = ENCODER.encode(text);
  if (!text.includes('\\x')) return encoded;
  let size = 0;
  for (let i = 0; i < encoded.length; i++) {
    let byte = encoded[i] as number;
    if (byte === BACKSLASH && encoded[i + 1] === LETTER_X) {
      byte = Number.parseInt(String.fromCharCode(encoded[i + 2] as number, encoded[i + 3] as number), 16);
      i += 3;
    }
    encoded[size++] = byte;
  }
  return encoded.subarray(0, size);
}

/** Longest start of `bytes[0 .. length)` of at most `limit` bytes that does not cut a UTF-8 character in two. */
export function wholeCharacters(bytes: Uint8Array, length: number, limit: number): number {
  if (length <= limit) return length;
  let end = limit;
  while (end > limit - 3 && end > 0 && ((bytes[end] as number) & 0xc0) === 0x80) end--;
  return ((bytes[end] as number) & 0xc0) === 0x80 ? limit : end;
}

function escapedText(name: Uint8Array): string {
  let text = '';
  for (let at = 0; at < name.length; ) {
    const length = name[at] === BACKSLASH && name[at + 1] === LETTER_X ? 0 : characterLength(name, at);
    if (length === 0) {
      text += `\\x${(name[at] as number).toString(16).padStart(2, '0')}`;
      at++;
    } else {
      text += STRICT.decode(name.subarray(at, at + length));
      at += length;
    }
  }
  return text;
}

/** Bytes of the valid UTF-8 character at `at`, or 0. */
function characterLength(name: Uint8Array, at: number): number {
  const lead = name[at] as number;
  if (lead < 0x80) return 1;
  const length = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
  try {
    STRICT.decode(name.subarray(at, at + length));
    return at + length <= name.length ? length : 0;
  } catch {
    return 0;
  }
}
