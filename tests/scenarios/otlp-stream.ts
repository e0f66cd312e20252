/** Writes OTLP requests of many similar spans fast: protobufjs encodes each kind of span once, then only its times are put in. */
import { encodeRequest, type KeyValueInput, type RequestInput, type SpanInput } from '../support/otlp-proto.ts';

/** One request that a service answered; times in whole µs. */
export interface ServedRequest {
  readonly endUs: number;
  /** Negative when the clock stepped back in between. */
  readonly durationUs: number;
  readonly endpoint: string;
  readonly failed: boolean;
  /** HTTP status of the answer; 200, or 500 when it failed, unless told. */
  readonly status?: number;
  readonly traceState?: string;
}

interface SpanTemplate {
  readonly bytes: Uint8Array;
  readonly startAt: number;
  readonly endAt: number;
}

/** Values that no other field of a span has. */
const START_MARK = 0x1122334455667788n;
const END_MARK = 0x1122334455667799n;
const LENGTH_DELIMITED_1 = 0x0a;
const LENGTH_DELIMITED_2 = 0x12;

const templates = new Map<string, SpanTemplate>();

/**
 * The bytes of an ExportTraceServiceRequest with one resource and one scope:
 *
 *     0a len(ResourceSpans) { 0a len(Resource) …  12 len(ScopeSpans) { 12 len(Span) …  12 len(Span) … } }
 */
export function requestBytes(resource: Uint8Array, served: readonly ServedRequest[]): Uint8Array<ArrayBuffer> {
  let spansLength = 0;
  for (const request of served) spansLength += fieldLength(templateOf(request).bytes.length);
  const bytes = new Uint8Array(fieldLength(resource.length + fieldLength(spansLength)));
  const view = new DataView(bytes.buffer);
  let at = putHead(bytes, 0, LENGTH_DELIMITED_1, resource.length + fieldLength(spansLength));
  bytes.set(resource, at);
  at = putHead(bytes, at + resource.length, LENGTH_DELIMITED_2, spansLength);
  for (const request of served) {
    const template = templateOf(request);
    at = putHead(bytes, at, LENGTH_DELIMITED_2, template.bytes.length);
    bytes.set(template.bytes, at);
    view.setBigUint64(at + template.startAt, BigInt(request.endUs - request.durationUs) * 1000n, true);
    view.setBigUint64(at + template.endAt, BigInt(request.endUs) * 1000n, true);
    at += template.bytes.length;
  }
  return bytes;
}

/** The resource field of ResourceSpans. */
export function resourceField(attributes: Readonly<Record<string, string>>): Uint8Array {
  return unwrapped(encodeRequest({ resourceSpans: [{ resource: { attributes: keyValues(attributes) } }] }));
}

function templateOf({ endpoint, failed, traceState, status = failed ? 500 : 200 }: ServedRequest): SpanTemplate {
  const key = `${endpoint}|${failed}|${traceState}|${status}`;
  let template = templates.get(key);
  if (template === undefined) {
    template = newTemplate(endpoint, failed, traceState, status);
    templates.set(key, template);
  }
  return template;
}

/** A SERVER span as HTTP instrumentation writes it; `endpoint` is method and route. */
function newTemplate(endpoint: string, failed: boolean, traceState: string | undefined, status: number): SpanTemplate {
  const [method = '', route = ''] = endpoint.split(' ');
  const span: SpanInput = {
    traceId: new Uint8Array(16).fill(7),
    spanId: new Uint8Array(8).fill(9),
    name: endpoint,
    kind: 2,
    startTimeUnixNano: START_MARK,
    endTimeUnixNano: END_MARK,
    attributes: [
      ...keyValues({ 'http.request.method': method, 'http.route': route, 'url.scheme': 'https' }),
      { key: 'http.response.status_code', value: { intValue: status } },
    ],
    status: { code: failed ? 2 : 0 },
    ...(traceState !== undefined && { traceState }),
  };
  const request: RequestInput = { resourceSpans: [{ scopeSpans: [{ spans: [span] }] }] };
  const bytes = unwrapped(unwrapped(unwrapped(encodeRequest(request))));
  return { bytes, startAt: placeOf(START_MARK, bytes), endAt: placeOf(END_MARK, bytes) };
}

function keyValues(attributes: Readonly<Record<string, string>>): KeyValueInput[] {
  return Object.entries(attributes).map(([key, value]) => ({ key, value: { stringValue: value } }));
}

/** What is inside the first length-delimited field. */
function unwrapped(bytes: Uint8Array): Uint8Array {
  let at = 1;
  while ((bytes[at] as number) >= 0x80) at++;
  return bytes.subarray(at + 1);
}

function placeOf(mark: bigint, bytes: Uint8Array): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = 0; at + 8 <= bytes.length; at++) if (view.getBigUint64(at, true) === mark) return at;
  throw new RangeError('the mark is not among the bytes');
}

function fieldLength(length: number): number {
  let head = 2;
  for (let rest = length >>> 7; rest > 0; rest >>>= 7) head++;
  return head + length;
}

function putHead(bytes: Uint8Array, at: number, tag: number, length: number): number {
  let next = at;
  bytes[next++] = tag;
  let rest = length;
  for (; rest >= 0x80; rest >>>= 7) bytes[next++] = (rest & 0x7f) | 0x80;
  bytes[next++] = rest;
  return next;
}
