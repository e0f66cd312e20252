/** The baseline's past as it is kept: cut into whole pieces, each compared once, and the same after it was saved. */
import { describe, expect, it } from 'vitest';
import { BaselineFeed, type Side } from '../../src/engine/baseline-feed.ts';
import { KeptBaseline } from '../../src/engine/kept-baseline.ts';
import type { ArmSlot } from '../../src/evaluate/canary/arm-slot.ts';
import { SlidingWindow } from '../../src/window/sliding-window.ts';
import { SlotReading } from '../../src/window/slot-reading.ts';
import { type Span, Stream } from '../window/stream.ts';

/** A window that has seen `of(second)` requests of each endpoint, by turns failed, in each of so many seconds. */
function seen(seconds: number, endpoints: Readonly<Record<string, (second: number) => number>>) {
  const stream = new Stream();
  const window = new SlidingWindow({ layout: stream.layout });
  const ids = stream.endpoints(Object.keys(endpoints).length);
  const names = Object.keys(endpoints);
  for (let second = 0; second < seconds; second++) {
    const spans = names.flatMap((name, i) =>
      Array.from(
        { length: endpoints[name]?.(second) ?? 0 },
        (_, n): Span => ({
          series: ids[i] as number,
          endMs: second * 1000 + n,
          durationUs: 1000 * (1 + ((second * 7 + n * 13) % 400)),
          failed: (second + n) % 7 === 0,
        }),
      ),
    );
    window.merge(stream.flush(spans));
    window.advance((second + 1) * 1000);
  }
  const series = names.map((name, i) => [name, { baseline: [ids[i] as number] }] as const);
  return { window, series };
}

function whole(kept: KeptBaseline, endpoint: string): ArmSlot[] {
  return [
    ...[...kept.past(endpoint)].map(({ slot }) => slot),
    ...Array.from({ length: kept.size }, (_, i) => kept.piece(endpoint, i)),
  ].filter((slot) => slot !== null);
}

const total = (slots: readonly ArmSlot[]) => slots.reduce((sum, { requests }) => sum + requests, 0);

describe('a kept baseline', () => {
  it.each([
    { what: 'a minute', seconds: 60, before: 60, requests: 600 },
    { what: 'a time that ends within a piece', seconds: 130, before: 124, requests: 1240 },
    { what: 'as much as is in memory', seconds: 1200, before: 1200, requests: 9000 },
    { what: 'a baseline that fell silent five minutes ago', seconds: 600, until: 300, before: 600, requests: 3000 },
    { what: 'nothing, where there was nothing', seconds: 0, before: 10, requests: 0 },
  ])('holds $what', ({ seconds, before, requests, until = seconds }) => {
    const { window, series } = seen(seconds, { a: (second) => (second < until ? 10 : 0), other: () => 1 });
    const kept = KeptBaseline.capture(series.slice(0, 1), window, before * 1000);
    expect(total(whole(kept, 'a'))).toBe(requests);
    expect(kept.piece('a', kept.size)).toBeNull();
    expect(whole(kept, 'other')).toEqual([]);
  });

  it('sums pieces whatever the width of the slots they come from, failures and latencies alike', () => {
    const { window, series } = seen(300, { a: () => 10 });
    const kept = KeptBaseline.capture(series, window, 300_000);
    for (const piece of whole(kept, 'a')) {
      expect(piece.requests).toBe(100);
      const timed = Array.from({ length: piece.size }, (_, i) => piece.counts[i] as number).reduce((sum, count) => sum + count, 0);
      expect(timed + piece.failed).toBe(100);
      const buckets = Array.from({ length: piece.size }, (_, i) => piece.buckets[i] as number);
      expect(buckets).toEqual([...new Set(buckets)].sort((a, b) => a - b));
    }
  });

  it('primes with the oldest third and compares the rest, endpoints in step with one another', () => {
    const { window, series } = seen(300, { a: () => 5, late: (second) => (second >= 250 ? 5 : 0) });
    const kept = KeptBaseline.capture(series, window, 300_000);
    expect([...kept.past('a')].map(({ endMs }) => endMs)).toEqual(Array.from({ length: 10 }, (_, i) => (i + 1) * 10_000));
    expect(kept.size).toBe(20);
    expect([...kept.past('late')]).toEqual([]);
    expect(Array.from({ length: 20 }, (_, i) => kept.piece('late', i)?.requests ?? 0)).toEqual([
      ...Array(15).fill(0),
      ...Array(5).fill(50),
    ]);
  });

  it('is the same after it was saved, and saved as the same text', () => {
    const { window, series } = seen(200, { a: () => 7, b: () => 1 });
    const kept = KeptBaseline.capture(series, window, 200_000);
    const restored = KeptBaseline.restore(kept.save());
    expect(restored.save()).toBe(kept.save());
    for (const name of ['a', 'b']) expect(whole(restored, name)).toEqual(whole(kept, name));
    expect([...restored.past('a')]).toEqual([...kept.past('a')]);
  });

  it('keeps fewer and longer pieces of a service with many endpoints, and no more than its size allows', () => {
    const many = Object.fromEntries(Array.from({ length: 20 }, (_, i) => [`e${i}`, () => (i < 2 ? 40 : 20)]));
    const { window, series } = seen(900, many);
    const kept = KeptBaseline.capture(series, window, 900_000);
    expect([...kept.endpoints()]).toHaveLength(20);
    expect([...kept.endpoints()].slice(0, 2)).toEqual(['e0', 'e1']);
    expect(total(whole(kept, 'e5'))).toBe(20 * 900);
    expect(kept.size).toBe(16);
    expect(kept.piece('e5', 3)?.requests).toBe(20 * 40);
    expect(kept.save().length).toBeLessThan(800_000);
    expect(KeptBaseline.restore(kept.save()).save()).toBe(kept.save());
  });
});

