/** Counts that went over the wire are those that were counted, however spans are shared out over members, partitions and flushes. */
import { fc, it as property } from '@fast-check/vitest';
import { describe, expect, it } from 'vitest';
import { LANES } from '../../src/model/lane.ts';
import { NAMED_SEATS } from '../../src/model/pod-lanes.ts';
import type { SlotDeltas } from '../../src/model/slot-deltas.ts';
import { SlidingWindow } from '../../src/window/sliding-window.ts';
import { DeltaReader } from '../../src/wire/delta-reader.ts';
import { encodeDeltas } from '../../src/wire/encode-deltas.ts';
import { isWireError, wireErrorText } from '../../src/wire/wire-error.ts';
import { countingMember, LANE_CELLS, LAYOUT, nameOf, requestOf, T0, type TestSpan, Totals } from './members.ts';
import { anySpan } from './span-arbitrary.ts';

const NOW = T0 + 100_000;

function readOrFail(reader: DeltaReader, bytes: Uint8Array): SlotDeltas {
  const read = reader.read(bytes);
  if (isWireError(read)) throw new Error(wireErrorText(read));
  return read;
}

/** A span, the partition it comes in, and whether that one is flushed after it. */
const arrival = fc.record({ span: anySpan, partition: fc.nat(4), flushes: fc.boolean() });

/** Records of two members, that of partition p being p % 2, in the order of flushes. */
function recordsOf(arrivals: readonly { span: TestSpan; partition: number; flushes: boolean }[]): Uint8Array[] {
  const members = [countingMember(), countingMember()] as const;
  const records: Uint8Array[] = [];
  const offsets = [0, 0, 0, 0, 0];
  const flush = (partition: number): void => {
    const member = members[partition % 2 === 0 ? 0 : 1];
    const origin = { source: `spans/${partition}`, epoch: 'e', sequence: offsets[partition] ?? 0 };
    const deltas = member.partition(origin.source).flush(origin);
    records.push(...encodeDeltas(deltas, member.names).map(({ bytes }) => bytes));
  };
  for (const { span, partition, flushes } of arrivals) {
    const member = members[partition % 2 === 0 ? 0 : 1];
    expect(member.partition(`spans/${partition}`).consume('protobuf', requestOf(span), NOW).kind).toBe('accepted');
    offsets[partition] = (offsets[partition] ?? 0) + 1;
    if (flushes) flush(partition);
  }
  for (const partition of offsets.keys()) flush(partition);
  return records;
}

function directTotals(spans: readonly TestSpan[]): Totals {
  const direct = countingMember({ pods: 'lanes' });
  for (const span of spans) direct.partition('all').consume('protobuf', requestOf(span), NOW);
  const totals = new Totals();
  totals.add(direct.partition('all').flush({ source: 'all', epoch: '1', sequence: 1 }));
  return totals;
}

describe('counts from several members', () => {
  property.prop([fc.array(arrival, { maxLength: 60 })], { numRuns: 60 })('are those of one that counts all spans', (arrivals) => {
    const reader = new DeltaReader({ layout: LAYOUT });
    const totals = new Totals();
    for (const bytes of recordsOf(arrivals)) totals.add(readOrFail(reader, bytes));
    expect(totals.sorted()).toEqual(directTotals(arrivals.map(({ span }) => span)).sorted());
  });

  property.prop([fc.array(arrival, { maxLength: 40 }), fc.infiniteStream(fc.nat())], { numRuns: 30 })(
    'are the same in whatever order the records of different flushes are read, and rows are in the order that is promised',
    (arrivals, random) => {
      const records = recordsOf(arrivals)
        .map((bytes) => ({ bytes, key: random.next().value as number }))
        .sort((a, b) => a.key - b.key);
      const reader = new DeltaReader({ layout: LAYOUT });
      const totals = new Totals();
      for (const { bytes } of records) {
        const deltas = readOrFail(reader, bytes);
        expectPromised(deltas);
        totals.add(deltas);
      }
      expect(totals.sorted()).toEqual(directTotals(arrivals.map(({ span }) => span)).sorted());
    },
  );

  property.prop([fc.array(arrival, { minLength: 1, maxLength: 30 })], { numRuns: 20 })(
    'are counted once when every record is read twice',
    (arrivals) => {
      const reader = new DeltaReader({ layout: LAYOUT });
      const window = new SlidingWindow({ layout: LAYOUT });
      for (const bytes of recordsOf(arrivals)) {
        expect(window.merge(readOrFail(reader, bytes)).duplicate).toBe(false);
        expect(window.merge(readOrFail(reader, bytes)).duplicate).toBe(true);
      }
    },
  );

  it('take the place that the log gives them as their origin', () => {
    const reader = new DeltaReader({ layout: LAYOUT });
    const [bytes = new Uint8Array(0)] = recordsOf([{ span: SPAN, partition: 0, flushes: false }]);
    const origin = { source: 'deltas/3', epoch: '1', sequence: 8 };
    expect(reader.read(bytes, origin)).toMatchObject({ origin, size: 1 });
    expect(reader.read(bytes)).toMatchObject({ origin: { source: 'spans/0 shop', epoch: 'e', sequence: 1 } });
  });
});

