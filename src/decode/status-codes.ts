/** The codes of gRPC and which of them, and which HTTP statuses, are failures. */
import type { ByteWords } from './byte-words.ts';
import { type SpanFields, VALUE_NUMBER, VALUE_TEXT } from './span-fields.ts';

/**
 * By number. `serverError` is who failed when a server answers with it; a client failed with everything but OK.
 * Source: semantic conventions 1.44, rpc/grpc.md, "Server" status; numbers: grpc/doc/statuscodes.md.
 */
export const GRPC_CODES = [
  { name: 'OK', serverError: false },
  { name: 'CANCELLED', serverError: false },
  { name: 'UNKNOWN', serverError: true },
  { name: 'INVALID_ARGUMENT', serverError: false },
  { name: 'DEADLINE_EXCEEDED', serverError: true },
  { name: 'NOT_FOUND', serverError: false },
  { name: 'ALREADY_EXISTS', serverError: false },
  { name: 'PERMISSION_DENIED', serverError: false },
  { name: 'RESOURCE_EXHAUSTED', serverError: false },
  { name: 'FAILED_PRECONDITION', serverError: false },
  { name: 'ABORTED', serverError: false },
  { name: 'OUT_OF_RANGE', serverError: false },
  { name: 'UNIMPLEMENTED', serverError: true },
  { name: 'INTERNAL', serverError: true },
  { name: 'UNAVAILABLE', serverError: true },
  { name: 'DATA_LOSS', serverError: true },
  { name: 'UNAUTHENTICATED', serverError: false },
] as const;

/** Connect writes the same codes in lower case and spells one differently. Source: connectrpc.com/docs/protocol, "Error codes". */
export const GRPC_CODE_WORDS: readonly string[] = [
  ...GRPC_CODES.map(({ name }) => name),
  ...GRPC_CODES.map(({ name }) => (name === 'CANCELLED' ? 'canceled' : name.toLowerCase())),
];

/** How senders write the gRPC code that `word` stands for: its name, its number, and as Connect does. Of anything else the word itself. */
export function grpcSpellings(word: string): readonly string[] {
  const code = GRPC_CODE_WORDS.includes(word)
    ? GRPC_CODE_WORDS.indexOf(word) % GRPC_CODES.length
    : GRPC_CODES.findIndex((_, i) => `${i}` === word);
  return code < 0 ? [word] : [GRPC_CODE_WORDS[code] as string, `${code}`, GRPC_CODE_WORDS[code + GRPC_CODES.length] as string];
}

/** Source: RFC 9110, 15: three digits, five classes. */
export const MIN_HTTP_STATUS = 100;
export const MAX_HTTP_STATUS = 599;
/** Source: semantic conventions 1.44, http-spans.md, "Status": 4xx is an error for a client only. */
export const SERVER_ERROR_FROM = 500;
export const CLIENT_ERROR_FROM = 400;

/** A status beyond these many digits is none. */
const MAX_DIGITS = 3;

/** HTTP status of `slot`, or -1 where it is none. Some instrumentations write it as text. */
export function httpStatusOf(fields: SpanFields, slot: number): number {
  if (slot < 0) return -1;
  const status = wholeNumberOf(fields, slot);
  return status >= MIN_HTTP_STATUS && status <= MAX_HTTP_STATUS ? status : -1;
}

/** Number of the gRPC code in `slot` (a name, or 0 to 16 as int or text), or -1 where it is none. `words` are GRPC_CODE_WORDS. */
export function grpcCodeOf(fields: SpanFields, slot: number, words: ByteWords): number {
  if (slot < 0) return -1;
  const code = wholeNumberOf(fields, slot);
  if (code >= 0) return code < GRPC_CODES.length ? code : -1;
  if (fields.types[slot] !== VALUE_TEXT) return -1;
  const word = words.find(fields.bytes, fields.starts[slot] as number, fields.ends[slot] as number);
  return word < GRPC_CODES.length ? word : word - GRPC_CODES.length;
}

function wholeNumberOf(fields: SpanFields, slot: number): number {
  if (fields.types[slot] === VALUE_NUMBER) {
    const value = fields.numbers[slot] as number;
    return Number.isInteger(value) ? value : -1;
  }
  if (fields.types[slot] !== VALUE_TEXT) return -1;
  const start = fields.starts[slot] as number;
  const end = fields.ends[slot] as number;
  if (end - start > MAX_DIGITS) return -1;
  let value = 0;
  for (let pos = start; pos < end; pos++) {
    const digit = (fields.bytes[pos] as number) - 0x30;
    if (digit < 0 || digit > 9) return -1;
    value = value * 10 + digit;
  }
  return value;
}
