/** A long window is cut into stored slots and memory without gap or overlap. */
import { fc, test } from '@fast-check/vitest';
import { describe, expect, it } from 'vitest';
import { longWindow } from '../../src/engine/long-window.ts';

const HOUR = 3_600_000;

describe('a long window', () => {
  it('needs nothing from the store while memory holds all of it', () => {
    expect(longWindow(14 * 60_000, 1_800_000_123).pieces).toEqual([]);
  });

  it('needs nothing before the first span', () => {
    expect(longWindow(24 * HOUR, Number.NEGATIVE_INFINITY).pieces).toEqual([]);
  });

  it.each([
    ['an hour', HOUR, [60]],
    ['a day', 24 * HOUR, [600, 60]],
    ['four weeks', 28 * 24 * HOUR, [3600, 600, 60]],
  ])('of %s takes only levels that reach back that far', (_, windowMs, levels) => {
    const used = longWindow(windowMs, 1_800_000_123).pieces.map((piece) => piece.level);
    expect(levels).toEqual(expect.arrayContaining(used));
    expect(used[0]).toBe(levels[0]);
  });

  test.prop([fc.integer({ min: 15 * 60, max: 90 * 86_400 }), fc.integer({ min: 1_700_000_000, max: 1_900_000_000 })])(
    'has no gap and no overlap, begins no later than asked, and meets memory where memory takes over',
    (reachSec, newestSlot) => {
      const { pieces, memoryFromMs } = longWindow(reachSec * 1000, newestSlot);
      let at = pieces[0]?.fromSec as number;
      expect(at).toBeLessThanOrEqual(newestSlot + 1 - reachSec);
      for (const { level, fromSec, toSec } of pieces) {
        expect(fromSec).toBe(at);
        expect(fromSec % level).toBe(0);
        expect(toSec % level).toBe(0);
        at = toSec;
      }
      expect(at * 1000).toBe(memoryFromMs);
      expect(newestSlot - memoryFromMs / 1000).toBeLessThanOrEqual(900);
    },
  );
});