const SPAN: TestSpan = {
  service: 'shop',
  version: '1',
  pod: '',
  endpoint: 'GET /a',
  endMs: 1,
  durationMs: 5,
  hasFailed: false,
  weight: 1,
  trace: 0,
};

describe('one flush', () => {
  property.prop([fc.array(anySpan, { maxLength: 40 })], { numRuns: 60 })(
    'is the same on both sides in every column, with traces and lateness',
    (spans) => {
      const member = countingMember();
      for (const span of spans) member.partition('a').consume('protobuf', requestOf({ ...span, pod: '' }), NOW);
      const deltas = member.partition('a').flush({ source: 'a', epoch: '1', sequence: 1 });
      const reader = new DeltaReader({ layout: LAYOUT });
      const read = encodeDeltas(deltas, member.names).map(({ bytes }) => copied(readOrFail(reader, bytes)));
      const infos = read.flatMap(({ announced }) => announced);
      const nameOfRead = (id: number) =>
        infos
          .filter((info) => info.id === id)
          .map(nameOf)
          .join();
      const nameOfSent = (id: number) => nameOf(member.names.info(id));
      expect(read.flatMap((part) => rowsOf(part, nameOfRead)).sort()).toEqual(rowsOf(deltas, nameOfSent).sort());
      expect(read.flatMap(({ arrivals }) => arrivals).sort(byService)).toEqual([...deltas.arrivals].sort(byService));
    },
  );

  it('has no record when there is nothing in it', () => {
    const member = countingMember();
    expect(encodeDeltas(member.partition('a').flush({ source: 'a', epoch: '1', sequence: 1 }), member.names)).toEqual([]);
  });

  it('has one record for each service, with the name of the service as its key', () => {
    const member = countingMember();
    for (const service of ['shop', 'cart', 'shop']) member.partition('a').consume('protobuf', requestOf({ ...SPAN, service }), NOW);
    const records = encodeDeltas(member.partition('a').flush({ source: 'a', epoch: '1', sequence: 1 }), member.names);
    expect(records.map(({ service }) => service)).toEqual(['shop', 'cart']);
  });

  it('cannot be encoded when its pods are numbered by lanes, which several may share', () => {
    const member = countingMember({ pods: 'lanes' });
    member.partition('a').consume('protobuf', requestOf(SPAN), NOW);
    const deltas = member.partition('a').flush({ source: 'a', epoch: '1', sequence: 1 });
    expect(() => encodeDeltas(deltas, member.names)).toThrow('seats');
  });
});

