import { fc, it as property } from '@fast-check/vitest';
import { describe, expect, it } from 'vitest';
import { Aggregator } from '../../src/aggregate/aggregator.ts';
import { SeriesTable } from '../../src/aggregate/series-table.ts';
import { HistogramLayout } from '../../src/model/histogram-layout.ts';
import { LANES } from '../../src/model/lane.ts';
import { FLAG_FAILED, FLAG_NO_LATENCY, ObservationBatch } from '../../src/model/observation-batch.ts';
import { cellLanes, cellOf, LATENESS_BINS, type SlotDeltas, TRACE_BYTES } from '../../src/model/slot-deltas.ts';

const T0 = 1_800_000_000_000;
const LAYOUT = new HistogramLayout();
const THRESHOLDS = [100_000_000, 300_000_001];

interface Row {
  readonly series: number;
  readonly endMs: number;
  readonly durationNs: number;
  readonly flags: number;
  readonly weight: number;
  readonly lane: number;
  /** Last byte of the trace id; 0 for none. */
  readonly trace: number;
}

function stageA(options: { capacity?: number; series?: number } = {}) {
  const table = new SeriesTable({
    maxTotal: 1000,
    maxReleasesPerService: 3,
    maxSeriesOf: () => options.series ?? 1000,
    thresholdsOf: (_, endpoint) => (endpoint.startsWith('slo') ? THRESHOLDS : []),
    isReserved: () => false,
  });
  const aggregator = new Aggregator(table, LAYOUT, { source: 'a', epoch: 'e', capacity: options.capacity ?? 1000 });
  return { table, aggregator };
}

function seriesNamed(table: SeriesTable, service: string, name: string, version?: string): number {
  const bytes = new TextEncoder().encode(name);
  const resource = table.resource({ service, releaseAttributes: new Map(version === undefined ? [] : [['service.version', version]]) });
  return table.series(resource, 0, bytes, 0, bytes.length, 0, bytes, 0, 0);
}

function batchOf(rows: readonly Row[]): ObservationBatch {
  const batch = new ObservationBatch(4);
  batch.traceBytes = new Uint8Array(rows.length * TRACE_BYTES);
  for (const [i, row] of rows.entries()) {
    batch.traceBytes[(i + 1) * TRACE_BYTES - 1] = row.trace;
    batch.add(row.series, row.endMs, row.durationNs, row.flags, row.weight, row.lane, row.trace === 0 ? -1 : i * TRACE_BYTES);
  }
  return batch;
}

const row = (series: number, endMs: number, rest: Partial<Row> = {}): Row => ({
  series,
  endMs,
  durationNs: 1000,
  flags: 0,
  weight: 1,
  lane: 0,
  trace: 0,
  ...rest,
});

/** Rows of a flush as plain objects. */
function rowsOf(deltas: SlotDeltas) {
  return Array.from({ length: deltas.size }, (_, r) => ({
    series: deltas.series[r],
    slot: deltas.slot[r],
    count: deltas.count[r],
    failed: deltas.failed[r],
    timed: deltas.timed[r],
    weight: deltas.weight[r],
    failedWeight: deltas.failedWeight[r],
    timedWeight: deltas.timedWeight[r],
    slowest: [deltas.slowestNs[r], deltas.slowestTrace[(r + 1) * TRACE_BYTES - 1]],
    lastFailed: [deltas.failedNs[r], deltas.failedTrace[(r + 1) * TRACE_BYTES - 1]],
    slow: [...deltas.slow.slice(deltas.slowStart[r], deltas.slowStart[r + 1])],
    slowWeight: [...deltas.slowWeight.slice(deltas.slowStart[r], deltas.slowStart[r + 1])],
    cells: [...deltas.cells.slice(deltas.cellStart[r], deltas.cellStart[r + 1])],
    cellCounts: [...deltas.cellCounts.slice(deltas.cellStart[r], deltas.cellStart[r + 1])],
  }));
}

/** Arrivals of a flush, of each release the bins that are not empty. */
function arrivalsOf({ arrivals }: SlotDeltas) {
  return arrivals.map(({ service, maxEndMs, releases }) => ({
    service,
    maxEndMs,
    releases: releases.map(({ lateness }) => Object.fromEntries([...lateness.entries()].filter(([, count]) => count > 0))),
  }));
}

