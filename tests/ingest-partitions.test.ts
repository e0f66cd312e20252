/** Stage A over several partitions: each is counted and flushed by itself, and together they are all spans. */
import { fc, it as property } from '@fast-check/vitest';
import { describe, expect, it } from 'vitest';
import type { PartitionedIngest } from '../src/ingest/partitioned-ingest.ts';
import type { Origin, SlotDeltas } from '../src/model/slot-deltas.ts';
import { TEST_SPAN_RULES } from './support/span-rules.ts';
import { countingMember, requestOf, T0, type TestSpan, Totals } from './wire/members.ts';
import { anySpan } from './wire/span-arbitrary.ts';

const HOUR_MS = 3_600_000;

const SPAN: TestSpan = {
  service: 'shop',
  version: '1',
  pod: '',
  endpoint: 'GET /a',
  endMs: 0,
  durationMs: 5,
  hasFailed: false,
  weight: 1,
  trace: 0,
};

function consume(ingest: PartitionedIngest, partition: string, span: Partial<TestSpan> = {}): void {
  const told = { ...SPAN, ...span };
  expect(ingest.partition(partition).consume('protobuf', requestOf(told), T0 + told.endMs)).toMatchObject({
    kind: 'accepted',
    rejected: 0,
  });
}

const originOf = (source: string, sequence = 1): Origin => ({ source, epoch: 'e', sequence });
const flushOf = (ingest: PartitionedIngest, partition: string): SlotDeltas => ingest.partition(partition).flush(originOf(partition));
const counted = ({ count, size }: SlotDeltas): number[] => [...count.subarray(0, size)];

describe('a partition', () => {
  it('flushes its own spans, and leaves those of others', () => {
    const ingest = countingMember();
    consume(ingest, 'spans/0');
    consume(ingest, 'spans/1');
    consume(ingest, 'spans/1');
    const first = flushOf(ingest, 'spans/1');
    expect(first).toMatchObject({ origin: originOf('spans/1'), size: 1 });
    expect(ingest.partition('spans/0').pending).toBe(1);
    const second = flushOf(ingest, 'spans/0');
    expect([counted(first), counted(second)]).toEqual([[2], [1]]);
    expect(second.series[0]).toBe(first.series[0]);
    expect([first, second].flatMap(({ announced }) => announced).map(({ id }) => id)).toContain(first.series[0]);
  });

  it('is full after so many spans of its own', () => {
    const ingest = countingMember({ flushSpans: 2 });
    consume(ingest, 'a');
    consume(ingest, 'b');
    expect(ingest.partition('a').isFull).toBe(false);
    consume(ingest, 'a');
    expect([ingest.partition('a').isFull, ingest.partition('b').isFull]).toEqual([true, false]);
    flushOf(ingest, 'a');
    expect(ingest.partition('a').isFull).toBe(false);
  });

  it('that is dropped has forgotten its spans and how late they came, others have not', () => {
    const ingest = countingMember();
    consume(ingest, 'a', { endMs: 50_000 });
    consume(ingest, 'b');
    ingest.drop('a');
    expect(ingest.partition('a').pending).toBe(0);
    consume(ingest, 'a', { endMs: 10_000 });
    expect(flushOf(ingest, 'a').arrivals).toMatchObject([{ service: 'shop', maxEndMs: T0 + 10_000 }]);
    expect(counted(flushOf(ingest, 'b'))).toEqual([1]);
  });

  it('tells lateness by its own spans, however far the others are', () => {
    const ingest = countingMember();
    consume(ingest, 'ahead', { endMs: 60_000 });
    consume(ingest, 'behind', { endMs: 1000 });
    consume(ingest, 'behind', { endMs: 0 });
    const [arrivals] = flushOf(ingest, 'behind').arrivals;
    expect(arrivals?.maxEndMs).toBe(T0 + 1000);
    expect([...(arrivals?.releases[0]?.lateness.subarray(0, 3) ?? [])]).toEqual([1, 1, 0]);
  });

  it('refuses a malformed request whole, and the next one is counted', () => {
    const ingest = countingMember();
    const cut = requestOf(SPAN).subarray(0, -3);
    expect(ingest.partition('a').consume('protobuf', cut, T0).kind).toBe('malformed');
    consume(ingest, 'a');
    expect(counted(flushOf(ingest, 'a'))).toEqual([1]);
  });
});

