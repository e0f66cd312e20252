/** Descriptors of the messages that OTLP answers with, and of as much of a request as counting its spans takes, for protobufjs. */
import protobuf from 'protobufjs';

const { root } = protobuf.parse(`
  syntax = "proto3";
  message Status { int32 code = 1; string message = 2; repeated Any details = 3; }
  message Any { string type_url = 1; bytes value = 2; }
  message Duration { int64 seconds = 1; int32 nanos = 2; }
  message RetryInfo { Duration retry_delay = 1; }
  message BadRequest { message FieldViolation { string field = 1; string description = 2; } repeated FieldViolation field_violations = 1; }
  message ExportResponse { PartialSuccess partial_success = 1; }
  message PartialSuccess { int64 rejected_spans = 1; string error_message = 2; }
  message Request { repeated ResourceSpans resource_spans = 1; }
  message ResourceSpans { repeated ScopeSpans scope_spans = 2; }
  message ScopeSpans { repeated Span spans = 2; }
  message Span { string name = 5; }
`);

export function decoded(type: string, bytes: Uint8Array): Record<string, unknown> {
  const message = root.lookupType(type);
  return message.toObject(message.decode(bytes), { longs: Number, bytes: Buffer }) as Record<string, unknown>;
}

export interface DecodedStatus {
  readonly code: number;
  readonly message: string;
  /** By the last part of the type's name. */
  readonly details: Readonly<Record<string, Record<string, unknown>>>;
}

export function decodedStatus(bytes: Uint8Array): DecodedStatus {
  const {
    code = 0,
    message = '',
    details = [],
  } = decoded('Status', bytes) as {
    code?: number;
    message?: string;
    details?: { typeUrl: string; value: Buffer }[];
  };
  const named = details.map(({ typeUrl, value }) => {
    const name = typeUrl.replace('type.googleapis.com/google.rpc.', '');
    return [name, decoded(name, value)];
  });
  return { code, message, details: Object.fromEntries(named) };
}

interface RequestShape {
  readonly resourceSpans?: readonly { readonly scopeSpans?: readonly { readonly spans?: readonly { readonly name: string }[] }[] }[];
}

/** Names of all spans of a request, in order. */
export function spanNames(encoding: 'protobuf' | 'json', bytes: Buffer): string[] {
  const request = (encoding === 'json' ? JSON.parse(bytes.toString()) : decoded('Request', bytes)) as RequestShape;
  return (request.resourceSpans ?? []).flatMap((r) => (r.scopeSpans ?? []).flatMap((s) => (s.spans ?? []).map((span) => span.name)));
}
