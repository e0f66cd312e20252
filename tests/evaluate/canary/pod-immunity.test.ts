/** No single pod can roll a release back, whatever it does and however long, and neither can pods that have their incidents apart. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ArmSlot } from '../../../src/evaluate/canary/arm-slot.ts';
import { CanaryComparison } from '../../../src/evaluate/canary/comparison.ts';
import { LANE_GROUPS } from '../../../src/model/lane.ts';
import { slotStartMs } from '../../../src/model/time.ts';
import { baselineHands, joined, likePods, type Pod, podSlot, rollPods } from '../pods.ts';
import { canaryPolicy } from '../policy.ts';
import { armSlot, LAYOUT, START, seeded } from '../world.ts';

const LIMIT = Math.log(100);
const HANDS = baselineHands(1);

/** With everything on that can prove harm. */
const POLICY = canaryPolicy({
  maxErrorRatio: 0.0144,
  criteria: [
    { text: 'p95 < 500ms', endpoint: null, limitRatio: 0.05, edgeUs: 500_000 },
    { text: 'errors < 1%', endpoint: 'GET /', limitRatio: 0.01, edgeUs: null },
  ],
});

function comparison(): CanaryComparison {
  return new CanaryComparison(POLICY, LAYOUT, START);
}

/** Highest ln wealth over seconds in which two of three pods are healthy and the third is what `third` says. */
function highest(seed: number, group: number, third: readonly ArmSlot[]): number {
  const random = seeded(seed);
  const dealt = () => HANDS[(random() * HANDS.length) | 0] as ArmSlot;
  const judged = comparison();
  for (let back = 60; back > 0; back--) judged.prime('GET /', slotStartMs(START - back + 1), dealt());
  let most = -Infinity;
  third.forEach((arm, second) => {
    const parts = Array.from({ length: LANE_GROUPS }, (_, index) => ({
      lane: 1 + index,
      arm: index === group ? arm : armSlot(random, 33, 0.001),
    }));
    judged.feed('GET /', START + second, dealt(), joined(parts));
    judged.endSlot(START + second);
    most = Math.max(most, judged.judge().logWealth);
  });
  return most;
}

function spellOf(requests: number, failed: number): ArmSlot {
  const served = requests - failed;
  return { requests, failed, size: served > 0 ? 1 : 0, buckets: [0], counts: [served] };
}

describe('one of three pods', () => {
  const ruin: Partial<Pod> = { errorRatio: 0.5, slowdown: 8 };
  const worst = (broken: Partial<Pod>, from: number) => (second: number) =>
    likePods(3, 100).map((pod, index) => (index === 1 && second >= from ? { ...pod, ...broken } : pod));

  it.each([
    ['from the start', ruin, 0],
    ['after a while', ruin, 45],
    ['with failures alone', { errorRatio: 1 }, 20],
    ['with latencies alone', { slowdown: 50 }, 20],
  ])('that is broken for ten minutes rolls nothing back: %s', (_, broken, from) => {
    expect(rollPods(comparison(), HANDS, worst(broken, from), 600, 2).highest).toBeLessThan(LIMIT);
  });

  it('would roll it back within seconds if spans did not name pods', () => {
    const unnamed = (second: number) => worst(ruin, 20)(second).map((pod) => ({ ...pod, lane: 0 }));
    expect(rollPods(comparison(), HANDS, unnamed, 60, 2).second).toBeLessThan(30);
  });

  it('may do anything for any time, but have nearly all requests of the canary most of the time', () => {
    const arm = fc
      .record({
        requests: fc.constantFrom(0, 1, 5, 33, 400, 20_000),
        failedPart: fc.constantFrom(0, 0, 0.05, 0.5, 1),
        bucket: fc.nat(1200),
      })
      .map(({ requests, failedPart, bucket }): ArmSlot => {
        return { ...spellOf(requests, Math.floor(requests * failedPart)), buckets: [bucket] };
      });
    const spell = fc
      .tuple(arm, fc.constantFrom(1, 1, 2, 5, 12, 35))
      .map(([of, seconds]): [ArmSlot, number] => [of, of.requests > 100 ? Math.min(5, seconds) : seconds]);
    const spells = fc.array(spell, { minLength: 4, maxLength: 16 });
    const quiet = spellOf(0, 0);
    const storm = spellOf(20_000, 0);
    // Once judged by requests, as the pod had more than 80 % of all that were sent so far.
    const storms: [ArmSlot, number][] = [
      [quiet, 210],
      [storm, 2],
      [quiet, 35],
      [storm, 2],
      [quiet, 35],
      [spellOf(33, 16), 35],
    ];
    fc.assert(
      fc.property(fc.nat(10_000), fc.nat(LANE_GROUPS - 1), spells, (seed, group, drawn) => {
        const third = drawn.flatMap(([spell, seconds]) => Array.from({ length: seconds }, () => spell));
        expect(highest(seed, group, third)).toBeLessThan(LIMIT);
      }),
      { numRuns: 150, examples: [[0, 0, storms]] },
    );
  });
});