describe('the pods of a release', () => {
  /** Pod p has spans of a duration of its own, so that its lane shows. */
  const podSpan = (pod: number): TestSpan => ({ ...SPAN, pod: `pod-${pod}`, durationMs: 1 + pod });
  const cellOfPod = (pod: number): number => LAYOUT.index((1 + pod) * 1000) * 2;

  it.each([1, 3, LANES, LANES + 1, 40])('are each in one lane, whichever member heard them first: %i pods', (pods) => {
    const arrivals = [0, 1, 2].flatMap((round) =>
      Array.from({ length: pods }, (_, i) => {
        const pod = round === 1 ? pods - 1 - i : i;
        return { span: podSpan(pod), partition: round % 2, flushes: i % 4 === 3 };
      }),
    );
    const reader = new DeltaReader({ layout: LAYOUT });
    const totals = new Totals();
    for (const bytes of recordsOf(arrivals)) totals.add(readOrFail(reader, bytes));
    const lanes = Array.from({ length: pods }, (_, pod) => [...(totals.lanes.get(cellOfPod(pod)) ?? [])]);
    expect(lanes.every((of) => of.length === 1)).toBe(true);
    expect(new Set(lanes.flat()).size).toBe(Math.min(pods, LANES));
  });

  it('are in lanes by name beyond those that a member tells apart', () => {
    const pods = NAMED_SEATS + 20;
    const member = countingMember();
    for (let pod = 0; pod < pods; pod++) member.partition('a').consume('protobuf', requestOf({ ...SPAN, pod: `pod-${pod}` }), NOW);
    const [record] = encodeDeltas(member.partition('a').flush({ source: 'a', epoch: '1', sequence: 1 }), member.names);
    const deltas = readOrFail(new DeltaReader({ layout: LAYOUT }), record?.bytes ?? new Uint8Array(0));
    expectPromised(deltas);
    const cells = [...deltas.cells.subarray(0, deltas.cellStart[1])];
    expect(cells.map((cell) => Math.floor(cell / LANE_CELLS))).toEqual(Array.from({ length: LANES }, (_, i) => i + 1));
    expect(deltas.cellCounts.subarray(0, LANES).reduce((sum, count) => sum + count, 0)).toBe(pods);
  });

  it('keep their lanes over a restart of the reader, whichever is heard first then', () => {
    const records = (order: readonly number[]) => recordsOf(order.map((pod) => ({ span: podSpan(pod), partition: 0, flushes: true })));
    const before = new DeltaReader({ layout: LAYOUT });
    const totals = new Totals();
    const known = records([0, 1, 2, 3, 4]).flatMap((bytes) => {
      const deltas = readOrFail(before, bytes);
      totals.add(deltas);
      return deltas.announced;
    });
    const notes = before.notes();
    expect(notes.map(({ key }) => key)).toEqual(['pods/shop']);
    expect(before.notes()).toEqual([]);
    const after = new DeltaReader({ layout: LAYOUT, known, notes: JSON.parse(JSON.stringify(notes)) });
    for (const bytes of records([4, 3, 2, 1, 0])) totals.add(readOrFail(after, bytes));
    expect([0, 1, 2, 3, 4].map((pod) => [...(totals.lanes.get(cellOfPod(pod)) ?? [])])).toEqual([[1], [2], [3], [4], [5]]);
    expect(after.notes()).toEqual([]);
  });
});

/** Rows ascending by slot then series without duplicates, cells ascending without duplicates and of as many spans as had a latency. */
function expectPromised(deltas: SlotDeltas): void {
  const keys = Array.from({ length: deltas.size }, (_, r) => (deltas.slot[r] as number) * 1e6 + (deltas.series[r] as number));
  expect(keys).toEqual([...new Set(keys)].sort((a, b) => a - b));
  for (let r = 0; r < deltas.size; r++) {
    const cells = [...deltas.cells.subarray(deltas.cellStart[r], deltas.cellStart[r + 1])];
    expect(cells).toEqual([...new Set(cells)].sort((a, b) => a - b));
    const counts = deltas.cellCounts.subarray(deltas.cellStart[r], deltas.cellStart[r + 1]);
    expect(counts.reduce((sum, count) => sum + count, 0)).toBe(deltas.timed[r]);
  }
}

function copied(deltas: SlotDeltas): SlotDeltas {
  return structuredClone(deltas);
}

function rowsOf(deltas: SlotDeltas, name: (id: number) => string): string[] {
  return Array.from({ length: deltas.size }, (_, r) => {
    const slow = [deltas.slowStart[r] as number, deltas.slowStart[r + 1] as number] as const;
    const cell = [deltas.cellStart[r] as number, deltas.cellStart[r + 1] as number] as const;
    const trace = [r * 16, r * 16 + 16] as const;
    return JSON.stringify([
      name(deltas.series[r] as number),
      [deltas.slot[r], deltas.count[r], deltas.failed[r], deltas.timed[r]],
      [deltas.weight[r], deltas.failedWeight[r], deltas.timedWeight[r], deltas.slowestNs[r], deltas.failedNs[r]],
      [...deltas.slowestTrace.subarray(...trace)],
      [...deltas.failedTrace.subarray(...trace)],
      [...deltas.slow.subarray(...slow)],
      [...deltas.slowWeight.subarray(...slow)],
      [...deltas.cells.subarray(...cell)],
      [...deltas.cellCounts.subarray(...cell)],
    ]);
  });
}

function byService(a: { readonly service: string }, b: { readonly service: string }): number {
  return a.service < b.service ? -1 : 1;
}
