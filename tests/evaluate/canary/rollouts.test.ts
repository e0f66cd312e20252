/** Whole rollouts on synthetic traffic: healthy canaries stay, sick ones are found in time, and the caps are what keeps clumps from deciding. */
import { describe, expect, it } from 'vitest';
import { CanaryComparison } from '../../../src/evaluate/canary/comparison.ts';
import { PROCESS_LIMITS, type ProcessLimits } from '../../../src/evaluate/canary/process-rules.ts';
import { canaryPolicy } from '../policy.ts';
import { LAYOUT, roll, START, seeded, type World } from '../world.ts';

function rollouts(count: number, seconds: number, world: World | ((seed: number) => World), limits: ProcessLimits = PROCESS_LIMITS) {
  return Array.from({ length: count }, (_, seed) => {
    const comparison = new CanaryComparison(canaryPolicy(), LAYOUT, START, limits);
    return roll(comparison, typeof world === 'function' ? world(seed) : world, seconds, seed);
  });
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1] as number;
}

/** A canary as healthy as its baseline, whose one pod has bursts of errors and pauses that the many pods of the baseline smooth out. */
function clumps(seed: number): World {
  const random = seeded(seed + 500);
  const starts = Array.from({ length: 5 }, (_, index) => Math.floor((index + 0.8 * random()) * 120));
  const isBurst = (second: number) => starts.some((start) => second >= start && second < start + 2);
  return {
    rate: 100,
    baseline: () => ({ errorRatio: 0.004 }),
    canary: (second) => ({ errorRatio: isBurst(second) ? 0.12 : 0.001, slowdown: isBurst(second) ? 2 : 1 }),
  };
}

describe('a healthy canary', () => {
  it.each([
    [10, 700, 13],
    [100, 330, 18],
  ])('of %d requests a second is never rolled back in 20 rollouts and mostly promoted', (rate, seconds, promoted) => {
    const outcomes = rollouts(20, seconds, { rate }).map(({ outcome }) => outcome);
    expect(outcomes.filter((outcome) => outcome === 'fail')).toEqual([]);
    expect(outcomes.filter((outcome) => outcome === 'pass').length).toBeGreaterThanOrEqual(promoted);
  });

  it('is not rolled back for clumps of errors and pauses', () => {
    expect(rollouts(8, 600, clumps).filter(({ outcome }) => outcome === 'fail')).toEqual([]);
  });

  it('would be rolled back for them without caps and tempering', () => {
    const unlimited: ProcessLimits = { blockCap: Infinity, windowCap: Infinity, isTempered: false };
    expect(rollouts(8, 600, clumps, unlimited).filter(({ outcome }) => outcome === 'fail').length).toBeGreaterThanOrEqual(7);
  });
});

describe('a sick canary is found', () => {
  it.each([
    ['5 % errors at 100 requests a second', { rate: 100, canary: () => ({ errorRatio: 0.05 }) }, 13],
    ['30 % errors at 100 requests a second', { rate: 100, canary: () => ({ errorRatio: 0.3 }) }, 6],
    ['1 % errors at 100 requests a second', { rate: 100, canary: () => ({ errorRatio: 0.01 }) }, 26],
    ['5 % errors at 10 requests a second', { rate: 10, canary: () => ({ errorRatio: 0.05 }) }, 26],
    ['a median 30 % slower at 100 requests a second', { rate: 100, canary: () => ({ slowdown: 1.3 }) }, 20],
    ['a median 20 % slower at 100 requests a second', { rate: 100, canary: () => ({ slowdown: 1.2 }) }, 37],
    ['a median 30 % slower at 10 requests a second', { rate: 10, canary: () => ({ slowdown: 1.3 }) }, 54],
  ] satisfies [string, World, number][])('with %s', (_, world, seconds) => {
    const found = rollouts(10, 120, world);
    expect(found.map(({ outcome }) => outcome)).toEqual(found.map(() => 'fail'));
    expect(median(found.map(({ second }) => second))).toBeLessThanOrEqual(seconds);
  });

  it('when it falls sick later, as soon as when it was so from the start or nearly', () => {
    const late: World = { rate: 100, canary: (second) => (second < 200 ? {} : { errorRatio: 0.05 }) };
    expect(median(rollouts(5, 260, late).map(({ second }) => second - 200))).toBeLessThanOrEqual(28);
  });
});
