import { fc, it as property } from '@fast-check/vitest';
import { describe, expect, it } from 'vitest';
import type { StoredNote, StoredSlot } from '../../src/model/checkpoint.ts';
import { PermanentError } from '../../src/model/errors.ts';
import { HistogramLayout } from '../../src/model/histogram-layout.ts';
import { SlidingWindow } from '../../src/window/sliding-window.ts';
import { SlotBlock } from '../../src/window/slot-block.ts';
import { SlotReading } from '../../src/window/slot-reading.ts';
import { type Span, Stream } from './stream.ts';

const T0 = 1_800_000_000_000;

/** What stored slots alone hold, read through a window that has nothing in memory. */
function stored(slots: readonly StoredSlot[], layout: HistogramLayout) {
  const empty = new SlidingWindow({ layout });
  const older = empty.olderBlocks(slots);
  return {
    counts: (series: readonly number[]) => empty.counts(series, T0, T0, older),
    distribution: (series: readonly number[]) => empty.distribution(series, T0, T0, 'all', older),
  };
}

/** Keeps what checkpoints say, as a store does. */
class Saved {
  readonly slots = new Map<string, StoredSlot>();
  readonly notes = new Map<string, StoredNote>();

  take(window: SlidingWindow): number {
    const { slots, notes } = window.checkpoint();
    for (const slot of slots) this.slots.set(`${slot.level} ${slot.startSec}`, { ...slot, bytes: slot.bytes.slice() });
    for (const note of notes) this.notes.set(note.key, note);
    return slots.length;
  }

  level(level: number): StoredSlot[] {
    return [...this.slots.values()].filter((slot) => slot.level === level);
  }
}

function restoredFrom(saved: Saved, stream: Stream): SlidingWindow {
  const window = new SlidingWindow({ layout: stream.layout });
  const series = Array.from({ length: stream.table.idEnd }, (_, id) => stream.table.info(id));
  window.restore([...saved.slots.values()], [...saved.notes.values()], series);
  return window;
}

it('what no store takes for hours is held only as far back as a store would keep it', () => {
  const stream = new Stream();
  const [id = 0] = stream.endpoints(1);
  const window = new SlidingWindow({ layout: stream.layout });
  const hours = 9;
  for (let sec = 0; sec < hours * 3600; sec += 5) {
    const at = T0 + sec * 1000;
    window.merge(stream.flush([{ series: id, endMs: at, durationUs: 1000 }]));
    window.advance(at);
  }
  const { slots } = window.checkpoint();
  const starts = (level: number) => slots.filter((slot) => slot.level === level).map(({ startSec }) => startSec - T0 / 1000);
  expect(Math.min(...starts(10))).toBeGreaterThan(hours * 3600 - 1500);
  expect(Math.min(...starts(60))).toBeGreaterThan((hours - 6.1) * 3600);
  expect(starts(3600)).toEqual(Array.from({ length: hours - 1 }, (_, hour) => hour * 3600));
});

/** Everything that can be asked. */
function answers(window: SlidingWindow, ids: readonly number[], nowMs: number) {
  const to = nowMs + 10_000;
  return {
    windows: [1, 7, 60, 300, 900].map((seconds) => [
      window.counts(ids, to - seconds * 1000, to),
      [...window.distribution(ids, to - seconds * 1000, to, 'ok').buckets()],
    ]),
    tallies: ids.map((id) => [window.received(id), window.receivedWeight(id), window.late(id), window.behindWatermark(id)]),
    times: [window.frozenBefore, window.detailFrom, window.newestSlot, window.lateSpans, window.lagMs('shop'), window.newestAt('shop')],
    watermark: window.watermark('shop', nowMs),
    baseline: [...window.baseline(ids, to, 300_000)].map(({ endMs, reading }) => [endMs, reading.requests, reading.size]),
  };
}

/** Seconds of traffic, each second one flush; every few seconds some spans come late. */
function secondOfTraffic(second: number, ids: readonly number[]): Span[] {
  return Array.from({ length: 5 }, (_, i) => ({
    series: ids[(second + i) % ids.length] as number,
    endMs: T0 + second * 1000 + i * 190 - (i === 4 ? (second * 7919) % 120_000 : 0),
    durationUs: 100 + ((second * 31 + i * 977) % 5000),
    failed: (second + i) % 17 === 0,
    weight: second % 50 === 0 ? 2 : 1,
    lane: (second + i * 3) % 10,
  }));
}

