/** The numbers that a reader gives: its own, the same after a restart, and within limits. */
import { describe, expect, it } from 'vitest';
import type { PartitionedIngest } from '../../src/ingest/partitioned-ingest.ts';
import type { SlotDeltas } from '../../src/model/slot-deltas.ts';
import { DeltaReader } from '../../src/wire/delta-reader.ts';
import { encodeDeltas } from '../../src/wire/encode-deltas.ts';
import { isWireError, wireErrorText } from '../../src/wire/wire-error.ts';
import { countingMember, LAYOUT, requestOf, T0, type TestSpan, Totals } from './members.ts';

const HOUR_MS = 3_600_000;

const SPAN: TestSpan = {
  service: 'shop',
  version: '1',
  pod: 'a',
  endpoint: 'GET /a',
  endMs: 1,
  durationMs: 400,
  hasFailed: false,
  weight: 2,
  trace: 0,
};

let sequence = 0;

/** What a reader makes of one flush with these spans. */
function readAll(reader: DeltaReader, spans: readonly Partial<TestSpan>[], member: PartitionedIngest = countingMember()): SlotDeltas[] {
  for (const span of spans) member.partition('a').consume('protobuf', requestOf({ ...SPAN, ...span }), T0 + (span.endMs ?? 0) + 1000);
  const deltas = member.partition('a').flush({ source: 'a', epoch: '1', sequence: ++sequence });
  return encodeDeltas(deltas, member.names).map(({ bytes }) => {
    const read = reader.read(bytes);
    if (isWireError(read)) throw new Error(wireErrorText(read));
    return structuredClone(read);
  });
}

const announcedIn = (read: readonly SlotDeltas[]) => read.flatMap(({ announced }) => announced);

describe('the number of a series', () => {
  it('is given once, in order of appearance, whoever counts it', () => {
    const reader = new DeltaReader({ layout: LAYOUT });
    const first = announcedIn(readAll(reader, [{}, { endpoint: 'work' }, { service: 'cart' }]));
    expect(first.map(({ id, service, endpoint }) => [id, service, endpoint])).toEqual([
      [0, 'shop', 'GET /a'],
      [1, 'shop', 'work'],
      [2, 'cart', 'GET /a'],
    ]);
    const again = readAll(reader, [{ service: 'cart' }, { endpoint: 'work' }, { endpoint: 'GET /b' }, {}]);
    expect(announcedIn(again).map(({ id, endpoint }) => [id, endpoint])).toEqual([[3, 'GET /b']]);
    expect(again.map(({ series, size }) => [...series.subarray(0, size)])).toEqual([[2], [0, 1, 3]]);
  });

  it('is the same after a restart, and new ones go on behind it', () => {
    const known = announcedIn(readAll(new DeltaReader({ layout: LAYOUT }), [{}, { endpoint: 'work' }, { version: '2' }]));
    const after = new DeltaReader({ layout: LAYOUT, known: known.toReversed() });
    const read = readAll(after, [{ version: '2' }, { endpoint: 'GET /b' }, { endpoint: 'work' }, {}]);
    expect(read.map(({ series, size }) => [...series.subarray(0, size)])).toEqual([[0, 1, 2, 3]]);
    expect(announcedIn(read).map(({ id, endpoint }) => [id, endpoint])).toEqual([[3, 'GET /b']]);
  });

  it('differs when thresholds are declared differently', () => {
    const reader = new DeltaReader({ layout: LAYOUT });
    readAll(reader, [{}]);
    const stricter = countingMember({
      series: { maxTotal: 9, maxReleasesPerService: 9, maxSeriesOf: () => 9, thresholdsOf: () => [7], isReserved: () => false },
    });
    expect(announcedIn(readAll(reader, [{}], stricter)).map(({ id, thresholdsNs }) => [id, thresholdsNs])).toEqual([[1, [7]]]);
  });

  it('is that of the same release whichever order its attributes come in', () => {
    const reader = new DeltaReader({ layout: LAYOUT });
    const member = (...attributes: string[]) => ({
      layout: LAYOUT,
      info: (id: number) => ({
        ...announced,
        id,
        release: { name: 'v', attributes: new Map(attributes.map((key) => [key, 'v'])) },
      }),
      podsOf: () => [],
    });
    const source = countingMember();
    source.partition('a').consume('protobuf', requestOf({ ...SPAN, pod: '' }), T0);
    const deltas = source.partition('a').flush({ source: 'a', epoch: '1', sequence: 1 });
    const announced = source.names.info(deltas.series[0] as number);
    const ids = [member('x', 'y'), member('y', 'x'), member('y', 'x')].map((names) => {
      const read = reader.read(encodeDeltas(deltas, names)[0]?.bytes ?? new Uint8Array(0));
      return isWireError(read) ? wireErrorText(read) : read.series[0];
    });
    expect(ids).toEqual([0, 0, 0]);
  });
});

