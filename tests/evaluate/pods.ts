/** The synthetic service of `world.ts`, pod by pod: each pod has its own rate, failures and speed, and counts in a lane. */
import type { ArmSlot } from '../../src/evaluate/canary/arm-slot.ts';
import type { CanaryComparison } from '../../src/evaluate/canary/comparison.ts';
import { LANES } from '../../src/model/lane.ts';
import { slotStartMs } from '../../src/model/time.ts';
import { armSlot, LAYOUT, NOTHING, START, seeded, sparse } from './world.ts';

export interface Pod {
  readonly rate: number;
  readonly errorRatio: number;
  readonly slowdown: number;
  /** Multiplies latencies from 250 ms on, which are about 2 %; 1 by default. */
  readonly tail?: number;
  /** 1 to 9, or 0 for one that does not say its name. */
  readonly lane: number;
}

/** `count` like pods that share `rate`, in lanes 1 to 9 round and round. */
export function likePods(count: number, rate: number, errorRatio = 0.001, slowdown = 1): Pod[] {
  return Array.from({ length: count }, (_, index) => ({ rate: rate / count, errorRatio, slowdown, lane: 1 + (index % LANES) }));
}

/** One second of one release. */
export function podSlot(random: () => number, pods: readonly Pod[]): ArmSlot {
  return joined(
    pods.map((pod) => ({ lane: pod.lane, arm: stretched(armSlot(random, pod.rate, pod.errorRatio, pod.slowdown), pod.tail ?? 1) })),
  );
}

function stretched(arm: ArmSlot, tail: number): ArmSlot {
  if (tail === 1) return arm;
  const from = LAYOUT.index(250_000);
  const buckets = Array.from(arm.buckets, (bucket) => (bucket < from ? bucket : LAYOUT.index(LAYOUT.lowestUs(bucket) * tail)));
  return { ...arm, buckets };
}

/** The arms of some lanes as one; a lane may come more than once. */
export function joined(parts: readonly { readonly lane: number; readonly arm: ArmSlot }[]): ArmSlot {
  const lanes = Array.from({ length: LANES + 1 }, (_, lane) => merged(parts.filter((part) => part.lane === lane).map(({ arm }) => arm)));
  const start = [0];
  for (const arm of lanes) start.push((start.at(-1) as number) + arm.size);
  return {
    ...merged(lanes),
    lanes: {
      start,
      buckets: lanes.flatMap((arm) => Array.from(arm.buckets)),
      counts: lanes.flatMap((arm) => Array.from(arm.counts)),
      requests: lanes.map((arm) => arm.requests),
      failed: lanes.map((arm) => arm.failed),
    },
  };
}

function merged(arms: readonly ArmSlot[]): ArmSlot {
  if (arms.length === 1) return arms[0] as ArmSlot;
  let failed = 0;
  const buckets: number[] = [];
  for (const arm of arms) {
    failed += arm.failed;
    for (let i = 0; i < arm.size; i++) for (let n = 0; n < (arm.counts[i] as number); n++) buckets.push(arm.buckets[i] as number);
  }
  return sparse(failed, Uint16Array.from(buckets).sort());
}

/** Seconds of baseline that are drawn; they are dealt again and again. */
const HANDS = 200;

/** The baseline's slots, for many rollouts: 57 like pods of 1,900 requests a second by default. */
export function baselineHands(seed: number, pods: readonly Pod[] = likePods(57, 1900)): readonly ArmSlot[] {
  const random = seeded(seed);
  return Array.from({ length: HANDS }, () => podSlot(random, pods));
}

/** Primes five minutes and lets `seconds` pass; stops at proven harm. Returns the outcome, the second it came and the highest ln wealth. */
export function rollPods(
  comparison: CanaryComparison,
  hands: readonly ArmSlot[],
  canary: (second: number) => readonly Pod[],
  seconds: number,
  seed: number,
) {
  const random = seeded(seed);
  const dealt = () => hands[(random() * hands.length) | 0] as ArmSlot;
  for (let back = 300; back > 0; back--) comparison.prime('GET /', slotStartMs(START - back + 1), dealt());
  let highest = -Infinity;
  for (let second = 0; second < seconds; second++) {
    const pods = canary(second);
    comparison.feed('GET /', START + second, dealt(), pods.length === 0 ? NOTHING : podSlot(random, pods));
    comparison.endSlot(START + second);
    const { outcome, logWealth } = comparison.judge();
    highest = Math.max(highest, logWealth);
    if (outcome === 'fail') return { outcome, second: second + 1, highest };
  }
  return { outcome: comparison.judge().outcome, second: seconds, highest };
}
