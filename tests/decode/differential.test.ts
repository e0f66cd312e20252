/** The decoder against protobufjs and a plain second writing of the rules: same spans or same refusal, whatever the bytes. */
import { isDeepStrictEqual } from 'node:util';
import { describe, expect, it } from 'vitest';
import { SpanDecoder } from '../../src/decode/decoder.ts';
import { ObservationBatch, SPAN_DISPOSITIONS } from '../../src/model/observation-batch.ts';
import type { SpanRules } from '../../src/model/span-rules.ts';
import { seededRandom } from '../demo/random.ts';
import { MapInterner } from '../support/map-interner.ts';
import { TEST_SPAN_RULES } from '../support/span-rules.ts';
import { traceOf } from './one-span.ts';
import { damaged, randomRequest } from './random-request.ts';
import { type ReferenceResult, referenceDecode } from './reference.ts';

const NOW_MS = 1_790_000_000_000;
const DAMAGED_PER_REQUEST = 20;

const STRICT: SpanRules = {
  ...TEST_SPAN_RULES,
  kinds: ['server', 'consumer', 'client', 'internal'],
  exclude: new Map([
    ['*', [{ 'user_agent.synthetic.type': ['bot'] }, { probe: ['yes', 'true'], 'http.route': ['*'] }]],
    ['shop/cart', [{ 'http.response.status_code': ['404'] }]],
  ]),
  releaseBy: ['k8s.pod.label.track', 'service.version', 'deployment.environment.name'],
  statusTreatment: new Map([
    ['429', 'bad'],
    ['499', 'ignored'],
    ['CANCELLED', 'ignored'],
    ['503', 'good'],
    ['UNKNOWN', 'good'],
  ]),
  limits: { spansPerRequest: 4, attributesPerSpan: 4, depth: 4, nameBytes: 20 },
};

interface Tally {
  refused: number;
  accepted: number;
  rows: number;
}

/** Decodes with both; throws with the bytes in hex where they differ. */
function compareAll(rules: SpanRules, seed: number, requests: number): Tally {
  const random = seededRandom(seed);
  const interner = new MapInterner();
  const decoder = new SpanDecoder(rules, interner, seed);
  const batch = new ObservationBatch(8);
  const tally = { refused: 0, accepted: 0, rows: 0 };
  for (let r = 0; r < requests; r++) {
    const request = randomRequest(random, NOW_MS);
    for (let d = 0; d < DAMAGED_PER_REQUEST; d++) {
      const bytes = d === 0 ? request : damaged(random, request);
      const expected = referenceDecode(bytes, rules, NOW_MS);
      const error = decoder.decode('protobuf', bytes, NOW_MS, batch);
      const found = error === null ? resultOf(batch, interner) : null;
      if (!isDeepStrictEqual(found, expected)) {
        expect({ bytes: Buffer.from(bytes).toString('hex'), error, result: found }).toEqual({
          bytes: Buffer.from(bytes).toString('hex'),
          error: null,
          result: expected,
        });
      }
      if (error !== null) {
        if (error.offset < 0 || error.offset > bytes.length || batch.size !== 0)
          throw new Error(`misplaced fault ${JSON.stringify(error)}`);
        tally.refused++;
      } else tally.accepted++;
      tally.rows += batch.size;
    }
  }
  return tally;
}

function resultOf(batch: ObservationBatch, interner: MapInterner): ReferenceResult {
  const rows = Array.from({ length: batch.size }, (_, row) => {
    const series = interner.list[batch.series[row] as number];
    if (series === undefined) throw new Error('a row of no series');
    return {
      service: series.identity.service,
      pod: interner.pods[series.resource]?.[(batch.lane[row] as number) - 1] ?? '',
      release: [...series.identity.releaseAttributes].map(([key, value]) => `${key}=${value}`).join(';'),
      endpoint: `${series.kind}:${series.name}`,
      endMs: batch.endMs[row] as number,
      durationNs: batch.durationNs[row] as number,
      flags: batch.flags[row] as number,
      weight: batch.weight[row] as number,
      traceId: traceOf(batch, row),
    };
  });
  const dispositions: Record<string, number> = {};
  SPAN_DISPOSITIONS.forEach((name, i) => {
    if ((batch.dispositions[i] as number) > 0) dispositions[name] = batch.dispositions[i] as number;
  });
  return { rows, dispositions };
}

describe('decoding what protobufjs decodes', () => {
  it.each([
    { name: 'with usual rules', rules: TEST_SPAN_RULES, seed: 1 },
    { name: 'with exclusions, treatments and small limits', rules: STRICT, seed: 2 },
  ])('gives the same spans or the same refusal $name', ({ rules, seed }) => {
    const tally = compareAll(rules, seed, 2600);
    expect(tally.refused + tally.accepted).toBeGreaterThanOrEqual(50_000);
    expect(tally.refused).toBeGreaterThan(5000);
    expect(tally.rows).toBeGreaterThan(10_000);
  });
});
