/** Writes the answers of OTLP: ExportTraceServiceResponse and google.rpc.Status, as protobuf and as JSON. */
import type { SpanEncoding } from './receiver.ts';

// ExportTraceServiceResponse { 1 partial_success { 1 rejected_spans int64, 2 error_message string } }
// google.rpc.Status          { 1 code int32, 2 message string, 3 details repeated Any }
// google.protobuf.Any        { 1 type_url string, 2 value bytes }
// google.rpc.RetryInfo       { 1 retry_delay Duration { 1 seconds int64, 2 nanos int32 } }
// google.rpc.BadRequest      { 1 field_violations repeated { 1 field string, 2 description string } }

const RETRY_INFO = 'type.googleapis.com/google.rpc.RetryInfo';
const BAD_REQUEST = 'type.googleapis.com/google.rpc.BadRequest';
/** Answers stay far below the 4 MiB that OTLP recommends as their limit. */
const MAX_MESSAGE_CHARS = 1024;
const EMPTY = Buffer.alloc(0);
const EMPTY_JSON = Buffer.from('{}');

/** `rejected` spans (a non-negative integer) and a message; with 0 and '' the partial success is left unset, as OTLP wants it. */
export function exportResponse(encoding: SpanEncoding, rejected: number, message: string): Buffer {
  if (rejected === 0 && message === '') return encoding === 'protobuf' ? EMPTY : EMPTY_JSON;
  const text = clipped(message);
  if (encoding === 'json') {
    return Buffer.from(JSON.stringify({ partialSuccess: { rejectedSpans: String(rejected), errorMessage: text } }));
  }
  return bytesField(1, Buffer.concat([varintField(1, rejected), stringField(2, text)]));
}

export interface RpcStatus {
  /** google.rpc.Code. */
  readonly code: number;
  readonly message: string;
  /** Adds RetryInfo: when to try again. */
  readonly retryAfterMs?: number;
  /** Adds BadRequest with the message as its description. */
  readonly isBadRequest?: boolean;
}

export function statusBody(encoding: SpanEncoding, status: RpcStatus): Buffer {
  const text = clipped(status.message);
  if (encoding === 'json') {
    const details: object[] = [];
    if (status.retryAfterMs !== undefined) details.push({ '@type': RETRY_INFO, retryDelay: `${status.retryAfterMs / 1000}s` });
    if (status.isBadRequest) details.push({ '@type': BAD_REQUEST, fieldViolations: [{ description: text }] });
    return Buffer.from(JSON.stringify({ code: status.code, message: text, ...(details.length > 0 && { details }) }));
  }
  const parts = [varintField(1, status.code), stringField(2, text)];
  if (status.retryAfterMs !== undefined) {
    const ms = Math.round(status.retryAfterMs);
    const duration = Buffer.concat([varintField(1, Math.floor(ms / 1000)), varintField(2, (ms % 1000) * 1e6)]);
    parts.push(bytesField(3, Buffer.concat([stringField(1, RETRY_INFO), bytesField(2, bytesField(1, duration))])));
  }
  if (status.isBadRequest) {
    const violation = bytesField(1, stringField(2, text));
    parts.push(bytesField(3, Buffer.concat([stringField(1, BAD_REQUEST), bytesField(2, violation)])));
  }
  return Buffer.concat(parts);
}

/** Long messages are cut, and lone surrogates, which neither UTF-8 nor a header can carry, replaced. */
export function clipped(message: string): string {
  return (message.length > MAX_MESSAGE_CHARS ? `${message.slice(0, MAX_MESSAGE_CHARS - 1)}…` : message).toWellFormed();
}

/** Zero is the default and is left out, as protobuf's canonical form has it. */
function varintField(field: number, value: number): Buffer {
  return value === 0 ? EMPTY : Buffer.from([field << 3, ...varint(value)]);
}

function stringField(field: number, value: string): Buffer {
  return value === '' ? EMPTY : bytesField(field, Buffer.from(value));
}

function bytesField(field: number, value: Buffer): Buffer {
  return Buffer.concat([Buffer.from([(field << 3) | 2, ...varint(value.length)]), value]);
}

/** Non-negative integers up to 2^53 - 1. */
function varint(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  while (rest >= 0x80) {
    bytes.push((rest % 0x80) + 0x80);
    rest = Math.floor(rest / 0x80);
  }
  bytes.push(rest);
  return bytes;
}
