/** OTLP trace messages through `protobufjs`: an encoder for requests and an independent decoder. */
import protobuf from 'protobufjs';

/** Field rows: name, number, type; `[]` behind the type for repeated ones. Source: opentelemetry-proto 1.11. */
type Rows = readonly (readonly [name: string, id: number, type: string])[];

const MESSAGES: Readonly<Record<string, Rows>> = {
  ExportTraceServiceRequest: [['resourceSpans', 1, 'ResourceSpans[]']],
  ResourceSpans: [
    ['resource', 1, 'Resource'],
    ['scopeSpans', 2, 'ScopeSpans[]'],
    ['schemaUrl', 3, 'string'],
  ],
  Resource: [
    ['attributes', 1, 'KeyValue[]'],
    ['droppedAttributesCount', 2, 'uint32'],
  ],
  ScopeSpans: [
    ['scope', 1, 'InstrumentationScope'],
    ['spans', 2, 'Span[]'],
    ['schemaUrl', 3, 'string'],
  ],
  InstrumentationScope: [
    ['name', 1, 'string'],
    ['version', 2, 'string'],
    ['attributes', 3, 'KeyValue[]'],
    ['droppedAttributesCount', 4, 'uint32'],
  ],
  Span: [
    ['traceId', 1, 'bytes'],
    ['spanId', 2, 'bytes'],
    ['traceState', 3, 'string'],
    ['parentSpanId', 4, 'bytes'],
    ['name', 5, 'string'],
    ['kind', 6, 'int32'],
    ['startTimeUnixNano', 7, 'fixed64'],
    ['endTimeUnixNano', 8, 'fixed64'],
    ['attributes', 9, 'KeyValue[]'],
    ['droppedAttributesCount', 10, 'uint32'],
    ['events', 11, 'Event[]'],
    ['droppedEventsCount', 12, 'uint32'],
    ['links', 13, 'Link[]'],
    ['droppedLinksCount', 14, 'uint32'],
    ['status', 15, 'Status'],
    ['flags', 16, 'fixed32'],
  ],
  Event: [
    ['timeUnixNano', 1, 'fixed64'],
    ['name', 2, 'string'],
    ['attributes', 3, 'KeyValue[]'],
    ['droppedAttributesCount', 4, 'uint32'],
  ],
  Link: [
    ['traceId', 1, 'bytes'],
    ['spanId', 2, 'bytes'],
    ['traceState', 3, 'string'],
    ['attributes', 4, 'KeyValue[]'],
    ['droppedAttributesCount', 5, 'uint32'],
    ['flags', 6, 'fixed32'],
  ],
  Status: [
    ['message', 2, 'string'],
    ['code', 3, 'int32'],
  ],
  KeyValue: [
    ['key', 1, 'string'],
    ['value', 2, 'AnyValue'],
  ],
  ArrayValue: [['values', 1, 'AnyValue[]']],
  KeyValueList: [['values', 1, 'KeyValue[]']],
};

const ANY_VALUE: Rows = [
  ['stringValue', 1, 'string'],
  ['boolValue', 2, 'bool'],
  ['intValue', 3, 'int64'],
  ['doubleValue', 4, 'double'],
  ['arrayValue', 5, 'ArrayValue'],
  ['kvlistValue', 6, 'KeyValueList'],
  ['bytesValue', 7, 'bytes'],
];

/** A request as protobufjs takes it: every field optional, 64-bit integers as Long, number or decimal text. */
export interface AnyValueInput {
  readonly stringValue?: string;
  readonly boolValue?: boolean;
  readonly intValue?: number | string;
  readonly doubleValue?: number;
  readonly arrayValue?: { readonly values: readonly AnyValueInput[] };
  readonly kvlistValue?: { readonly values: readonly KeyValueInput[] };
  readonly bytesValue?: Uint8Array;
}
export interface KeyValueInput {
  readonly key?: string;
  readonly value?: AnyValueInput;
}
export interface SpanInput {
  readonly traceId?: Uint8Array;
  readonly spanId?: Uint8Array;
  readonly traceState?: string;
  readonly parentSpanId?: Uint8Array;
  readonly name?: string;
  readonly kind?: number;
  readonly startTimeUnixNano?: number | string | bigint;
  readonly endTimeUnixNano?: number | string | bigint;
  readonly attributes?: readonly KeyValueInput[];
  readonly events?: readonly { readonly name?: string; readonly attributes?: readonly KeyValueInput[] }[];
  readonly links?: readonly { readonly traceId?: Uint8Array; readonly spanId?: Uint8Array }[];
  readonly status?: { readonly code?: number; readonly message?: string };
  readonly flags?: number;
}
export interface ResourceSpansInput {
  readonly resource?: { readonly attributes?: readonly KeyValueInput[] };
  readonly scopeSpans?: readonly {
    readonly scope?: { readonly name?: string; readonly version?: string };
    readonly spans?: readonly SpanInput[];
  }[];
}
export interface RequestInput {
  readonly resourceSpans?: readonly ResourceSpansInput[];
}

const otlp = new protobuf.Root();
for (const [name, rows] of Object.entries(MESSAGES)) otlp.add(messageType(name, rows));
otlp.add(messageType('AnyValue', ANY_VALUE).add(oneof('value', ANY_VALUE)));
otlp.resolveAll();
const requestType = otlp.lookupType('ExportTraceServiceRequest');

/** The bytes of an ExportTraceServiceRequest. */
export function encodeRequest(request: RequestInput): Uint8Array {
  return new Uint8Array(requestType.encode(requestType.fromObject(withTextTimes(request))).finish());
}

/** The whole request as protobufjs sees it; throws where it is malformed. */
export function decodeRequest(bytes: Uint8Array): protobuf.Message {
  return requestType.decode(bytes);
}

function messageType(name: string, rows: Rows): protobuf.Type {
  const type = new protobuf.Type(name);
  for (const [field, id, spelled] of rows) {
    const repeated = spelled.endsWith('[]');
    type.add(new protobuf.Field(field, id, repeated ? spelled.slice(0, -2) : spelled, repeated ? 'repeated' : undefined));
  }
  return type;
}

function oneof(name: string, rows: Rows): protobuf.OneOf {
  return new protobuf.OneOf(
    name,
    rows.map(([field]) => field),
  );
}

/** protobufjs takes no bigint. */
function withTextTimes(request: RequestInput): Record<string, unknown> {
  return JSON.parse(
    JSON.stringify(request, (_, value: unknown) => {
      if (typeof value === 'bigint') return value.toString();
      return value instanceof Uint8Array ? Buffer.from(value).toString('base64') : value;
    }),
  ) as Record<string, unknown>;
}
