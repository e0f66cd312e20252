/**
 * The part of OTLP that the decoder reads, through `protobufjs`: messages it passes over by length are `bytes`, texts are `bytes` so that
 * broken UTF-8 stays what it is, and the value of an attribute is decoded only on demand.
 */
import protobuf from 'protobufjs';

const ROOT = protobuf.Root.fromJSON({
  nested: {
    Request: { fields: { resourceSpans: { id: 1, type: 'ResourceSpans', rule: 'repeated' } } },
    ResourceSpans: {
      fields: { resource: { id: 1, type: 'Resource' }, scopeSpans: { id: 2, type: 'ScopeSpans', rule: 'repeated' } },
    },
    Resource: { fields: { attributes: { id: 1, type: 'KeyValue', rule: 'repeated' } } },
    ScopeSpans: { fields: { spans: { id: 2, type: 'bytes', rule: 'repeated' } } },
    Span: {
      fields: {
        traceId: { id: 1, type: 'bytes' },
        traceState: { id: 3, type: 'bytes' },
        parentSpanId: { id: 4, type: 'bytes' },
        name: { id: 5, type: 'bytes' },
        kind: { id: 6, type: 'int32' },
        start: { id: 7, type: 'fixed64' },
        end: { id: 8, type: 'fixed64' },
        attributes: { id: 9, type: 'bytes', rule: 'repeated' },
        status: { id: 15, type: 'Status' },
        flags: { id: 16, type: 'fixed32' },
      },
    },
    Status: { fields: { code: { id: 3, type: 'int32' } } },
    KeyValue: { fields: { key: { id: 1, type: 'bytes' }, value: { id: 2, type: 'bytes', rule: 'repeated' } } },
    AnyValue: {
      oneofs: {
        value: { oneof: ['stringValue', 'boolValue', 'intValue', 'doubleValue', 'arrayValue', 'kvlistValue', 'bytesValue'] },
      },
      fields: {
        stringValue: { id: 1, type: 'bytes' },
        boolValue: { id: 2, type: 'bool' },
        intValue: { id: 3, type: 'int64' },
        doubleValue: { id: 4, type: 'double' },
        arrayValue: { id: 5, type: 'bytes' },
        kvlistValue: { id: 6, type: 'bytes' },
        bytesValue: { id: 7, type: 'bytes' },
      },
    },
  },
});

export interface ShallowKeyValue {
  readonly key: Uint8Array;
  readonly value: readonly Uint8Array[];
}
interface Long64 {
  toString(): string;
}
export interface ShallowSpan {
  readonly traceId: Uint8Array;
  readonly traceState: Uint8Array;
  readonly parentSpanId: Uint8Array;
  readonly name: Uint8Array;
  readonly kind: number;
  readonly start: Long64;
  readonly end: Long64;
  readonly attributes: readonly Uint8Array[];
  readonly status: { readonly code: number } | null;
  readonly flags: number;
}
export interface ShallowRequest {
  readonly resourceSpans: readonly {
    readonly resource: { readonly attributes: readonly ShallowKeyValue[] } | null;
    readonly scopeSpans: readonly { readonly spans: readonly Uint8Array[] }[];
  }[];
}

export const decodeShallowRequest = (bytes: Uint8Array) => decodeStrictly('Request', bytes) as ShallowRequest;
export const decodeShallowSpan = (bytes: Uint8Array) => decodeStrictly('Span', bytes) as ShallowSpan;
export const decodeKeyValue = (bytes: Uint8Array) => decodeStrictly('KeyValue', bytes) as ShallowKeyValue;

/** A text as one character a byte, a number, a bool, or null for what holds none of them. Pieces of one message merge. */
export function scalarOf(pieces: readonly Uint8Array[]): string | number | boolean | null {
  const value = decodeStrictly('AnyValue', Buffer.concat(pieces)) as Record<string, unknown> & { readonly value?: string };
  switch (value.value) {
    case 'stringValue':
      return latin1(value.stringValue as Uint8Array);
    case 'boolValue':
      return value.boolValue as boolean;
    case 'intValue':
      return Number(String(value.intValue));
    case 'doubleValue':
      return value.doubleValue as number;
    default:
      return null;
  }
}

export function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('latin1');
}

/**
 * protobufjs, but for two things that it takes and OTLP senders never write, which the decoder refuses: groups, and unknown varints longer
 * than 10 bytes.
 */
function decodeStrictly(type: string, bytes: Uint8Array): unknown {
  const reader = protobuf.Reader.create(Buffer.from(bytes));
  const skipType = reader.skipType;
  reader.skipType = function strictSkip(wireType: number, ...rest: unknown[]) {
    if (wireType === 3) throw new Error('group');
    if (wireType === 0 && rest[1] !== 0) {
      this.uint32();
      return this;
    }
    return (skipType as (...args: unknown[]) => protobuf.Reader).call(this, wireType, ...rest);
  };
  return ROOT.lookupType(type).decode(reader);
}
