/** Uniquely numbered spans of a small fleet, second by second: made fast from templates, the same for the same seconds, and counted as they are made. */
import { encodeRequest } from '../../support/otlp-proto.ts';

export const SERVICES = 12;
export const ENDPOINTS = ['GET /items', 'GET /items/{id}', 'POST /items', 'DELETE /items/{id}'] as const;
export const BASELINE = '1.0.0';
export const CANARY = '1.1.0';
/** Of ten requests of a service three go to the canary. */
const CANARY_OF_TEN = 3;
/** The service whose canary turns bad; all others stay well. */
export const SICK = serviceName(0);
/** Requests of one record. */
const RECORD_SPANS = 400;

export function serviceName(index: number): string {
  return `fleet-${String(index).padStart(2, '0')}`;
}

export interface Story {
  /** Epoch seconds. */
  readonly startSec: number;
  readonly seconds: number;
  readonly spansPerSecond: number;
  /** From this second of the story on one in three requests of the sick canary fails. */
  readonly sickFromSecond: number;
}

export interface SpanRecord {
  readonly service: string;
  readonly value: Buffer;
  readonly timestampMs: number;
}

export interface Tally {
  requests: number;
  failed: number;
}

/** Records of one second of the story; adds what is in them to `tallies` by `service release endpoint`. */
export function recordsOf(story: Story, second: number, tallies: Map<string, Tally>): readonly SpanRecord[] {
  const records: SpanRecord[] = [];
  const each = Math.floor(story.spansPerSecond / SERVICES);
  const startMs = (story.startSec + second) * 1000;
  for (let index = 0; index < SERVICES; index++) {
    const service = serviceName(index);
    for (let first = 0; first < each; first += RECORD_SPANS) {
      const count = Math.min(RECORD_SPANS, each - first);
      const number = (second * SERVICES + index) * each + first;
      const timestampMs = startMs + Math.floor(((first + count) / each) * 999);
      records.push({ service, timestampMs, value: record({ story, second, index, number, first, count, each, startMs }, tallies) });
    }
  }
  return records;
}

interface Part {
  readonly story: Story;
  readonly second: number;
  readonly index: number;
  readonly number: number;
  readonly first: number;
  readonly count: number;
  readonly each: number;
  readonly startMs: number;
}

function record({ story, second, index, number, first, count, each, startMs }: Part, tallies: Map<string, Tally>): Buffer {
  const service = serviceName(index);
  const spans = { [BASELINE]: [] as Buffer[], [CANARY]: [] as Buffer[] };
  for (let i = 0; i < count; i++) {
    const n = number + i;
    const release = n % 10 < CANARY_OF_TEN ? CANARY : BASELINE;
    const endpoint = Math.floor(n / 10) % ENDPOINTS.length;
    const isFailed = index === 0 && release === CANARY && second >= story.sickFromSecond && n % 3 === 0;
    const endMs = startMs + Math.floor(((first + i) / each) * 999);
    spans[release].push(span(n, endpoint, endMs, 5 + ((n * 7919) % 1000) / 10, isFailed));
    const key = `${service} ${release} ${ENDPOINTS[endpoint]}`;
    const tally = tallies.get(key) ?? { requests: 0, failed: 0 };
    tallies.set(key, tally);
    tally.requests++;
    if (isFailed) tally.failed++;
  }
  return Buffer.concat([resourceSpans(service, BASELINE, spans[BASELINE]), resourceSpans(service, CANARY, spans[CANARY])]);
}

const resources = new Map<string, Buffer>();

/** Fields 1 (resource) and 2 (scope_spans) of a ResourceSpans, itself field 1 of the request. */
function resourceSpans(service: string, release: string, spans: readonly Buffer[]): Buffer {
  const name = `${service} ${release}`;
  let resource = resources.get(name);
  if (resource === undefined) {
    const attributes = [
      { key: 'service.name', value: { stringValue: service } },
      { key: 'service.version', value: { stringValue: release } },
      { key: 'k8s.pod.name', value: { stringValue: `${service}-${release}-0` } },
    ];
    // What encodes a request with one resource and nothing else, without the two bytes of its outer field.
    resource = Buffer.from(encodeRequest({ resourceSpans: [{ resource: { attributes } }] })).subarray(2);
    resources.set(name, resource);
  }
  const scope = Buffer.concat(spans);
  return framed(0x0a, Buffer.concat([resource, framed(0x12, scope)]));
}

interface Template {
  readonly bytes: Buffer;
  readonly trace: number;
  readonly id: number;
  readonly start: number;
  readonly end: number;
}

const TRACE = new Uint8Array(16).fill(0xa1);
const ID = new Uint8Array(8).fill(0xb2);
const START = 0xc3c3c3c3c3c3c3c3n;
const END = 0xd4d4d4d4d4d4d4d4n;
const templates = new Map<string, Template>();

/** One span as field 2 of its ScopeSpans. */
function span(number: number, endpoint: number, endMs: number, durationMs: number, isFailed: boolean): Buffer {
  const { bytes, trace, id, start, end } = template(endpoint, isFailed);
  const copy = Buffer.from(bytes);
  copy.writeBigUInt64BE(BigInt(number + 1), trace + 8);
  copy.writeBigUInt64BE(BigInt(number + 1), id);
  const endNs = BigInt(endMs) * 1_000_000n;
  copy.writeBigUInt64LE(endNs - BigInt(Math.round(durationMs * 1e6)), start);
  copy.writeBigUInt64LE(endNs, end);
  return copy;
}

function template(endpoint: number, isFailed: boolean): Template {
  const key = `${endpoint} ${isFailed}`;
  const known = templates.get(key);
  if (known !== undefined) return known;
  const [method = '', route = ''] = (ENDPOINTS[endpoint] ?? '').split(' ');
  const request = Buffer.from(
    encodeRequest({
      resourceSpans: [
        {
          scopeSpans: [
            {
              spans: [
                {
                  traceId: TRACE,
                  spanId: ID,
                  kind: 2,
                  startTimeUnixNano: START,
                  endTimeUnixNano: END,
                  attributes: [
                    { key: 'http.request.method', value: { stringValue: method } },
                    { key: 'http.route', value: { stringValue: route } },
                    { key: 'http.response.status_code', value: { intValue: isFailed ? 500 : 200 } },
                  ],
                  ...(isFailed && { status: { code: 2 } }),
                },
              ],
            },
          ],
        },
      ],
    }),
  );
  const spanAt = request.indexOf(TRACE) - 2;
  const body = request.subarray(spanAt);
  const bytes = framed(0x12, body);
  const fixed = (value: bigint): number => {
    const wanted = Buffer.alloc(8);
    wanted.writeBigUInt64LE(value);
    return bytes.indexOf(wanted);
  };
  const made = { bytes, trace: bytes.indexOf(TRACE), id: bytes.indexOf(ID), start: fixed(START), end: fixed(END) };
  templates.set(key, made);
  return made;
}

/** A length-delimited field. */
function framed(tag: number, body: Buffer): Buffer {
  const length: number[] = [];
  let rest = body.length;
  for (; rest > 0x7f; rest >>>= 7) length.push((rest & 0x7f) | 0x80);
  length.push(rest);
  return Buffer.concat([Buffer.from([tag, ...length]), body]);
}
