/** The second pass agrees with the first about what is broken. */
import { describe, expect, it } from 'vitest';
import { SpanDecoder } from '../../src/decode/decoder.ts';
import { locateFault } from '../../src/decode/protobuf-fault.ts';
import { ResourceIdentities } from '../../src/decode/resource-identity.ts';
import { SpanSlots } from '../../src/decode/span-slots.ts';
import { ObservationBatch } from '../../src/model/observation-batch.ts';
import { SPAN_KINDS } from '../../src/model/span-rules.ts';
import { seededRandom } from '../demo/random.ts';
import { MapInterner } from '../support/map-interner.ts';
import { TEST_SPAN_RULES } from '../support/span-rules.ts';
import { damaged, randomRequest } from './random-request.ts';

const NOW_MS = 1_790_000_000_000;
const RULES = { ...TEST_SPAN_RULES, limits: { ...TEST_SPAN_RULES.limits, spansPerRequest: 5, attributesPerSpan: 5 } };
const PATH =
  /^(request|resourceSpans\[\d+\](\.resource(\.attributes\[\d+\](\.(key|value))?)?|\.scopeSpans\[\d+\](\.spans\[\d+\](\.\w+(\[\d+\])?(\.\w+)?)?)?)?)$/;

describe('locating a fault', () => {
  it('finds one exactly where decoding finds one, with a path of the schema', () => {
    const random = seededRandom(17);
    const slots = new SpanSlots([]);
    const scope = {
      limits: RULES.limits,
      isWantedKind: (kind: number) => RULES.kinds.includes(SPAN_KINDS[kind] ?? 'unspecified'),
      spanWords: slots.words,
      resourceWords: new ResourceIdentities(RULES, (attribute) => slots.slotOf(attribute)).words,
    };
    const decoder = new SpanDecoder(RULES, new MapInterner());
    const batch = new ObservationBatch();
    const paths = new Set<string>();
    for (let i = 0; i < 8000; i++) {
      const bytes = damaged(random, randomRequest(random, NOW_MS));
      const error = decoder.decode('protobuf', bytes, NOW_MS, batch);
      expect(locateFault(bytes, scope)).toEqual(error);
      if (error === null) continue;
      expect(error.field).toMatch(PATH);
      paths.add(error.field.replaceAll(/\d+/g, ''));
    }
    expect(paths.size).toBeGreaterThan(10);
  });
});
