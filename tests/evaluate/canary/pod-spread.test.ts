/** How far pods of one release are apart, estimated from the baseline, and what a tolerance below it leads to. */
import { describe, expect, it } from 'vitest';
import type { ArmSlot } from '../../../src/evaluate/canary/arm-slot.ts';
import { CanaryComparison } from '../../../src/evaluate/canary/comparison.ts';
import type { Edges } from '../../../src/evaluate/canary/edges.ts';
import { PodSpread } from '../../../src/evaluate/canary/pod-spread.ts';
import type { ComparisonEvidence, Judgement, PodSpreadEvidence } from '../../../src/model/judgement.ts';
import { baselineHands, joined, likePods, type Pod, rollPods } from '../pods.ts';
import { canaryPolicy } from '../policy.ts';
import { counted, LAYOUT, START } from '../world.ts';

/** The p95 of the synthetic service and 10 % above it. */
const EDGES: Edges = (() => {
  const [baseline, tolerated] = [LAYOUT.index(164_000), LAYOUT.index(180_400)];
  const toleratedRatio = LAYOUT.lowestUs(tolerated) / LAYOUT.lowestUs(baseline) - 1;
  return { baseline, tolerated, toleratedRatio, canary: tolerated, pass: tolerated };
})();

function spreadOf(slots: readonly ArmSlot[]): PodSpread {
  const spread = new PodSpread();
  for (const { lanes } of slots) if (lanes !== null && lanes !== undefined) spread.add(lanes, EDGES);
  return spread;
}

/** Pods whose speeds are evenly `sd` apart in the mean square. */
function unlike(count: number, rate: number, sd: number): Pod[] {
  const step = sd / Math.sqrt((count * count - 1) / 12);
  return likePods(count, rate).map((pod, index) => ({ ...pod, slowdown: 1 + step * (index - (count - 1) / 2) }));
}

describe('the spread of pods', () => {
  it.each([
    [9, 0.1],
    [9, 0.05],
    [4, 0.1],
    [3, 0.08],
  ])('of %d pods that are %d apart is found', (count, sd) => {
    const estimate = spreadOf(baselineHands(3, unlike(count, 1900, sd))).estimate(1);
    // The sample's standard deviation has the divisor n - 1.
    const true_ = sd * Math.sqrt(count / (count - 1));
    expect(estimate?.pods).toBe(count);
    expect(estimate?.relativeSd).toBeGreaterThan(0.75 * true_);
    expect(estimate?.relativeSd).toBeLessThan(1.3 * true_);
    expect(estimate?.leastSd).toBeLessThan(sd);
    expect(estimate?.leastSd).toBeGreaterThan(0.3 * sd);
  });

  it('of like pods is near nothing', () => {
    const least = Array.from({ length: 40 }, (_, seed) => spreadOf(baselineHands(seed + 10, likePods(9, 400))).estimate(1)?.leastSd ?? NaN);
    expect(least.filter((sd) => sd > 0).length).toBeLessThanOrEqual(6);
    expect(Math.max(...least)).toBeLessThan(0.02);
  });

  it('of a service that drifts as a whole is near nothing', () => {
    const slots = [0.7, 1, 1.5, 2].flatMap((slowdown, index) => baselineHands(50 + index, likePods(9, 900, 0.001, slowdown)).slice(0, 50));
    expect(spreadOf(slots).estimate(1)?.relativeSd).toBeLessThan(0.02);
  });

  it('counts what comes in clumps for less', () => {
    const spread = spreadOf(baselineHands(4, unlike(9, 300, 0.03)));
    expect(spread.estimate(20)?.relativeSd).toBeLessThan(spread.estimate(1)?.relativeSd ?? 0);
  });

  it.each([
    ['of two pods', spreadOf(baselineHands(5, likePods(2, 1900)))],
    ['of pods with few requests', spreadOf(baselineHands(6, likePods(9, 9)).slice(0, 30))],
    ['of nothing', new PodSpread()],
    ['of failures only', spreadOf(Array.from({ length: 50 }, () => joined([1, 2, 3].map((lane) => ({ lane, arm: counted(50, 50) })))))],
    ['where all requests are slow', spreadOf(Array.from({ length: 50 }, () => slow()))],
  ])('%s is not known', (_, spread) => {
    expect(spread.estimate(1)).toBeNull();
  });

  function slow(): ArmSlot {
    return joined(
      [1, 2, 3].map((lane) => ({ lane, arm: { requests: 50, failed: 0, size: 1, buckets: [LAYOUT.index(900_000)], counts: [50] } })),
    );
  }

  it('is the same to the bit after a restart', () => {
    const hands = baselineHands(7, unlike(9, 300, 0.05));
    const through = spreadOf(hands);
    const first = PodSpread.restore(JSON.parse(JSON.stringify(spreadOf(hands.slice(0, 80)).snapshot())));
    for (const { lanes } of hands.slice(80)) if (lanes !== null && lanes !== undefined) first.add(lanes, EDGES);
    expect(first.snapshot()).toEqual(through.snapshot());
    expect(first.estimate(1)).toEqual(through.estimate(1));
  });
});