/** The same, counted one by one. */
function recount(rows: readonly Row[], thresholdsOf: (series: number) => readonly number[]) {
  const groups = Map.groupBy(rows, ({ series, endMs }) => `${Math.floor(endMs / 1000)} ${series}`);
  const sum = (list: readonly Row[]) => list.reduce((total, { weight }) => total + weight, 0);
  return [...groups.values()]
    .map((group) => {
      const first = group[0] as Row;
      const failed = group.filter(({ flags }) => (flags & FLAG_FAILED) !== 0);
      const timed = group.filter(({ flags }) => (flags & FLAG_NO_LATENCY) === 0);
      const slow = thresholdsOf(first.series).map((limit) => timed.filter(({ durationNs }) => durationNs > limit));
      const cells = new Map<number, number>();
      for (const { durationNs, flags, lane } of timed) {
        const cell = cellOf(LAYOUT.index(durationNs / 1000), (flags & FLAG_FAILED) !== 0, lane, LAYOUT.size);
        cells.set(cell, (cells.get(cell) ?? 0) + 1);
      }
      const slowest = timed
        .filter(({ flags, durationNs, trace }) => (flags & FLAG_FAILED) === 0 && durationNs > 0 && trace > 0)
        .reduce<Row | null>((best, each) => (best === null || each.durationNs > best.durationNs ? each : best), null);
      const lastFailed = failed.findLast(({ trace }) => trace > 0);
      const ascending = [...cells].sort(([a], [b]) => a - b);
      return {
        series: first.series,
        slot: Math.floor(first.endMs / 1000),
        count: group.length,
        failed: failed.length,
        timed: timed.length,
        weight: sum(group),
        failedWeight: sum(failed),
        timedWeight: sum(timed),
        slowest: slowest === null ? [0, 0] : [slowest.durationNs, slowest.trace],
        lastFailed:
          lastFailed === undefined ? [0, 0] : [(lastFailed.flags & FLAG_NO_LATENCY) === 0 ? lastFailed.durationNs : -1, lastFailed.trace],
        slow: slow.map((list) => list.length),
        slowWeight: slow.map(sum),
        cells: ascending.map(([cell]) => cell),
        cellCounts: ascending.map(([, count]) => count),
      };
    })
    .sort((a, b) => a.slot - b.slot || a.series - b.series);
}

const spans = (seriesCount: number, maxLength: number) =>
  fc.array(
    fc.record({
      series: fc.integer({ min: 1, max: seriesCount }),
      endMs: fc.oneof(fc.integer({ min: 0, max: 5000 }), fc.integer({ min: -100_000_000, max: 0 })).map((ms) => T0 + ms),
      durationNs: fc.oneof(
        fc.integer({ min: 0, max: 2_000_000 }),
        fc.constantFrom(100_000_000, 100_000_001, 300_000_001, 300_000_002, 9e12),
      ),
      flags: fc.constantFrom(0, 0, FLAG_FAILED, FLAG_NO_LATENCY, FLAG_FAILED | FLAG_NO_LATENCY),
      weight: fc.constantFrom(1, 1, 2, 128),
      lane: fc.constantFrom(0, 0, 1, 5, LANES),
      trace: fc.integer({ min: 0, max: 255 }),
    }),
    { maxLength },
  );