describe('partitions together', () => {
  property.prop([fc.array(fc.record({ span: anySpan, partition: fc.nat(3), flushes: fc.boolean() }), { maxLength: 60 })], { numRuns: 60 })(
    'count what one would have counted',
    (arrivals) => {
      const [apart, whole] = [countingMember({ pods: 'lanes' }), countingMember({ pods: 'lanes' })];
      const [parts, all] = [new Totals(), new Totals()];
      for (const { span, partition, flushes } of arrivals) {
        whole.partition('all').consume('protobuf', requestOf(span), T0 + 100_000);
        apart.partition(`${partition}`).consume('protobuf', requestOf(span), T0 + 100_000);
        if (flushes) parts.add(flushOf(apart, `${partition}`));
      }
      for (const partition of ['3', '2', '1', '0']) parts.add(flushOf(apart, partition));
      all.add(flushOf(whole, 'all'));
      expect(parts.sorted()).toEqual(all.sorted());
      expect([...apart.dispositions]).toEqual([...whole.dispositions]);
    },
  );

  it('take new rules at once, all of them', () => {
    const ingest = countingMember();
    consume(ingest, 'a');
    ingest.reconfigure({ ...TEST_SPAN_RULES, kinds: ['client'] });
    for (const partition of ['a', 'b']) ingest.partition(partition).consume('protobuf', requestOf(SPAN), T0);
    expect([ingest.partition('a').pending, ingest.partition('b').pending]).toEqual([1, 0]);
  });

  it('count what is beyond the quotas of series, also what a partition had that was dropped', () => {
    const ingest = countingMember({
      series: { maxTotal: 9, maxReleasesPerService: 9, maxSeriesOf: () => 1, thresholdsOf: () => [], isReserved: () => false },
    });
    for (const partition of ['a', 'b']) {
      for (const endpoint of ['x', 'y']) consume(ingest, partition, { endpoint });
      flushOf(ingest, partition);
    }
    expect(ingest.overflowSpans).toBe(2);
    ingest.drop('a');
    expect(ingest.overflowSpans).toBe(2);
  });
});

describe('series without spans for six hours', () => {
  const idsOf = ({ series, size }: SlotDeltas): number[] => [...series.subarray(0, size)];

  it('give their places up', () => {
    const ingest = countingMember();
    consume(ingest, 'a');
    const [before] = idsOf(flushOf(ingest, 'a'));
    consume(ingest, 'a', { endpoint: 'GET /b', endMs: 7 * HOUR_MS });
    flushOf(ingest, 'a');
    consume(ingest, 'a', { endMs: 7 * HOUR_MS });
    expect(idsOf(flushOf(ingest, 'a'))).not.toContain(before);
  });

  it('keep them while a partition that is hours behind has spans of them', () => {
    const ingest = countingMember();
    consume(ingest, 'behind');
    const [before] = idsOf(flushOf(ingest, 'behind'));
    for (let hour = 10; hour < 14; hour++) {
      consume(ingest, 'ahead', { endpoint: 'GET /b', endMs: hour * HOUR_MS });
      flushOf(ingest, 'ahead');
      consume(ingest, 'behind', { endMs: hour * 1000 });
      expect(idsOf(flushOf(ingest, 'behind'))).toEqual([before]);
    }
  });

  it('let the pods of an idle release go, so that seats are those of the pods that sit there', () => {
    const ingest = countingMember();
    for (const pod of ['p', 'q']) consume(ingest, 'a', { version: 'old', pod });
    flushOf(ingest, 'a');
    consume(ingest, 'a', { endMs: 7 * HOUR_MS });
    flushOf(ingest, 'a');
    consume(ingest, 'a', { version: 'old', pod: 'q', endMs: 7 * HOUR_MS });
    const deltas = flushOf(ingest, 'a');
    expect(ingest.names.podsOf(deltas.series[0] ?? -1)).toHaveLength(1);
  });
});