describe('a tolerance below the spread of pods', () => {
  const hands = baselineHands(8, unlike(9, 1900, 0.12));
  /** Two pods as slow as the slower ones of the baseline: too few to judge by pods. */
  const slower = () => likePods(2, 100).map((pod) => ({ ...pod, slowdown: 1.16 }));

  function rolled(dealt: readonly ArmSlot[], seconds: number): { outcome: string; judgements: readonly Judgement[] } {
    const judged = new CanaryComparison(canaryPolicy(), LAYOUT, START);
    const { outcome } = rollPods(judged, dealt, slower, seconds, 4);
    return { outcome, judgements: judged.judge().judgements };
  }

  it('is widened and told, so that a slow pod is not taken for a slow release', () => {
    const { outcome, judgements } = rolled(hands, 300);
    expect(outcome).not.toBe('fail');
    const told = judgements.find(({ check }) => check === 'pod spread p50 GET /');
    expect(told).toMatchObject({
      outcome: 'inconclusive',
      reason: 'tolerance_too_small',
      evidence: { kind: 'spread', metric: 'p50', pods: 9 },
    });
    const spread = told?.evidence as PodSpreadEvidence | undefined;
    expect(spread?.relativeSd).toBeGreaterThan(0.1);
    expect(spread?.toleranceRatio).toBeLessThan(0.13);
    const edges = judgements.find(({ check }) => check === 'p50 GET /')?.evidence as ComparisonEvidence | undefined;
    expect((edges?.canaryEdgeUs ?? 0) / (edges?.baselineEdgeUs ?? 1)).toBeGreaterThan(1.16);
  });

  it('does not hide harm that is larger', () => {
    const judged = new CanaryComparison(canaryPolicy(), LAYOUT, START);
    expect(rollPods(judged, hands, () => likePods(3, 100, 0.001, 2), 120, 4).outcome).toBe('fail');
  });

  it('is as good as any other when pods are alike or say no names', () => {
    const alike = rolled(baselineHands(9, likePods(9, 1900)), 300);
    expect(alike.outcome).toBe('fail');
    expect(alike.judgements.filter(({ evidence }) => evidence.kind === 'spread')).toEqual([]);
    expect(
      rolled(
        hands.map((arm) => ({ ...arm, lanes: null })),
        300,
      ).outcome,
    ).toBe('fail');
  });

  it('does not come from chance: like pods are judged by the policy alone', () => {
    for (let seed = 0; seed < 4; seed++) {
      const judged = new CanaryComparison(canaryPolicy(), LAYOUT, START);
      rollPods(judged, baselineHands(20 + seed, likePods(9, 1900)), () => likePods(3, 100), 120, seed);
      expect(judged.judge().judgements.filter(({ evidence }) => evidence.kind === 'spread')).toEqual([]);
    }
  });
});