describe('checkpoint and restore', () => {
  property.prop({ every: fc.integer({ min: 1, max: 120 }), until: fc.integer({ min: 1, max: 1500 }) }, { numRuns: 12 })(
    'brings back a window that answers the same, now and later',
    ({ every, until }) => {
      const stream = new Stream();
      const ids = stream.endpoints(3);
      const window = new SlidingWindow({ layout: stream.layout });
      const saved = new Saved();
      let other: SlidingWindow | undefined;
      for (let second = 0; second < until + 700; second++) {
        const deltas = stream.flush(secondOfTraffic(second, ids));
        const now = T0 + second * 1000 + 1000;
        for (const each of [window, other]) {
          each?.merge(deltas);
          each?.advance(now);
          each?.watermark('shop', now);
        }
        if (second === until) {
          saved.take(window);
          other = restoredFrom(saved, stream);
          other.advance(now);
          expect(answers(other, ids, now)).toEqual(answers(window, ids, now));
        } else if (second % every === 0 && second < until) saved.take(window);
      }
      const now = T0 + (until + 700) * 1000;
      expect(answers(other as SlidingWindow, ids, now)).toEqual(answers(window, ids, now));
      // The coarse slots that were half built at the restart come out whole.
      const late = new Saved();
      late.take(other as SlidingWindow);
      saved.take(window);
      for (const [key, slot] of late.slots) expect([key, [...slot.bytes]]).toEqual([key, [...(saved.slots.get(key)?.bytes ?? [])]]);
    },
  );

  it('brings back the lanes of single slots, and has none in longer ones', () => {
    const stream = new Stream();
    const ids = stream.endpoints(3);
    const window = new SlidingWindow({ layout: stream.layout });
    const saved = new Saved();
    for (let second = 0; second < 200; second++) {
      window.merge(stream.flush(secondOfTraffic(second, ids)));
      window.advance(T0 + second * 1000);
      if (second % 30 === 0) saved.take(window);
    }
    saved.take(window);
    const restored = restoredFrom(saved, stream);
    const lanesOf = (each: SlidingWindow) => {
      const reading = new SlotReading();
      return Array.from({ length: 85 }, (_, back) => {
        each.readSlot(ids, T0 / 1000 + 199 - back, reading);
        return reading.lanes === null ? null : [...Array.from(reading.lanes.requests)];
      });
    };
    expect(lanesOf(restored)).toEqual(lanesOf(window));
    expect(lanesOf(window).filter((lanes) => lanes !== null).length).toBeGreaterThan(60);
    const layout = stream.layout;
    expect(saved.level(10).length).toBeGreaterThan(10);
    expect(new Set(saved.level(10).map(({ bytes }) => new SlotBlock(bytes, false).cells))).toEqual(new Set([layout.size * 2]));
    for (const { endMs, reading } of restored.baseline(ids, T0 + 200_000, 200_000)) expect([endMs, reading.lanes]).toEqual([endMs, null]);
  });

  it('hands out each level so that its slots add up to all spans in windows', () => {
    const stream = new Stream();
    const ids = stream.endpoints(3);
    const window = new SlidingWindow({ layout: stream.layout });
    const saved = new Saved();
    const hours = 2 * 3600;
    for (let second = 0; second < hours; second++) {
      window.merge(stream.flush(secondOfTraffic(second, ids)));
      if (second % 10 === 0) window.advance(T0 + second * 1000);
      if (second % 600 === 0) saved.take(window);
    }
    // A minute and an hour later: everything is final.
    window.advance(T0 + hours * 1000);
    window.advance(T0 + hours * 1000 + 60_000);
    window.merge(stream.flush([{ series: ids[0] as number, endMs: T0 + (hours + 3700) * 1000, durationUs: 1 }]));
    window.advance(T0 + (hours + 3700) * 1000);
    saved.take(window);
    const inWindows = hours * 5 - window.lateSpans;
    expect(window.lateSpans).toBeGreaterThan(100);
    for (const level of [10, 60, 600, 3600]) {
      expect([level, stored(saved.level(level), stream.layout).counts(ids).spans]).toEqual([level, inWindows]);
    }
    const [tens, hour] = [10, 3600].map((level) => stored(saved.level(level), stream.layout).distribution(ids));
    expect([...(hour?.buckets() ?? [])]).toEqual([...(tens?.buckets() ?? [])]);
    expect(saved.level(3600).map(({ startSec }) => startSec % 3600)).toEqual([0, 0, 0]);
  });

  it('says only what changed', () => {
    const stream = new Stream();
    const [id = 0] = stream.endpoints(1);
    const window = new SlidingWindow({ layout: stream.layout });
    window.merge(
      stream.flush([
        { series: id, endMs: T0, durationUs: 1 },
        { series: id, endMs: T0 + 2000, durationUs: 1 },
      ]),
    );
    expect(window.checkpoint().slots.map(({ level, startSec }) => [level, startSec - T0 / 1000])).toEqual([
      [1, 0],
      [1, 2],
    ]);
    expect(window.checkpoint().slots).toEqual([]);
    window.merge(stream.flush([{ series: id, endMs: T0 + 2500, durationUs: 1 }]));
    expect(window.checkpoint().slots.map(({ level, startSec }) => [level, startSec - T0 / 1000])).toEqual([[1, 2]]);
  });

  it('does not count a flush again that was merged before the restart', () => {
    const stream = new Stream();
    const [id = 0] = stream.endpoints(1);
    const window = new SlidingWindow({ layout: stream.layout });
    const saved = new Saved();
    const deltas = stream.flush([{ series: id, endMs: T0, durationUs: 1 }]);
    window.merge(deltas);
    saved.take(window);
    expect(restoredFrom(saved, stream).merge(deltas).duplicate).toBe(true);
  });

  it('starts empty where nothing was saved', () => {
    const window = new SlidingWindow({ layout: new HistogramLayout() });
    window.restore([], [], []);
    expect([window.newestSlot, window.lateSpans, window.newestAt('shop')]).toEqual([Number.NEGATIVE_INFINITY, 0, null]);
  });
});

