import { fc, it as property } from '@fast-check/vitest';
import { describe, expect, it } from 'vitest';
import { LANES } from '../../src/model/lane.ts';
import type { SlotDeltas } from '../../src/model/slot-deltas.ts';
import { SlidingWindow } from '../../src/window/sliding-window.ts';
import { SlotReading } from '../../src/window/slot-reading.ts';
import { kept, type Span, Stream } from './stream.ts';

const T0 = 1_800_000_000_000;

const spanArbitrary = (series: readonly number[], spreadMs: number) =>
  fc.record({
    series: fc.constantFrom(...series),
    endMs: fc.integer({ min: 0, max: spreadMs }).map((ms) => T0 + ms),
    durationUs: fc.oneof(fc.integer({ min: 0, max: 2000 }), fc.integer({ min: 0, max: 200_000_000 })),
    failed: fc.boolean(),
    timed: fc.integer({ min: 0, max: 9 }).map((n) => n > 0),
    weight: fc.constantFrom(1, 1, 1, 2, 4),
    lane: fc.integer({ min: -3, max: LANES }).map((lane) => Math.max(0, lane)),
  });

/** Counts and buckets as a loop over the spans has them. */
function recount(stream: Stream, spans: readonly Span[], series: readonly number[], fromMs: number, toMs: number) {
  const chosen = spans.filter((span) => series.includes(span.series) && span.endMs >= fromMs && span.endMs < toMs);
  const failed = chosen.filter((span) => span.failed);
  const weightOf = (list: readonly Span[]) => list.reduce((sum, span) => sum + (span.weight ?? 1), 0);
  const cells = new Map<number, number>();
  for (const span of chosen) {
    if (span.timed === false) continue;
    const bucket = stream.layout.index(span.durationUs);
    cells.set(bucket, (cells.get(bucket) ?? 0) + 1);
  }
  const buckets = [...cells]
    .sort(([a], [b]) => a - b)
    .map(([bucket, count]) => ({ lowUs: stream.layout.lowestUs(bucket), highUs: stream.layout.highestEquivalentUs(bucket), count }));
  return {
    counts: { spans: chosen.length, failedSpans: failed.length, requests: weightOf(chosen), failed: weightOf(failed) },
    buckets,
  };
}

function mergeAll(stream: Stream, window: SlidingWindow, spans: readonly Span[], cuts: readonly number[]): void {
  let from = 0;
  for (const to of [...cuts.map((cut) => cut % (spans.length + 1)).sort((a, b) => a - b), spans.length]) {
    window.merge(stream.flush(spans.slice(from, to)));
    from = to;
  }
}