describe('Aggregator', () => {
  property.prop({ rows: fc.oneof(spans(4, 60), spans(2, 1500)), cuts: fc.array(fc.nat(), { maxLength: 4 }) })(
    'adds up to what counting one by one says, in the promised order',
    ({ rows, cuts }) => {
      const { table, aggregator } = stageA();
      const ids = ['x', 'slo-a', 'slo-b', 'y'].map((name) => seriesNamed(table, 's', name));
      expect(ids).toEqual([1, 2, 3, 4]);
      const edges = [0, ...cuts.map((cut) => cut % (rows.length + 1)).sort((a, b) => a - b), rows.length];
      for (const [i, to] of edges.entries()) aggregator.append(batchOf(rows.slice(edges[i - 1] ?? 0, to)));
      const expected = recount(rows, (series) => (series === 2 || series === 3 ? THRESHOLDS : []));
      expect(rowsOf(aggregator.flush())).toEqual(expected);
      expect(aggregator.flush().size).toBe(0);
      aggregator.append(batchOf(rows));
      expect(rowsOf(aggregator.flush())).toEqual(expected);
    },
  );

  it.each([
    [100_000_000, [0, 0]],
    [100_000_001, [1, 0]],
    [300_000_001, [1, 0]],
    [300_000_002, [1, 1]],
  ])('counts %i ns as slower than exactly the thresholds it exceeds', (durationNs, slow) => {
    const { table, aggregator } = stageA();
    aggregator.append(batchOf([row(seriesNamed(table, 's', 'slo'), T0, { durationNs })]));
    expect(rowsOf(aggregator.flush())[0]?.slow).toEqual(slow);
  });

  it('counts durations beyond the layout in its last bucket', () => {
    const { table, aggregator } = stageA();
    aggregator.append(batchOf([row(seriesNamed(table, 's', 'x'), T0, { durationNs: 9e12 })]));
    expect(rowsOf(aggregator.flush())[0]?.cells).toEqual([cellOf(LAYOUT.index(60_000_000), false)]);
  });

  it('takes a batch larger than its capacity whole, and says that a flush is due', () => {
    const { table, aggregator } = stageA({ capacity: 10 });
    const id = seriesNamed(table, 's', 'x');
    expect([aggregator.isFull, aggregator.room]).toEqual([false, 10]);
    aggregator.append(batchOf(Array.from({ length: 5000 }, (_, i) => row(id, T0 + i))));
    expect([aggregator.isFull, aggregator.room, aggregator.pending]).toEqual([true, 0, 5000]);
    expect(rowsOf(aggregator.flush()).map(({ count }) => count)).toEqual([1000, 1000, 1000, 1000, 1000]);
    expect([aggregator.isFull, aggregator.room]).toEqual([false, 10]);
  });

  it('numbers flushes upwards and announces new series with them', () => {
    const { table, aggregator } = stageA();
    seriesNamed(table, 's', 'x');
    const first = aggregator.flush();
    const second = aggregator.flush();
    expect([first.origin, second.origin]).toEqual([
      { source: 'a', epoch: 'e', sequence: 1 },
      { source: 'a', epoch: 'e', sequence: 2 },
    ]);
    expect(first.announced.map(({ endpoint }) => endpoint)).toEqual(['(other)', 'x']);
    expect(second.announced).toEqual([]);
  });

  it('goes on with the sequence it is given', () => {
    const { table } = stageA();
    const aggregator = new Aggregator(table, LAYOUT, { source: 'a', epoch: 'e', capacity: 1, firstSequence: 42 });
    expect(aggregator.flush().origin.sequence).toBe(42);
  });

  it('tells how late the spans of each service came, in order of arrival', () => {
    const { table, aggregator } = stageA();
    const [shop, cart] = [seriesNamed(table, 'shop', 'x'), seriesNamed(table, 'cart', 'x')];
    aggregator.append(batchOf([row(shop, T0), row(shop, T0 - 999), row(shop, T0 - 1000), row(cart, T0 - 500_000)]));
    aggregator.append(batchOf([row(shop, T0 + 3000), row(shop, T0), row(shop, T0 - 500_000)]));
    expect(arrivalsOf(aggregator.flush())).toEqual([
      { service: 'shop', maxEndMs: T0 + 3000, releases: [{ 0: 3, 1: 1, 3: 1, [LATENESS_BINS - 1]: 1 }] },
      { service: 'cart', maxEndMs: T0 - 500_000, releases: [{ 0: 1 }] },
    ]);
    aggregator.append(batchOf([row(shop, T0 + 1000)]));
    expect(arrivalsOf(aggregator.flush())).toEqual([{ service: 'shop', maxEndMs: T0 + 3000, releases: [{ 2: 1 }] }]);
  });

  it('tells the releases of a service apart, each behind the latest span of any, by a key that outlives the process', () => {
    const { table, aggregator } = stageA();
    const [v1, other, v2] = [
      seriesNamed(table, 'shop', 'x', 'v1'),
      seriesNamed(table, 'shop', 'y', 'v1'),
      seriesNamed(table, 'shop', 'x', 'v2'),
    ];
    aggregator.append(batchOf([row(v2, T0 - 9000), row(v1, T0), row(other, T0 - 1000), row(v2, T0 - 5000)]));
    const deltas = aggregator.flush();
    expect(arrivalsOf(deltas)).toEqual([
      {
        service: 'shop',
        maxEndMs: T0,
        releases: [
          { 0: 1, 5: 1 },
          { 0: 1, 1: 1 },
        ],
      },
    ]);

    const next = stageA();
    next.table.restore([v1, other, v2].map((id) => table.info(id)));
    next.aggregator.append(batchOf([row(v2, T0), row(v1, T0)]));
    const keys = ({ arrivals }: SlotDeltas) => arrivals.flatMap(({ releases }) => releases.map(({ release }) => release));
    expect(new Set(keys(deltas)).size).toBe(2);
    expect(keys(next.aggregator.flush())).toEqual(keys(deltas));
  });

  it('takes a release that lost its place and came back for one and the same', () => {
    const { table, aggregator } = stageA();
    const before = seriesNamed(table, 'shop', 'x', 'v1');
    table.retireIdle(() => true);
    const after = seriesNamed(table, 'shop', 'x', 'v1');
    expect(after).not.toBe(before);
    aggregator.append(batchOf([row(before, T0), row(after, T0), row(after, T0 - 2000)]));
    expect(arrivalsOf(aggregator.flush())).toEqual([{ service: 'shop', maxEndMs: T0, releases: [{ 0: 2, 2: 1 }] }]);
  });

  it('knows the newest slot of all services', () => {
    const { table, aggregator } = stageA();
    expect(aggregator.newestSlot).toBe(Number.NEGATIVE_INFINITY);
    const id = seriesNamed(table, 's', 'x');
    aggregator.append(batchOf([row(id, T0 + 5999), row(id, T0)]));
    expect(aggregator.newestSlot).toBe(T0 / 1000 + 5);
  });

  it('knows when a service has entered a slot that is new to it', () => {
    const { table, aggregator } = stageA();
    const [shop, cart] = [seriesNamed(table, 'shop', 'x'), seriesNamed(table, 'cart', 'x')];
    const opens = (...rows: Row[]): boolean => {
      aggregator.append(batchOf(rows));
      const { hasOpenedSlot } = aggregator;
      aggregator.flush();
      return hasOpenedSlot;
    };
    expect(aggregator.hasOpenedSlot).toBe(false);
    expect(opens(row(shop, T0))).toBe(true);
    expect(opens(row(shop, T0 + 999), row(shop, T0 - 5000))).toBe(false);
    expect(opens(row(cart, T0 + 500))).toBe(true);
    expect(opens(row(shop, T0 + 1000), row(cart, T0 + 900))).toBe(true);
    expect(opens(row(cart, T0 + 1001))).toBe(true);
    expect(opens(row(cart, T0 + 1999), row(shop, T0 + 1999))).toBe(false);
    expect(aggregator.newestEndMs).toBe(T0 + 1999);
  });

  it('counts what fell into overflow', () => {
    const { table, aggregator } = stageA({ series: 1 });
    const [known, beyond] = [seriesNamed(table, 's', 'x'), seriesNamed(table, 's', 'y')];
    aggregator.append(batchOf([row(known, T0), row(beyond, T0), row(beyond, T0 + 1000)]));
    aggregator.flush();
    expect(aggregator.overflowSpans).toBe(2);
  });

  it('gives the place of a series without spans to another, but not that of one just restored', () => {
    const { table, aggregator } = stageA({ series: 2 });
    const [idle, busy] = [seriesNamed(table, 's', 'idle'), seriesNamed(table, 's', 'busy')];
    aggregator.append(batchOf([row(idle, T0), row(busy, T0 + 600_000)]));
    aggregator.flush();
    aggregator.retireIdle(T0 / 1000 + 300);
    expect(seriesNamed(table, 's', 'busy')).toBe(busy);
    expect(table.info(seriesNamed(table, 's', 'new')).endpoint).toBe('new');

    const restored = stageA({ series: 2 });
    restored.table.restore([table.info(0), table.info(busy)]);
    restored.aggregator.append(batchOf([row(0, T0 + 900_000)]));
    restored.aggregator.flush();
    restored.aggregator.retireIdle(T0 / 1000 + 800);
    expect(seriesNamed(restored.table, 's', 'busy')).toBe(busy);
  });

  it('copies the whole trace id', () => {
    const { table, aggregator } = stageA();
    const batch = batchOf([
      row(seriesNamed(table, 's', 'x'), T0, { trace: 1 }),
      row(seriesNamed(table, 's', 'x'), T0, { trace: 1, flags: FLAG_FAILED }),
    ]);
    batch.traceBytes.set(Array.from({ length: 2 * TRACE_BYTES }, (_, i) => i + 1));
    aggregator.append(batch);
    const { slowestTrace, failedTrace } = aggregator.flush();
    expect([...slowestTrace.subarray(0, TRACE_BYTES)]).toEqual(Array.from({ length: TRACE_BYTES }, (_, i) => i + 1));
    expect([...failedTrace.subarray(0, TRACE_BYTES)]).toEqual(Array.from({ length: TRACE_BYTES }, (_, i) => i + 17));
  });

  it('has no lanes where the layout is too fine for them', () => {
    const { table } = stageA();
    const layout = new HistogramLayout(3);
    const aggregator = new Aggregator(table, layout, { source: 'a', epoch: 'e', capacity: 10 });
    aggregator.append(batchOf([row(seriesNamed(table, 's', 'x'), T0, { lane: 3 }), row(seriesNamed(table, 's', 'x'), T0)]));
    expect(cellLanes(layout.size)).toBe(1);
    expect(rowsOf(aggregator.flush())).toMatchObject([{ cells: [cellOf(layout.index(1), false)], cellCounts: [2] }]);
  });

  it('refuses a layout whose cells do not fit 16 bits', () => {
    const { table } = stageA();
    const layout = { ...new HistogramLayout(), size: 40_000 } as HistogramLayout;
    expect(() => new Aggregator(table, layout, { source: 'a', epoch: 'e', capacity: 1 })).toThrow(RangeError);
  });
});
