/** Sums over any window agree with a recount, as finely as the past is still told. */
import { fc, it as property } from '@fast-check/vitest';
import { describe, expect, it } from 'vitest';
import type { StoredCounts } from '../../src/model/checkpoint.ts';
import { CountKeys } from '../../src/window/count-keys.ts';
import { ObjectiveCounts } from '../../src/window/objective-counts.ts';

const HOUR = 3600;
const DAY = 24 * HOUR;
/** A full hour. */
const T0 = 500_000 * HOUR;

interface Added {
  readonly slot: number;
  readonly valid: number;
  readonly bad: number;
}

function filled(adds: readonly Added[]): ObjectiveCounts {
  const counts = new ObjectiveCounts();
  for (const { slot, valid, bad } of adds) counts.add('o', slot, valid, bad);
  return counts;
}

function naive(adds: readonly Added[], fromSec: number, toSec: number): { valid: number; bad: number } {
  const inside = adds.filter(({ slot }) => slot >= fromSec && slot < toSec);
  return { valid: inside.reduce((sum, add) => sum + add.valid, 0), bad: inside.reduce((sum, add) => sum + add.bad, 0) };
}

const adds = (spanSec: number) =>
  fc.array(
    fc.record({
      slot: fc.integer({ min: T0, max: T0 + spanSec - 1 }),
      valid: fc.integer({ min: 1, max: 9 }),
      bad: fc.integer({ min: 0, max: 3 }),
    }),
    { maxLength: 80 },
  );

/** What a sum says besides its edges. */
function sum(counts: ObjectiveCounts, objective: string, fromMs: number, toMs: number): { valid: number; bad: number } {
  const { valid, bad } = counts.sum(objective, fromMs, toMs);
  return { valid, bad };
}

/** Newest slot: what decides how far back each level reaches. */
const last = (spanSec: number): Added => ({ slot: T0 + spanSec - 1, valid: 1, bad: 0 });