describe('SlidingWindow', () => {
  property.prop({
    spans: fc.array(spanArbitrary([1, 2, 3], 59_000), { maxLength: 300 }),
    cuts: fc.array(fc.nat(), { maxLength: 12 }),
    from: fc.integer({ min: -5, max: 60 }),
    length: fc.integer({ min: 0, max: 70 }),
  })('counts what a loop over the spans counts, however flushes are cut', ({ spans, cuts, from, length }) => {
    const stream = new Stream();
    stream.endpoints(3);
    const window = new SlidingWindow({ layout: stream.layout });
    mergeAll(stream, window, spans, cuts);
    const fromMs = T0 + from * 1000;
    const expected = recount(stream, spans, [1, 3], fromMs, fromMs + length * 1000);
    expect(window.counts([1, 3], fromMs, fromMs + length * 1000)).toEqual(expected.counts);
    expect([...window.distribution([1, 3], fromMs, fromMs + length * 1000, 'all').buckets()]).toEqual(expected.buckets);
  });

  property.prop({
    spans: fc.array(spanArbitrary([1, 2, 3], 800_000), { minLength: 1, maxLength: 300 }),
    cuts: fc.array(fc.nat(), { maxLength: 8 }),
  })('keeps every span through the roll-up: in a window, or late', ({ spans, cuts }) => {
    const stream = new Stream();
    stream.endpoints(3);
    const window = new SlidingWindow({ layout: stream.layout });
    let from = 0;
    let late = 0;
    for (const to of [...cuts.map((cut) => cut % (spans.length + 1)).sort((a, b) => a - b), spans.length]) {
      late += window.merge(stream.flush(spans.slice(from, to))).late;
      window.advance(T0 + 900_000);
      from = to;
    }
    expect(window.counts([1, 2, 3], T0 - 10_000, T0 + 900_000).spans + late).toBe(spans.length);
    expect(window.lateSpans).toBe(late);
    expect(window.late(1) + window.late(2) + window.late(3)).toBe(late);
    expect(window.received(1) + window.received(2) + window.received(3)).toBe(spans.length);
  });

  property.prop({
    spans: fc.array(spanArbitrary([1, 2, 3], 59_000), { maxLength: 120 }),
    order: fc.array(fc.nat(), { minLength: 6, maxLength: 6 }),
  })('merges flushes of several sources in any order to the same counts', ({ spans, order }) => {
    const deltas: SlotDeltas[] = [0, 1, 2, 3, 4, 5].map((part) => {
      const stream = new Stream({ source: `source-${part}` });
      stream.endpoints(3);
      return kept(stream.flush(spans.filter((_, i) => i % 6 === part)));
    });
    const shuffled = deltas.map((delta, i) => ({ delta, key: order[i] ?? 0 })).sort((a, b) => a.key - b.key);
    const read = (list: readonly SlotDeltas[]) => {
      const window = new SlidingWindow({ layout: new Stream().layout });
      for (const delta of list) window.merge(delta);
      const whole = window.distribution([1, 2, 3], T0, T0 + 60_000, 'ok');
      return [window.counts([1, 2], T0, T0 + 60_000), [...whole.buckets()]];
    };
    expect(read(shuffled.map(({ delta }) => delta))).toEqual(read(deltas));
  });

  it('counts a flush once, however often it is merged', () => {
    const stream = new Stream();
    const [id = 0] = stream.endpoints(1);
    const window = new SlidingWindow({ layout: stream.layout });
    const deltas = stream.flush([{ series: id, endMs: T0, durationUs: 5 }]);
    expect(window.merge(deltas)).toEqual({ duplicate: false, late: 0, firstRow: 0 });
    expect(window.merge(deltas)).toEqual({ duplicate: true, late: 0, firstRow: 1 });
    expect(window.counts([id], T0, T0 + 1000).spans).toBe(1);
    expect(window.received(id)).toBe(1);
  });

  it('reads one slot of several series, without the latencies of failed spans', () => {
    const stream = new Stream();
    const [a = 0, b = 0, c = 0] = stream.endpoints(3);
    const window = new SlidingWindow({ layout: stream.layout });
    window.merge(
      stream.flush([
        { series: a, endMs: T0 + 10, durationUs: 100, weight: 4 },
        { series: b, endMs: T0 + 20, durationUs: 300 },
        { series: c, endMs: T0 + 20, durationUs: 300 },
        { series: a, endMs: T0 + 2000, durationUs: 300 },
      ]),
    );
    window.merge(
      stream.flush([
        { series: a, endMs: T0 + 30, durationUs: 100 },
        { series: a, endMs: T0 + 40, durationUs: 7, failed: true },
      ]),
    );
    const reading = new SlotReading();
    window.readSlot([a, b], T0 / 1000, reading);
    expect(reading).toMatchObject({ requests: 4, failed: 1, weight: 7, failedWeight: 1, size: 2 });
    expect([...reading.buckets.subarray(0, 2)]).toEqual([stream.layout.index(100), stream.layout.index(300)]);
    expect([...reading.counts.subarray(0, 2)]).toEqual([2, 1]);
    window.readSlot([a, b], T0 / 1000 + 7, reading);
    expect(reading).toMatchObject({ requests: 0, failed: 0, weight: 0, failedWeight: 0, size: 0 });
  });
});