describe('what a canary is compared with', () => {
  /** Plays slots from `from` on; `canary` and `live` tell requests, `wealth` what the evidence says. */
  function sides(
    feed: BaselineFeed,
    slots: { from: number; to: number },
    canary: (slot: number) => number,
    live: (slot: number) => number = () => 0,
    wealth: (slot: number) => number = () => 0,
  ): [slot: number, side: Side][] {
    return Array.from({ length: slots.to - slots.from }, (_, i) => {
      const slot = slots.from + i;
      const side = feed.side(slot, () => live(slot));
      feed.endSlot(slot, side, canary(slot), wealth(slot));
      return [slot, side];
    });
  }

  const pieces = (all: readonly [number, Side][]) => all.flatMap(([slot, side]) => (typeof side === 'string' ? [] : [[slot, side.piece]]));

  function kept(seconds: number): KeptBaseline {
    const { window, series } = seen(seconds, { a: () => 3 });
    return KeptBaseline.capture(series, window, seconds * 1000);
  }

  it('is what the baseline does at the same time', () => {
    const feed = new BaselineFeed('concurrent');
    expect(feed.isWaiting).toBe(false);
    expect(new Set(sides(feed, { from: 0, to: 100 }, () => 1).map(([, side]) => side))).toEqual(new Set(['live']));
  });

  it('is each piece of its past once: every ten seconds at first, more rarely later, and not while the canary is silent', () => {
    const feed = BaselineFeed.of('kept', kept(120));
    const played = sides(feed, { from: 1000, to: 1400 }, (slot) => (slot < 1005 || (slot >= 1020 && slot < 1050) ? 0 : 1));
    expect(pieces(played)).toEqual([
      [1014, 0],
      [1024, 1],
      [1059, 2],
      [1069, 3],
      [1114, 4],
      [1159, 5],
      [1204, 6],
      [1249, 7],
    ]);
    expect(feed.isUsedUp).toBe(true);
  });

  it('comes fast again after a piece that raised the evidence of harm, and only then', () => {
    const feed = BaselineFeed.of('kept', kept(300));
    sides(feed, { from: 0, to: 100 }, () => 1);
    const played = sides(
      feed,
      { from: 100, to: 400 },
      () => 1,
      undefined,
      (slot) => (slot < 180 ? -1 : slot < 200 ? slot : -1),
    );
    const at = pieces(played).map(([slot]) => slot as number);
    const gaps = at.slice(1).map((slot, i) => slot - (at[i] as number));
    expect(gaps).toContain(10);
    expect(gaps.at(-1)).toBe(45);
  });

  it('is the living baseline as long as there is one, then its past, then the living again', () => {
    const feed = BaselineFeed.of('fading', kept(120));
    const live = (slot: number) => (slot < 50 || slot >= 120 ? 1 : 0);
    const played = sides(feed, { from: 0, to: 140 }, () => 1, live);
    expect(pieces(played)).toEqual([
      [88, 0],
      [98, 1],
      [108, 2],
      [118, 3],
    ]);
    expect(played.filter(([slot]) => slot < 79 || slot >= 120).every(([, side]) => side === 'live')).toBe(true);
    expect(feed.isUsedUp).toBe(false);
  });

  it('is not used up while its past is not kept yet, and at once where there was none', () => {
    const { window, series } = seen(60, { a: () => 1 });
    const feed = new BaselineFeed('kept');
    expect([feed.isWaiting, feed.isUsedUp]).toEqual([true, false]);
    feed.keep(series, window, 60, 3_600_000);
    expect([feed.isWaiting, feed.isUsedUp]).toEqual([false, true]);
  });

  it('goes on after it was saved as if it had not been', () => {
    const play = (isSaved: boolean) => {
      const feed = BaselineFeed.of('fading', kept(300));
      const first = sides(
        feed,
        { from: 0, to: 133 },
        (slot) => slot % 3,
        (slot) => (slot < 40 ? 1 : 0),
        Math.sin,
      );
      const next = isSaved ? BaselineFeed.restore(JSON.parse(JSON.stringify(feed.save()))) : feed;
      return [...first, ...sides(next, { from: 133, to: 700 }, (slot) => slot % 3, undefined, Math.sin)];
    };
    expect(play(true)).toEqual(play(false));
  });

  it('reads a piece, the living baseline or nothing', () => {
    const { window, series } = seen(120, { a: () => 3 });
    const feed = new BaselineFeed('fading');
    feed.keep(series, window, 120, 0);
    const into = new SlotReading();
    const ids = series[0]?.[1].baseline ?? [];
    expect(feed.read('live', 'a', ids, 100, window, into).requests).toBe(3);
    expect(feed.read({ piece: 0 }, 'a', ids, 100, window, into).requests).toBe(30);
    expect(feed.read({ piece: 99 }, 'a', ids, 100, window, into).requests).toBe(0);
    expect(feed.read('nothing', 'a', ids, 100, window, into).requests).toBe(0);
  });
});