describe('beyond its limits', () => {
  const endpoints = Array.from({ length: 6 }, (_, i) => ({
    endpoint: `GET /${'abcdef'[i]}`,
    hasFailed: i % 2 === 0,
    trace: i + 1,
    durationMs: 310 + i,
  }));
  const spans = [...endpoints, ...endpoints, { endpoint: 'work', durationMs: 1 }];

  it('a service counts in overflow series of the same thresholds, and as a whole it stays exact', () => {
    const reader = new DeltaReader({ layout: LAYOUT, maxSeriesOf: () => 2 });
    const read = readAll(reader, spans);
    const [deltas] = read;
    expect(announcedIn(read).map(({ endpoint, kind, thresholdsNs }) => [endpoint, kind, thresholdsNs.length])).toEqual([
      ['GET /a', 'span', 2],
      ['GET /b', 'span', 2],
      ['(other)', 'overflow', 2],
      ['(other)', 'overflow', 0],
    ]);
    expect([...(deltas?.count.subarray(0, 4) ?? [])]).toEqual([2, 2, 8, 1]);
    expect([...(deltas?.failed.subarray(0, 3) ?? [])]).toEqual([2, 0, 4]);
    expect([...(deltas?.weight.subarray(0, 3) ?? [])]).toEqual([4, 4, 16]);
    const slow = deltas?.slow.subarray(deltas.slowStart[2], deltas.slowStart[3]);
    expect([...(slow ?? [])].slice(0, 2)).toEqual([8, 8]);
    expect(deltas?.slowestNs[2]).toBe(315_000_000);
    expect(deltas?.failedNs[2]).toBe(314_000_000);
    const cells = [...(deltas?.cells.subarray(deltas.cellStart[2], deltas.cellStart[3]) ?? [])];
    expect(cells).toEqual([...new Set(cells)].sort((a, b) => a - b));
  });

  it('an overflow series goes on after a restart', () => {
    const limits = { layout: LAYOUT, maxSeriesOf: () => 2 };
    const known = announcedIn(readAll(new DeltaReader(limits), spans));
    const again = readAll(new DeltaReader({ ...limits, known }), spans);
    expect(announcedIn(again)).toEqual([]);
    expect([...(again[0]?.series.subarray(0, 4) ?? [])]).toEqual([0, 1, 2, 3]);
  });

  it('services and releases are counted as others, none is lost', () => {
    const reader = new DeltaReader({ layout: LAYOUT, maxTotal: 2 });
    const totals = new Totals();
    const many = Array.from({ length: 5 }, (_, i) => ({ service: `s${i}`, version: `${i}` }));
    const read = readAll(reader, [...many, ...many]);
    for (const deltas of read) totals.add(deltas);
    const services = announcedIn(read).map(({ service }) => service);
    expect(new Set(services)).toEqual(new Set(['s0', 's1', '(other)']));
    expect([...totals.rows.values()].reduce((sum, { counts }) => sum + (counts[0] ?? 0), 0)).toBe(10);
    expect(read.flatMap(({ arrivals }) => arrivals).flatMap(({ releases }) => releases.map(({ release }) => release))).toContain(
      '["(other)"]',
    );
  });
});

describe('a series without spans for six hours', () => {
  const hours = (count: number) => Array.from({ length: count * 6 + 1 }, (_, i) => i * 600_000);

  it('gives its place to another, and its release lets go of its pods', () => {
    const reader = new DeltaReader({ layout: LAYOUT, maxSeriesOf: () => 2 });
    readAll(reader, [{ version: 'old', pod: 'a' }]);
    reader.notes();
    for (const endMs of hours(7)) readAll(reader, [{ version: 'new', endMs }]);
    expect(announcedIn(readAll(reader, [{ endpoint: 'GET /b', version: 'new', endMs: 7 * HOUR_MS }])).map(({ kind }) => kind)).toEqual([
      'span',
    ]);
    expect(reader.notes().map(({ json }) => JSON.parse(json) as unknown[])).toEqual([
      [[expect.stringContaining('new'), [expect.any(Number)]]],
    ]);
  });

  it('keeps it when the stream jumped ahead, as that is no time in which it was looked for', () => {
    const reader = new DeltaReader({ layout: LAYOUT });
    readAll(reader, [{}]);
    readAll(reader, [{ version: '2', endMs: 20 * HOUR_MS }]);
    readAll(reader, [{ version: '2', endMs: 40 * HOUR_MS }]);
    expect(announcedIn(readAll(reader, [{ endMs: 40 * HOUR_MS }]))).toEqual([]);
  });
});
