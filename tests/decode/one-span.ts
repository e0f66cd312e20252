/** Decodes a request of one span and shows what became of it. */
import { SpanDecoder } from '../../src/decode/decoder.ts';
import {
  FLAG_FAILED,
  FLAG_NO_LATENCY,
  ObservationBatch,
  SPAN_DISPOSITIONS,
  type SpanDisposition,
} from '../../src/model/observation-batch.ts';
import type { ResourceIdentity } from '../../src/model/series.ts';
import type { SpanRules } from '../../src/model/span-rules.ts';
import { MapInterner } from '../support/map-interner.ts';
import { jsonRequest } from '../support/otlp-json.ts';
import { encodeRequest, type KeyValueInput, type SpanInput } from '../support/otlp-proto.ts';
import { TEST_SPAN_RULES } from '../support/span-rules.ts';

export const NOW_MS = 1_790_000_000_000;
const NOW_NS = BigInt(NOW_MS) * 1_000_000n;
export const SERVER = 2;
export const CLIENT = 3;
export const CONSUMER = 5;

export type Scalar = string | number | boolean;

/** Attributes as OTLP writes them. */
export function attributesOf(values: Readonly<Record<string, Scalar>>): KeyValueInput[] {
  return Object.entries(values).map(([key, value]) => ({ key, value: anyValue(value) }));
}

function anyValue(value: Scalar): NonNullable<KeyValueInput['value']> {
  if (typeof value === 'string') return { stringValue: value };
  if (typeof value === 'boolean') return { boolValue: value };
  return Number.isInteger(value) ? { intValue: value } : { doubleValue: value };
}

export interface Seen {
  /** `kind:name`, null where there is no row. */
  readonly endpoint: string | null;
  readonly identity: ResourceIdentity | null;
  readonly failed: boolean;
  readonly timed: boolean;
  readonly durationNs: number;
  readonly endMs: number;
  readonly weight: number;
  readonly dispositions: readonly SpanDisposition[];
  readonly missingServiceName: number;
  readonly pod: string;
  /** Hex, null where there is none. */
  readonly traceId: string | null;
  /** Bits of the event rules that the span is valid and bad for. */
  readonly valid: number;
  readonly bad: number;
}

export interface SpanCase {
  readonly span?: SpanInput;
  readonly attributes?: Readonly<Record<string, Scalar>>;
  readonly resource?: Readonly<Record<string, Scalar>>;
  readonly rules?: Partial<SpanRules>;
}

/** A SERVER span that took 1 ms and ended now, with what `given` says otherwise; both encodings must agree. */
export function seenOf(given: SpanCase): Seen {
  const span: SpanInput = { name: 'op', kind: SERVER, startTimeUnixNano: NOW_NS - 1_000_000n, endTimeUnixNano: NOW_NS, ...given.span };
  const attributes = attributesOf(given.attributes ?? {});
  const request = {
    resourceSpans: [
      {
        resource: { attributes: attributesOf(given.resource ?? { 'service.name': 'shop' }) },
        scopeSpans: [{ spans: [{ ...span, attributes: [...(span.attributes ?? []), ...attributes] }] }],
      },
    ],
  };
  const rules = { ...TEST_SPAN_RULES, ...given.rules };
  const seen = decodeOne('protobuf', encodeRequest(request), rules);
  const asJson = decodeOne('json', jsonRequest(request), rules);
  if (JSON.stringify(seen) !== JSON.stringify(asJson)) throw new Error(`the encodings differ: ${JSON.stringify([seen, asJson])}`);
  return seen;
}

function decodeOne(encoding: 'protobuf' | 'json', bytes: Uint8Array, rules: SpanRules): Seen {
  const interner = new MapInterner();
  const decoder = new SpanDecoder(rules, interner);
  const batch = new ObservationBatch(1);
  const error = decoder.decode(encoding, bytes, NOW_MS, batch);
  if (error !== null) throw new Error(`${error.field} at ${error.offset}: ${error.message}`);
  const series = batch.size === 1 ? interner.list[batch.series[0] as number] : undefined;
  const flags = batch.flags[0] as number;
  return {
    endpoint: series === undefined ? null : `${series.kind}:${interner.nameOf(batch.series[0] as number)}`,
    identity: series?.identity ?? null,
    failed: (flags & FLAG_FAILED) !== 0,
    timed: (flags & FLAG_NO_LATENCY) === 0,
    durationNs: batch.durationNs[0] as number,
    endMs: batch.endMs[0] as number,
    weight: batch.weight[0] as number,
    dispositions: SPAN_DISPOSITIONS.filter((_, i) => (batch.dispositions[i] as number) > 0),
    missingServiceName: decoder.missingServiceName,
    pod: interner.pods[0]?.[(batch.lane[0] as number) - 1] ?? '',
    traceId: batch.size === 1 ? traceOf(batch, 0) : null,
    valid: batch.size === 1 ? (batch.validMask[0] as number) : 0,
    bad: batch.size === 1 ? (batch.badMask[0] as number) : 0,
  };
}

/** The trace id of a row in hex; null where it has none. */
export function traceOf(batch: ObservationBatch, row: number): string | null {
  const at = batch.traceAt[row] as number;
  return at < 0 ? null : Buffer.from(batch.traceBytes.subarray(at, at + 16)).toString('hex');
}