describe('three pods', () => {
  /** Seconds of a pod's incidents: on average one in `everySeconds`, each of `seconds`. */
  function incidents(seed: number, everySeconds: number, seconds: number, until: number) {
    const random = seeded(seed + 70_000);
    return Array.from({ length: 3 }, () => {
      const starts: number[] = [];
      for (let at = 0; ; ) {
        at -= everySeconds * Math.log(1 - random());
        if (at >= until) return (second: number) => starts.some((start) => second >= start && second < start + seconds);
        starts.push(at);
      }
    });
  }

  function falseAlarms(rollouts: number, seconds: number, every: number, length: number, hands: readonly ArmSlot[], broken: Partial<Pod>) {
    return Array.from({ length: rollouts }, (_, seed) => {
      const isBroken = incidents(seed, every, length, seconds);
      const pods = likePods(3, 100);
      const canary = (second: number) => pods.map((pod, index) => (isBroken[index]?.(second) === true ? { ...pod, ...broken } : pod));
      return rollPods(comparison(), hands, canary, seconds, seed).outcome;
    }).filter((outcome) => outcome === 'fail').length;
  }

  it('that stall for twenty seconds now and then are not rolled back', () => {
    expect(falseAlarms(20, 1800, 3600, 20, HANDS, { slowdown: 1.6 })).toBe(0);
  });

  it('whose failures and pauses come in clumps are not rolled back', () => {
    const clumpy = baselineHands(2, likePods(57, 1900, 0.003, 1.01));
    expect(falseAlarms(30, 600, 120, 2, clumpy, { errorRatio: 0.12, slowdown: 2 })).toBe(0);
  });

  it('that fail one after the other are not rolled back', () => {
    const random = seeded(5);
    const canary = (second: number) =>
      likePods(3, 100).map((pod, index) =>
        second % 90 >= index * 30 && second % 90 < index * 30 + 20 ? { ...pod, errorRatio: 0.3 } : pod,
      );
    expect(podSlot(random, canary(5)).failed).toBeGreaterThan(3);
    expect(rollPods(comparison(), HANDS, canary, 900, 5).highest).toBeLessThan(LIMIT);
  });
});

it('one sick pod of three proves nothing on many quiet endpoints, where it may be the only one heard of for minutes', () => {
  const names = Array.from({ length: 20 }, (_, index) => `GET /${index}`);
  for (const seed of [1, 2]) {
    const random = seeded(seed);
    const judged = comparison();
    for (let second = 0; second < 400; second++) {
      const canary = likePods(3, 0.1).map((pod, index) => (index === 0 && second >= 60 ? { ...pod, errorRatio: 0.5 } : pod));
      for (const name of names) judged.feed(name, START + second, podSlot(random, likePods(9, 1.9)), podSlot(random, canary));
      judged.endSlot(START + second);
    }
    expect(judged.judge().logWealth).toBeLessThan(LIMIT);
    expect(judged.judge().outcome).not.toBe('fail');
  }
});
