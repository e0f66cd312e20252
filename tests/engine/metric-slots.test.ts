/** Windows are set back to slots that are kept, so that those that follow each other leave nothing out and count nothing twice. */
import { fc, test } from '@fast-check/vitest';
import { expect, it } from 'vitest';
import { MetricHistory } from '../../src/engine/metric-history.ts';
import { SlotGrid } from '../../src/engine/metric-slots.ts';

const NEWEST = 1_800_003_217;
const DETAIL_FROM = 1_800_003_120;
const grid = new SlotGrid(NEWEST, DETAIL_FROM);

it.each([
  ['now', 0, 1],
  ['a minute ago', 60, 1],
  ['two minutes ago', 120, 10],
  ['a quarter of an hour ago', 900, 60],
  ['five hours ago', 5 * 3600, 60],
  ['a day ago', 86_400, 600],
  ['a week ago', 7 * 86_400, 3600],
])('%s a slot is %d seconds old and %d wide', (_, ageSec, widthSec) => {
  const at = (NEWEST - ageSec) * 1000;
  const { fromSec, toSec } = grid.window(at, at);
  expect(toSec - fromSec).toBe(widthSec);
  expect(fromSec % widthSec).toBe(0);
  expect(fromSec * 1000).toBeLessThanOrEqual(at);
  expect(toSec * 1000).toBeGreaterThan(at);
});

test.prop([fc.integer({ min: 1, max: 10 * 86_400 }), fc.integer({ min: 3600, max: 86_400 }), fc.integer({ min: 3600, max: 86_400 })])(
  'windows that follow each other meet',
  (ageSec, first, second) => {
    const begin = (NEWEST - ageSec) * 1000;
    const [middle, end] = [begin + first * 1000, begin + (first + second) * 1000];
    expect(grid.window(begin, middle).toSec).toBe(grid.window(middle, end).fromSec);
  },
);

test.prop([fc.integer({ min: 1, max: 10 * 86_400 }), fc.integer({ min: 1, max: 86_400 })])(
  'what the store has of a window is told piece by piece, up to where memory takes over',
  (ageSec, lengthSec) => {
    const window = grid.window((NEWEST - ageSec) * 1000, (NEWEST - ageSec + lengthSec) * 1000);
    const pieces = grid.pieces(window);
    let at = window.fromSec;
    for (const { level, fromSec, toSec } of pieces) {
      expect(fromSec).toBe(at);
      expect([fromSec % level, toSec % level]).toEqual([0, 0]);
      at = toSec;
    }
    expect(at).toBe(Math.max(window.fromSec, Math.min(window.toSec, grid.memoryFromSec)));
  },
);

test.prop([
  fc.array(fc.record({ slot: fc.nat(50), cell: fc.nat(19), count: fc.integer({ min: 1, max: 5 }) }), { maxLength: 60 }),
  fc.array(fc.tuple(fc.nat(50), fc.nat(20)), { minLength: 1, maxLength: 20 }),
])('a histogram of any window, asked for in any order, is the sum of its slots', (entries, windows) => {
  const history = new MetricHistory(20);
  const sorted = entries.toSorted((a, b) => a.slot - b.slot);
  for (const { slot, cell, count } of sorted) {
    history.addCells(slot, Int32Array.of(cell), Float64Array.of(count), 1, { ok: 1, failed: 2 });
    history.addCounts(slot, { requests: count, failed: cell % 2, timed: count, timedFailed: 0 });
  }
  for (const [fromSec, length] of windows) {
    const window = { fromSec, toSec: fromSec + length };
    const inside = sorted.filter(({ slot }) => slot >= window.fromSec && slot < window.toSec);
    const wanted = new Map<number, number>();
    for (const { cell, count } of inside) wanted.set(cell >>> 1, (wanted.get(cell >>> 1) ?? 0) + count * (1 + (cell % 2)));
    const { buckets, counts } = history.histogram(window, 'all');
    expect(new Map(Array.from(buckets, (bucket, i) => [bucket, counts[i]]))).toEqual(new Map([...wanted].sort(([a], [b]) => a - b)));
    expect(history.counts(window).requests).toBe(inside.reduce((sum, { count }) => sum + count, 0));
  }
});
