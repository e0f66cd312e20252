/** One second by lane: what tells the pods of a release apart. */
import { fc, it as property } from '@fast-check/vitest';
import { describe, expect, it } from 'vitest';
import { HistogramLayout } from '../../src/model/histogram-layout.ts';
import { LANES } from '../../src/model/lane.ts';
import type { SlotDeltas } from '../../src/model/slot-deltas.ts';
import { SlidingWindow } from '../../src/window/sliding-window.ts';
import { SlotReading } from '../../src/window/slot-reading.ts';
import { kept, type Span, Stream } from './stream.ts';

const T0 = 1_800_000_000_000;
const SLOT = T0 / 1000;
const IDS = [1, 2, 3];

const spans = fc.array(
  fc.record({
    series: fc.constantFrom(...IDS),
    endMs: fc.integer({ min: 0, max: 2999 }).map((ms) => T0 + ms),
    durationUs: fc.oneof(fc.integer({ min: 0, max: 300 }), fc.integer({ min: 0, max: 70_000_000 })),
    failed: fc.boolean(),
    timed: fc.integer({ min: 0, max: 5 }).map((n) => n > 0),
    lane: fc.integer({ min: 0, max: LANES }),
  }),
  { maxLength: 120 },
);

/** A copy of what a reading says of each lane; null where it has no lanes. */
function lanesOf({ lanes }: SlotReading) {
  if (lanes === null) return null;
  return Array.from({ length: LANES + 1 }, (_, lane) => {
    const [from, to] = [lanes.start[lane] as number, lanes.start[lane + 1] as number];
    const entries = Array.from({ length: to - from }, (_, i) => [lanes.buckets[from + i] as number, lanes.counts[from + i] as number]);
    return { entries, requests: lanes.requests[lane], failed: lanes.failed[lane] };
  });
}

function plainOf(reading: SlotReading) {
  const { requests, failed, weight, failedWeight, size, buckets, counts } = reading;
  return { requests, failed, weight, failedWeight, buckets: [...buckets.subarray(0, size)], counts: [...counts.subarray(0, size)] };
}

/** The same by a loop over the spans. */
function recount(layout: HistogramLayout, list: readonly Span[]) {
  return Array.from({ length: LANES + 1 }, (_, lane) => {
    const timed = list.filter((span) => (span.lane ?? 0) === lane && span.timed !== false);
    const counts = new Map<number, number>();
    for (const { durationUs } of timed.filter(({ failed }) => failed !== true)) {
      const bucket = layout.index(durationUs);
      counts.set(bucket, (counts.get(bucket) ?? 0) + 1);
    }
    const failed = timed.filter((span) => span.failed === true).length;
    return { entries: [...counts].sort(([a], [b]) => a - b), requests: timed.length, failed };
  });
}

function windowOf(deltas: readonly SlotDeltas[], layout = new HistogramLayout()): SlidingWindow {
  const window = new SlidingWindow({ layout });
  for (const each of deltas) window.merge(each);
  return window;
}

describe('reading a slot', () => {
  property.prop({ list: spans, sources: fc.integer({ min: 1, max: 5 }), keys: fc.array(fc.nat(), { minLength: 5, maxLength: 5 }) })(
    'gives what a loop over the spans gives, by lane and in sum, however the spans are cut into flushes and in whatever order those come',
    ({ list, sources, keys }) => {
      const flushes = (each: readonly Span[]) =>
        Array.from({ length: sources }, (_, source) => {
          const stream = new Stream({ source: `source-${source}` });
          stream.endpoints(IDS.length);
          return { deltas: kept(stream.flush(each.filter((_, i) => i % sources === source))), key: keys[source] ?? 0 };
        })
          .sort((a, b) => a.key - b.key)
          .map(({ deltas }) => deltas);
      const window = windowOf(flushes(list));
      const podless = windowOf(flushes(list.map((span) => ({ ...span, lane: 0 }))));
      const reading = new SlotReading();
      const plain = new SlotReading();
      for (const slot of [SLOT, SLOT + 1, SLOT + 2]) {
        window.readSlot([1, 3], slot, reading);
        podless.readSlot([1, 3], slot, plain);
        expect(plain.lanes).toBeNull();
        expect(plainOf(reading)).toEqual(plainOf(plain));
        const chosen = list.filter(({ series, endMs }) => series !== 2 && Math.floor(endMs / 1000) === slot);
        const hasPods = chosen.some(({ lane, timed }) => lane > 0 && timed);
        expect(lanesOf(reading)).toEqual(hasPods ? recount(window.layout, chosen) : null);
      }
      const range = [T0, T0 + 3000] as const;
      expect(window.counts(IDS, ...range)).toEqual(podless.counts(IDS, ...range));
      for (const which of ['all', 'ok'] as const) {
        expect([...window.distribution(IDS, ...range, which).buckets()]).toEqual([...podless.distribution(IDS, ...range, which).buckets()]);
      }
    },
  );

  property.prop({ list: spans })('and rolling it up leaves the bytes of longer slots as they are without pods', ({ list }) => {
    const rolled = (each: readonly Span[]) => {
      const stream = new Stream();
      const [id = 0] = stream.endpoints(IDS.length);
      const window = windowOf([stream.flush(each)]);
      window.merge(stream.flush([{ series: id, endMs: T0 + 200_000, durationUs: 1 }]));
      window.advance(T0 + 200_000);
      return window
        .checkpoint()
        .slots.filter(({ level }) => level === 10)
        .map(({ startSec, bytes }) => [startSec, [...bytes]]);
    };
    expect(rolled(list)).toEqual(rolled(list.map((span) => ({ ...span, lane: 0 }))));
  });

  it('has no lanes where the layout is too fine to tell them apart', () => {
    const layout = new HistogramLayout(3);
    const stream = new Stream({ layout });
    const [id = 0] = stream.endpoints(1);
    const window = windowOf([stream.flush([{ series: id, endMs: T0, durationUs: 5, lane: 4 }])], layout);
    const reading = new SlotReading();
    window.readSlot([id], SLOT, reading);
    expect([reading.requests, reading.size, reading.lanes]).toEqual([1, 1, null]);
  });

  it('fills the same arrays again', () => {
    const stream = new Stream();
    const [id = 0] = stream.endpoints(1);
    const window = windowOf([
      stream.flush([
        { series: id, endMs: T0, durationUs: 5, lane: 4 },
        { series: id, endMs: T0 + 1000, durationUs: 5, lane: 5 },
        { series: id, endMs: T0 + 2000, durationUs: 5 },
      ]),
    ]);
    const reading = new SlotReading();
    window.readSlot([id], SLOT, reading);
    const first = reading.lanes;
    window.readSlot([id], SLOT + 1, reading);
    expect(reading.lanes).toBe(first);
    expect(Array.from(reading.lanes?.requests ?? [])).toEqual([0, 0, 0, 0, 0, 1, 0, 0, 0, 0]);
    window.readSlot([id], SLOT + 2, reading);
    expect(reading.lanes).toBeNull();
  });
});
