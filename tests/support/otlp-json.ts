/** Requests as OTLP/JSON: ids in hex, 64-bit integers as decimal text. */
import type { RequestInput } from './otlp-proto.ts';

const IDS: readonly string[] = ['traceId', 'spanId', 'parentSpanId'];

/** The UTF-8 bytes of a request in JSON. */
export function jsonRequest(request: RequestInput): Uint8Array {
  const text = JSON.stringify(request, (key, value: unknown) => {
    if (typeof value === 'bigint') return value.toString();
    if (value instanceof Uint8Array) return Buffer.from(value).toString(IDS.includes(key) ? 'hex' : 'base64');
    return value;
  });
  return new TextEncoder().encode(text);
}
