/** A window whose time is that of its slowest source: what others are ahead is held, and nothing freezes before its time. */
import { describe, expect, it } from 'vitest';
import { Punctuality } from '../../src/window/punctuality.ts';
import { SlidingWindow } from '../../src/window/sliding-window.ts';
import { SlotReading } from '../../src/window/slot-reading.ts';
import { Stream } from './stream.ts';

const T0 = 1_800_000_000_000;
const SEC = T0 / 1000;

function setUp() {
  const ahead = new Stream({ source: 't/0' });
  const behind = new Stream({ source: 't/1' });
  const [id = 0] = ahead.endpoints(1);
  behind.endpoints(1);
  const window = new SlidingWindow({ layout: ahead.layout });
  const tell = (stream: Stream, second: number): number =>
    window.merge(stream.flush([{ series: id, endMs: T0 + second * 1000 + 500, durationUs: 1000 }])).late;
  const at = (second: number): number => {
    const reading = new SlotReading();
    window.readSlot([id], SEC + second, reading);
    return reading.requests;
  };
  return { ahead, behind, window, id, tell, at };
}

describe('a source that is 200 s ahead', () => {
  it('makes nothing of the others late, rolls up nothing they still add to, and loses nothing of its own', () => {
    const { ahead, behind, window, tell, at, id } = setUp();
    for (let second = 0; second < 200; second++) tell(ahead, second);
    for (let second = 0; second < 200; second++) {
      expect(tell(behind, second)).toBe(0);
      window.advance(T0 + (second + 1) * 1000, 'complete');
      expect([second, window.newestSlot]).toEqual([second, Math.min(SEC + second + 1, SEC + 199)]);
      expect([second, at(second)]).toEqual([second, 2]);
      expect(window.detailFrom).toBeLessThanOrEqual(SEC + second + 1 - 90);
    }
    expect(window.counts([id], T0, T0 + 200_000).requests).toBe(400);
    expect([window.frozenBefore, window.lateSpans]).toEqual([SEC + 139, 0]);
  });

  it('is no reason to freeze all when the others say nothing for a minute', () => {
    const { ahead, behind, window, tell } = setUp();
    for (let second = 0; second < 200; second++) tell(ahead, second);
    for (let second = 0; second < 150; second++) window.advance(T0 + second * 1000, 'complete');
    expect(window.frozenBefore).toBe(SEC + 149 - 60);
    expect(tell(behind, 100)).toBe(0);
  });

  it('is still ahead after a restart', () => {
    const { ahead, behind, window, tell, id } = setUp();
    for (let second = 0; second < 200; second++) tell(ahead, second);
    window.advance(T0 + 20_000, 'complete');
    const { slots, notes } = JSON.parse(JSON.stringify(window.checkpoint()), (key, value) =>
      key === 'bytes' ? Uint8Array.from(Object.values(value as Record<string, number>)) : value,
    );
    const restored = new SlidingWindow({ layout: window.layout });
    restored.restore(slots, notes, [ahead.table.info(id)], 'exact');
    expect([restored.newestSlot, restored.detailFrom]).toEqual([window.newestSlot, window.detailFrom]);
    expect(restored.merge(behind.flush([{ series: id, endMs: T0 + 1000, durationUs: 1 }])).late).toBe(0);
    expect(restored.counts([id], T0, T0 + 200_000).requests).toBe(201);
  });
});

it.each([
  ['as far as they are needed', 150, 150],
  ['but no further than there is room for', 1000, 300],
  ['90 s when nobody needs more', 0, 90],
])('single slots are kept %s', (_, neededSec, keptSec) => {
  const { behind, window, tell, at } = setUp();
  for (let second = 0; second < 600; second++) {
    tell(behind, second);
    window.neededFrom = SEC + second - neededSec;
    window.advance(T0 + second * 1000 + 999, 'complete');
  }
  expect(window.detailFrom).toBe(Math.floor((SEC + 599 - keptSec) / 10) * 10);
  for (let slot = window.detailFrom; slot < SEC + 600; slot++) expect([slot, at(slot - SEC)]).toEqual([slot, 1]);
});

describe('the decision watermark of a service that comes by several sources', () => {
  const heard = (punctuality: Punctuality, source: string, second: number): void =>
    punctuality.add(
      { service: 'shop', maxEndMs: T0 + second * 1000, releases: [{ release: 'v1', lateness: new Uint32Array([2000]) }] },
      T0,
      source,
    );

  it('is behind the one that has told least', () => {
    const punctuality = new Punctuality();
    heard(punctuality, 'a', 100);
    heard(punctuality, 'b', 93);
    expect(punctuality.watermark(T0 + 98_000, 'complete')).toBe(T0 + 92_000);
    expect(new Punctuality().watermark(T0, 'complete')).toBe(Number.NEGATIVE_INFINITY);
  });

  it('does not wait for one that has told nothing for 15 s', () => {
    const punctuality = new Punctuality();
    heard(punctuality, 'a', 100);
    heard(punctuality, 'b', 84);
    expect(punctuality.watermark(T0 + 98_000, 'complete')).toBe(T0 + 83_000);
    expect(punctuality.watermark(T0 + 99_000, 'complete')).toBe(T0 + 98_000);
  });

  it('has room for so many and no more', () => {
    const punctuality = new Punctuality();
    for (let i = 0; i < 1000; i++) heard(punctuality, `s${i}`, 100 + (i % 7));
    punctuality.watermark(T0 + 100_000, 'complete');
    expect(punctuality.saved().sources?.length).toBe(256);
  });
});
