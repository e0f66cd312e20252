/** OTLP requests that the watchdog makes up: a second of a small service whose releases serve alike, but that one of them may fail. */
import { Buffer } from 'node:buffer';
import type { EpochMs } from '../../model/time.ts';

export const STORY_SERVICE = 'slipstream-watchdog';
/** The attribute that tells its releases apart, and their names. */
export const STORY_RELEASE_BY = 'service.version';
export const STORY_BASELINE = 'baseline';
export const STORY_CANARY = 'canary';

/** Of each release. */
const PODS = 2;
/** Requests of a pod in a second; those at even places are slow ones. */
const PER_POD = 10;
/** Of the requests of a release in a second. */
export const PER_RELEASE = PODS * PER_POD;
/** Every other request of a canary that is made bad fails. */
export const FAILED_PER_RELEASE = PER_RELEASE / 2;

const SHORT_NS = 20_000_000n;
const LONG_NS = 30_000_000n;
const NS_PER_MS = 1_000_000n;

/**
 * All requests that ended in the second that begins at `fromMs`, as an ExportTraceServiceRequest. Fields by opentelemetry-proto 1.11: resource_spans 1
 * (resource 1, scope_spans 2 (spans 2)); span: trace_id 1, span_id 2, name 5, kind 6, start 7 and end 8 in ns, attributes 9, status 15 (code 3).
 */
export function storySecond(fromMs: EpochMs, canary: 'bad' | 'healthy'): Uint8Array {
  const resources: Buffer[] = [];
  for (const release of [STORY_BASELINE, STORY_CANARY]) {
    for (let pod = 0; pod < PODS; pod++) {
      const isBad = release === STORY_CANARY && canary === 'bad';
      const spans = Array.from({ length: PER_POD }, (_, place) => {
        // Both releases at the same moments, and no two requests of one release at once.
        const endNs = BigInt(fromMs) * NS_PER_MS + BigInt(Math.round(((place * PODS + pod) * 1000) / PER_RELEASE)) * NS_PER_MS;
        return field(2, span({ endNs, isLong: place % 2 === 0, failed: isBad && (place + pod) % 2 === 0, id: place * PODS + pod + 1 }));
      });
      const attributes = {
        'service.name': STORY_SERVICE,
        [STORY_RELEASE_BY]: release,
        'service.instance.id': `${release}-${pod}`,
      };
      const resource = Buffer.concat(Object.entries(attributes).map(([key, value]) => field(1, attribute(key, value))));
      resources.push(field(1, field(1, resource), field(2, ...spans)));
    }
  }
  return Buffer.concat(resources);
}

interface StorySpan {
  readonly endNs: bigint;
  readonly isLong: boolean;
  readonly failed: boolean;
  /** Not 0. */
  readonly id: number;
}

const SERVER = 2;
const STATUS_ERROR = 2;

function span({ endNs, isLong, failed, id }: StorySpan): Buffer {
  const traceId = Buffer.alloc(16);
  traceId.writeUInt32BE(id, 12);
  const times = Buffer.alloc(18);
  times[0] = (7 << 3) | 1;
  times.writeBigUInt64LE(endNs - (isLong ? LONG_NS : SHORT_NS), 1);
  times[9] = (8 << 3) | 1;
  times.writeBigUInt64LE(endNs, 10);
  return Buffer.concat([
    field(1, traceId),
    field(2, traceId.subarray(8)),
    field(5, NAME),
    Buffer.of(6 << 3, SERVER),
    times,
    ROUTE,
    ...(failed ? [field(15, Buffer.of(3 << 3, STATUS_ERROR))] : []),
  ]);
}

const NAME = Buffer.from('GET /story');
const ROUTE = Buffer.concat([field(9, attribute('http.request.method', 'GET')), field(9, attribute('http.route', '/story'))]);

/** A KeyValue: key 1, value 2 (string_value 1). */
function attribute(key: string, value: string): Buffer {
  return Buffer.concat([field(1, Buffer.from(key)), field(2, field(1, Buffer.from(value)))]);
}

/** A field with its length before it. */
function field(number: number, ...content: readonly Buffer[]): Buffer {
  const length = content.reduce((sum, part) => sum + part.length, 0);
  return Buffer.concat([Buffer.of((number << 3) | 2), varint(length), ...content]);
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  for (let rest = value; ; rest >>>= 7) {
    if (rest < 0x80) return Buffer.of(...bytes, rest);
    bytes.push((rest & 0x7f) | 0x80);
  }
}