describe.each([
  ['without lanes', 1, 3],
  ['with lanes', 7, 4],
])('a stored slot %s', (_, lanes, rowsAt) => {
  const stream = new Stream({ thresholdsNs: [300_000] });
  const ids = stream.endpoints(40);
  const window = new SlidingWindow({ layout: stream.layout });
  const spans = ids.flatMap((series, i) =>
    Array.from({ length: 1 + (i % 7) * 30 }, (_, n) => ({
      series,
      endMs: T0,
      durationUs: n * n,
      failed: n % 5 === 0,
      lane: n % lanes,
      weight: i % 3 === 0 ? 2 : 1,
    })),
  );
  window.merge(stream.flush(spans));
  const slot = window.checkpoint().slots[0] as StoredSlot;
  const read = (bytes: Uint8Array, layout = stream.layout) => stored([{ ...slot, bytes }], layout).counts(ids);

  it('is read back as it was', () => {
    expect(read(slot.bytes)).toEqual(window.counts(ids, T0, T0 + 1000));
    expect(read(slot.bytes).spans).toBe(spans.length);
  });

  it('that is cut short is refused, wherever the cut is, naming the offset', () => {
    for (let length = 0; length < slot.bytes.length; length++) {
      expect(() => read(slot.bytes.subarray(0, length))).toThrow(PermanentError);
    }
    expect(() => read(slot.bytes.subarray(0, 10))).toThrow(/at byte \d+/);
  });

  it.each([
    ['with bytes left over', () => Uint8Array.from([...slot.bytes, 0]), 'slot_corrupt'],
    ['of another version', () => slot.bytes.with(0, 9), 'slot_version'],
    ['that claims a number without end', () => Uint8Array.from([1, ...new Array(12).fill(0xff)]), 'slot_corrupt'],
    ['that claims more rows than it has', () => slot.bytes.with(rowsAt, 41), 'slot_corrupt'],
  ])('%s is refused', (_, bytes, code) => {
    expect(() => read(bytes())).toThrow(expect.objectContaining({ name: 'PermanentError', code }));
  });

  it('of another histogram layout is refused', () => {
    expect(() => read(slot.bytes, new HistogramLayout(1))).toThrow(expect.objectContaining({ code: 'slot_layout' }));
  });

  it('with lanes is refused where it claims to be longer than a second', () => {
    const longer = { ...slot, level: 10 as const };
    const counts = () => stored([longer], stream.layout).counts(ids).spans;
    if (lanes === 1) expect(counts()).toBe(spans.length);
    else expect(counts).toThrow(expect.objectContaining({ code: 'slot_layout' }));
  });

  property.prop({ at: fc.nat(), value: fc.integer({ min: 0, max: 255 }) })(
    'with one wrong byte is refused or read as some other numbers, but never breaks anything',
    ({ at, value }) => {
      try {
        const { spans: read_ } = read(slot.bytes.with(at % slot.bytes.length, value));
        expect(read_).toBeGreaterThanOrEqual(0);
      } catch (error) {
        expect(error).toBeInstanceOf(PermanentError);
      }
    },
  );

  property.prop({ bytes: fc.uint8Array({ maxLength: 60 }) })('made of noise is refused', ({ bytes }) => {
    const noise = Uint8Array.from([1, 0x80, 0x28, 5, ...bytes]);
    expect(() => read(noise)).toThrow(PermanentError);
  });

  it('whose note is no JSON is refused', () => {
    const other = new SlidingWindow({ layout: stream.layout });
    expect(() => other.restore([], [{ key: 'window', json: '{"origins":' }], [])).toThrow(PermanentError);
    expect(() => other.restore([], [{ key: 'window', json: '{}' }], [])).toThrow(PermanentError);
  });
});
