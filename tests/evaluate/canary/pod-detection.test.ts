/** How soon harm that all pods share is proven by pods: strong harm sooner than by requests, small harm not much later. */
import { describe, expect, it } from 'vitest';
import { CanaryComparison } from '../../../src/evaluate/canary/comparison.ts';
import { baselineHands, likePods, type Pod, rollPods } from '../pods.ts';
import { canaryPolicy } from '../policy.ts';
import { LAYOUT, START } from '../world.ts';

const HANDS = baselineHands(1);

/** Seconds until harm is proven, ascending; beyond all others where it is not within `limit`. */
function delays(rollouts: number, limit: number, changes: Partial<Pod>): number[] {
  return Array.from({ length: rollouts }, (_, seed) => {
    const sick = likePods(3, 100).map((pod) => ({ ...pod, ...changes }));
    const { outcome, second } = rollPods(new CanaryComparison(canaryPolicy(), LAYOUT, START), HANDS, () => sick, limit, seed);
    return outcome === 'fail' ? second : Infinity;
  }).sort((a, b) => a - b);
}

function median(values: readonly number[]): number {
  return values[values.length >> 1] as number;
}

/** Of a canary with ten requests a second. */
const HANDS_OF_TEN = baselineHands(9, likePods(9, 190));

describe('harm of three pods, 100 requests a second, a twentieth of the traffic', () => {
  it('of 5 % failures instead of 0.1 % is proven within five seconds', () => {
    const found = delays(60, 60, { errorRatio: 0.05 });
    expect(median(found)).toBeLessThanOrEqual(5);
    expect(found.at(-1)).toBeLessThanOrEqual(15);
  });

  it.each([
    ['30 % failures', { errorRatio: 0.3 }, 4],
    ['1 % failures', { errorRatio: 0.01 }, 40],
    ['a median 30 % slower', { slowdown: 1.3 }, 20],
    ['a median 20 % slower', { slowdown: 1.2 }, 40],
    ['a slowest fiftieth twice as slow', { tail: 2 }, 90],
  ] satisfies [string, Partial<Pod>, number][])('of %s is proven in time', (_, changes, seconds) => {
    const found = delays(20, 300, changes);
    expect(median(found)).toBeLessThanOrEqual(seconds);
    expect(found.filter((each) => each < Infinity).length).toBeGreaterThanOrEqual(19);
  });

  it('is found though the pods have little in common but the harm', () => {
    const uneven = [20, 30, 50].map((rate, index) => ({ rate, lane: index + 1, errorRatio: 0.05, slowdown: 1 + index / 20 }));
    const { outcome, second } = rollPods(new CanaryComparison(canaryPolicy(), LAYOUT, START), HANDS, () => uneven, 60, 3);
    expect(outcome).toBe('fail');
    expect(second).toBeLessThanOrEqual(15);
  });
});

it('a sick canary whose one pod has nearly all of its requests is found by requests, nearly as soon as when pods have no names', () => {
  const found = (lanes: readonly number[]) =>
    [1, 2, 3].map((seed) => {
      const pods = [9.6, 0.2, 0.2].map((rate, index) => ({ rate, slowdown: 1, lane: lanes[index] as number }));
      const canary = (second: number) => pods.map((pod) => ({ ...pod, errorRatio: second < 400 ? 0.001 : 0.1 }));
      return rollPods(new CanaryComparison(canaryPolicy(), LAYOUT, START), HANDS_OF_TEN, canary, 600, seed).second;
    });
  const [named, unnamed] = [found([1, 2, 3]), found([0, 0, 0])];
  for (const [index, second] of named.entries()) expect(Math.abs(second - (unnamed[index] ?? 0))).toBeLessThan(20);
});
