import { describe, expect, it } from 'vitest';
import type { HistogramLayout } from '../../src/model/histogram-layout.ts';
import { SlidingWindow } from '../../src/window/sliding-window.ts';
import { SlotReading } from '../../src/window/slot-reading.ts';
import { Stream } from './stream.ts';

const T0 = 1_800_000_000_000;

function setUp(): { stream: Stream; window: SlidingWindow; id: number; layout: HistogramLayout } {
  const stream = new Stream();
  const [id = 0] = stream.endpoints(1);
  return { stream, window: new SlidingWindow({ layout: stream.layout }), id, layout: stream.layout };
}

describe('grace', () => {
  it.each([
    ['in the newest slot', 0, 0],
    ['just within grace', 59_000, 0],
    ['in the slot that grace has passed', 60_001, 1],
    ['hours old', 3_600_000, 1],
  ])('a span that ended %s is late or not', (_, behindMs, late) => {
    const { stream, window, id } = setUp();
    window.merge(stream.flush([{ series: id, endMs: T0, durationUs: 1 }]));
    window.advance(T0);
    const outcome = window.merge(stream.flush([{ series: id, endMs: T0 - behindMs, durationUs: 1 }]));
    expect(outcome).toEqual({ duplicate: false, late, firstRow: late });
    expect([window.lateSpans, window.late(id), window.received(id)]).toEqual([late, late, 2]);
    expect(window.counts([id], T0 - 4_000_000, T0 + 1000).spans).toBe(2 - late);
  });

  it('is another when configured so', () => {
    const { stream, layout, id } = setUp();
    const window = new SlidingWindow({ layout, graceMs: 5000 });
    window.merge(stream.flush([{ series: id, endMs: T0, durationUs: 1 }]));
    window.advance(T0);
    expect(window.merge(stream.flush([{ series: id, endMs: T0 - 6000, durationUs: 1 }])).late).toBe(1);
  });

  it('is measured in event time: a backlog read hours later is not late', () => {
    const { stream, window, id } = setUp();
    for (let second = 0; second < 300; second++) {
      window.merge(stream.flush([{ series: id, endMs: T0 + second * 1000, durationUs: 1 }]));
      window.advance(T0 + 7_200_000 + second * 10);
    }
    expect(window.lateSpans).toBe(0);
    expect(window.counts([id], T0, T0 + 300_000).spans).toBe(300);
  });

  it('ends for a stream that fell silent once a minute of wall clock has passed, and what is newer still counts', () => {
    const { stream, window, id } = setUp();
    window.merge(stream.flush([{ series: id, endMs: T0, durationUs: 1 }]));
    for (let second = 0; second <= 59; second++) window.advance(T0 + second * 1000);
    expect(window.merge(stream.flush([{ series: id, endMs: T0 - 1000, durationUs: 1 }])).late).toBe(0);
    for (let second = 60; second <= 120; second++) window.advance(T0 + second * 1000);
    expect(window.frozenBefore).toBe(T0 / 1000 + 1);
    expect(window.merge(stream.flush([{ series: id, endMs: T0, durationUs: 1 }])).late).toBe(1);
    expect(window.merge(stream.flush([{ series: id, endMs: T0 + 1000, durationUs: 1 }])).late).toBe(0);
  });

  it('does not end at once when the clock comes with the stream and both jump over a gap', () => {
    const { stream, window, id } = setUp();
    window.merge(stream.flush([{ series: id, endMs: T0, durationUs: 1 }]));
    window.advance(T0);
    window.merge(stream.flush([{ series: id, endMs: T0 + 180_000, durationUs: 1 }]));
    window.advance(T0 + 180_000);
    expect(window.merge(stream.flush([{ series: id, endMs: T0 + 175_000, durationUs: 1 }])).late).toBe(0);
  });

  it('survives a gap of a day in the stream', () => {
    const { stream, window, id } = setUp();
    window.merge(stream.flush([{ series: id, endMs: T0, durationUs: 1 }]));
    window.advance(T0);
    window.merge(stream.flush([{ series: id, endMs: T0 + 86_400_000, durationUs: 1 }]));
    window.advance(T0 + 86_400_000);
    expect(window.counts([id], 0, T0 + 90_000_000).spans).toBe(1);
    const slots = window.checkpoint().slots.map(({ level, startSec }) => [level, startSec]);
    for (const level of [10, 60, 600, 3600]) {
      const start = Math.floor(T0 / 1000 / level) * level;
      expect(slots).toContainEqual([level, start]);
    }
  });
});

describe('a span behind the decision watermark', () => {
  it('is counted by series, whether its slot is frozen or not, and only once judged', () => {
    const { stream, window, id } = setUp();
    window.merge(stream.flush([{ series: id, endMs: T0, durationUs: 1 }]));
    window.merge(stream.flush([{ series: id, endMs: T0 - 20_000, durationUs: 1 }]));
    expect(window.behindWatermark(id)).toBe(0);
    // Two spans seen, the later one 20 s late: lag is 21 s.
    expect(window.watermark('shop', T0)).toBe(T0 - 21_000);
    window.advance(T0);
    window.merge(
      stream.flush([
        { series: id, endMs: T0 - 20_999, durationUs: 1 },
        { series: id, endMs: T0 - 21_001, durationUs: 1 },
        { series: id, endMs: T0 - 300_000, durationUs: 1 },
      ]),
    );
    expect([window.behindWatermark(id), window.late(id), window.received(id)]).toEqual([2, 1, 5]);
    expect(window.lastWatermark('shop')).toBe(T0 - 21_000);
  });

  it('does not depend on who merely looks', () => {
    const { stream, window, id } = setUp();
    window.merge(stream.flush([{ series: id, endMs: T0, durationUs: 1 }]));
    expect(window.lastWatermark('shop')).toBe(Number.NEGATIVE_INFINITY);
    expect(window.lastWatermark('nobody')).toBe(Number.NEGATIVE_INFINITY);
  });
});

describe('single slots', () => {
  it('can be read for at least 90 s behind the newest event time', () => {
    const { stream, window, id } = setUp();
    const reading = new SlotReading();
    for (let second = 0; second < 400; second++) {
      window.merge(stream.flush([{ series: id, endMs: T0 + second * 1000, durationUs: 1, weight: second }]));
      window.advance(T0 + second * 1000);
      expect(window.detailFrom).toBeLessThanOrEqual(T0 / 1000 + second - 90);
      for (let back = 0; back <= Math.min(90, second); back++) {
        window.readSlot([id], T0 / 1000 + second - back, reading);
        expect([reading.requests, reading.weight]).toEqual([1, second - back]);
      }
    }
  });

  it('are read by ten before that when a reference is primed, none twice and none beyond the end', () => {
    const { stream, window, id } = setUp();
    for (let second = 0; second < 300; second++) {
      window.merge(stream.flush([{ series: id, endMs: T0 + second * 1000, durationUs: 1 }]));
      window.advance(T0 + second * 1000);
    }
    const read: { endMs: number; requests: number }[] = [];
    for (const { endMs, reading } of window.baseline([id], T0 + 255_000, 200_000)) read.push({ endMs, requests: reading.requests });
    expect(read.reduce((sum, { requests }) => sum + requests, 0)).toBe(205);
    expect(read.map(({ endMs }) => endMs)).toEqual(read.map(({ endMs }) => endMs).toSorted((a, b) => a - b));
    expect(read[0]).toEqual({ endMs: T0 + 60_000, requests: 10 });
    expect(read.at(-1)).toEqual({ endMs: T0 + 255_000, requests: 1 });
  });
});