describe('ObjectiveCounts', () => {
  property.prop({ some: adds(800), from: fc.integer({ min: -10, max: 90 }), length: fc.integer({ min: 0, max: 90 }) })(
    'is exact to 10 s within the last 15 minutes',
    ({ some, from, length }) => {
      const all = [...some, last(800)];
      const [fromSec, toSec] = [T0 + from * 10, T0 + (from + length) * 10];
      expect(sum(filled(all), 'o', fromSec * 1000, toSec * 1000)).toEqual(naive(all, fromSec, toSec));
    },
  );

  property.prop({ some: adds(6 * HOUR), from: fc.integer({ min: 0, max: 359 }), length: fc.integer({ min: 0, max: 400 }) })(
    'is exact to 1 min within the last 6 hours',
    ({ some, from, length }) => {
      const all = [...some, last(6 * HOUR)];
      const [fromSec, toSec] = [T0 + from * 60, T0 + (from + length) * 60];
      expect(sum(filled(all), 'o', fromSec * 1000, toSec * 1000)).toEqual(naive(all, fromSec, toSec));
    },
  );

  property.prop({ some: adds(30 * DAY), from: fc.integer({ min: 0, max: 719 }), length: fc.integer({ min: 0, max: 800 }) })(
    'is exact to 1 h within 30 days, in whatever order counts come',
    ({ some, from, length }) => {
      const all = [last(30 * DAY), ...some];
      const [fromSec, toSec] = [T0 + from * HOUR, T0 + (from + length) * HOUR];
      expect(sum(filled(all), 'o', fromSec * 1000, toSec * 1000)).toEqual(naive(all, fromSec, toSec));
    },
  );

  property.prop({ some: adds(4 * DAY), from: fc.integer({ min: 0, max: 4 * DAY }), length: fc.integer({ min: 1, max: 4 * DAY }) })(
    'rounds any window outward by less than an hour, and so never misses nor doubles a request',
    ({ some, from, length }) => {
      const all = [...some, last(4 * DAY)];
      const [fromSec, toSec] = [T0 + from, T0 + from + length];
      const counted = filled(all).sum('o', fromSec * 1000, toSec * 1000);
      expect(sum(filled(all), 'o', counted.from, counted.to)).toEqual(naive(all, counted.from / 1000, counted.to / 1000));
      expect({ valid: counted.valid, bad: counted.bad }).toEqual(naive(all, counted.from / 1000, counted.to / 1000));
      expect(counted.from).toBeLessThanOrEqual(fromSec * 1000);
      expect(counted.from).toBeGreaterThan((fromSec - HOUR) * 1000);
      expect(counted.to).toBeGreaterThanOrEqual(toSec * 1000);
      expect(counted.to).toBeLessThan((toSec + HOUR) * 1000);
    },
  );

  property.prop({ some: adds(4 * DAY), cuts: fc.array(fc.nat(), { maxLength: 5 }), from: fc.integer({ min: 0, max: 4 * DAY }) })(
    'says the same after checkpoints and a restore',
    ({ some, cuts, from }) => {
      const all = [...some, last(4 * DAY)];
      const before = new ObjectiveCounts();
      const keys = new CountKeys();
      const saved = new Map<string, StoredCounts>();
      const save = () => {
        for (const counts of before.checkpoint(keys)) saved.set(`${counts.kind} ${counts.startSec}`, counts);
      };
      for (const [i, { slot, valid, bad }] of all.entries()) {
        before.add('o', slot, valid, bad);
        if (cuts.some((cut) => cut % all.length === i)) save();
      }
      save();
      expect(before.checkpoint(keys)).toEqual([]);
      const after = new ObjectiveCounts();
      const known = new CountKeys();
      known.restore(keys.takeChanged());
      after.restore([...saved.values()], known);
      const window = [(T0 + from) * 1000, (T0 + 4 * DAY) * 1000] as const;
      expect(after.sum('o', ...window)).toEqual(before.sum('o', ...window));
    },
  );

  it.each([
    ['an objective nobody counted', 'other', T0, T0 + DAY],
    ['an empty window', 'o', T0 + 5, T0 + 5],
    ['a window turned around', 'o', T0 + DAY, T0],
    ['a window before all data', 'o', T0 - 2 * DAY, T0 - DAY],
    ['a window after all data', 'o', T0 + 2 * DAY, T0 + 3 * DAY],
    ['a window that is not a number', 'o', Number.NaN, T0],
  ])('sums to nothing over %s', (_, objective, fromSec, toSec) => {
    const counts = filled([{ slot: T0 + 3, valid: 7, bad: 2 }]);
    expect(sum(counts, objective, fromSec * 1000, toSec * 1000)).toEqual({ valid: 0, bad: 0 });
  });

  it('sums everything over all of time', () => {
    const counts = filled([last(30 * DAY), { slot: T0, valid: 7, bad: 2 }]);
    expect(sum(counts, 'o', Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY)).toEqual({ valid: 8, bad: 2 });
  });

  it('forgets what is older than 92 days, and counts what comes older than that', () => {
    const counts = filled([{ slot: T0, valid: 7, bad: 2 }, last(95 * DAY), { slot: T0 + 1, valid: 5, bad: 5 }]);
    expect(sum(counts, 'o', 0, Number.POSITIVE_INFINITY)).toEqual({ valid: 1, bad: 0 });
    expect(counts.tooOld).toBe(5);
  });

  it('rounds edges by the newest event of all objectives, so that a quiet one is told as a restart would tell it', () => {
    const counts = filled([{ slot: T0 + 100, valid: 7, bad: 2 }]);
    counts.add('p', T0 + 7 * DAY, 1, 0);
    expect(counts.sum('o', (T0 + 110) * 1000, (T0 + 120) * 1000)).toEqual({ from: T0 * 1000, to: (T0 + HOUR) * 1000, valid: 7, bad: 2 });
  });

  it('gives full hours as columns, the empty ones between too', () => {
    const counts = filled([
      { slot: T0 + 100, valid: 7, bad: 2 },
      { slot: T0 + 2 * HOUR, valid: 1, bad: 1 },
    ]);
    expect(counts.hours('o', 0, Number.POSITIVE_INFINITY)).toEqual({
      startMs: [T0, T0 + HOUR, T0 + 2 * HOUR].map((sec) => sec * 1000),
      valid: [7, 0, 1],
      bad: [2, 0, 1],
    });
    expect(counts.hours('o', (T0 + 1) * 1000, (T0 + 2 * HOUR) * 1000)).toEqual({ startMs: [(T0 + HOUR) * 1000], valid: [0], bad: [0] });
    expect(counts.hours('nobody', 0, 1)).toEqual({ startMs: [], valid: [], bad: [] });
  });

  it('forgets an objective that was removed', () => {
    const counts = filled([{ slot: T0, valid: 7, bad: 2 }]);
    counts.remove('o');
    expect(sum(counts, 'o', 0, Number.POSITIVE_INFINITY)).toEqual({ valid: 0, bad: 0 });
  });

  it('needs about 29 kB for 30 days of an objective', () => {
    const counts = new ObjectiveCounts();
    for (let slot = T0; slot < T0 + 30 * DAY; slot += 10) counts.add('o', slot, 10, 1);
    expect(counts.byteLength('o')).toBeLessThan(30_000);
    expect(sum(counts, 'o', T0 * 1000, (T0 + 30 * DAY) * 1000)).toEqual({ valid: 2_592_000, bad: 259_200 });
  });
});
