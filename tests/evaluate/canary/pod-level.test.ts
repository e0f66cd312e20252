/** When a comparison goes by pods and when by requests, and that its wealth passes from one to the other unharmed. */
import { describe, expect, it } from 'vitest';
import type { ArmSlot } from '../../../src/evaluate/canary/arm-slot.ts';
import { HARM_BETS } from '../../../src/evaluate/canary/block-evidence.ts';
import { type CheckRule, checkRules } from '../../../src/evaluate/canary/check-rule.ts';
import { CanaryComparison } from '../../../src/evaluate/canary/comparison.ts';
import { HarmTest } from '../../../src/evaluate/canary/harm-test.ts';
import type { ComparisonEvidence } from '../../../src/model/judgement.ts';
import { LANE_GROUPS } from '../../../src/model/lane.ts';
import { likePods, type Pod, podSlot } from '../pods.ts';
import { canaryPolicy } from '../policy.ts';
import { armSlot, LAYOUT, START, seeded } from '../world.ts';

function comparison(): CanaryComparison {
  return new CanaryComparison(canaryPolicy(), LAYOUT, START);
}

function level(judged: CanaryComparison): string | undefined {
  const said = judged.judge().judgements.find(({ check }) => check === 'errors GET /');
  return (said?.evidence as ComparisonEvidence | undefined)?.level;
}

type Arms = (second: number, random: () => number) => readonly [baseline: ArmSlot, canary: ArmSlot];

/** Feeds seconds from `from` up to `to`. */
function feed(judged: CanaryComparison, from: number, to: number, arms: Arms): CanaryComparison {
  for (let second = from; second < to; second++) {
    const [baseline, canary] = arms(second, seeded(second));
    judged.feed('GET /', START + second, baseline, canary);
    judged.endSlot(START + second);
  }
  return judged;
}

const PODS = likePods(3, 100);
const baseline = (random: () => number) => podSlot(random, likePods(9, 400));
const of =
  (pods: readonly Pod[]): Arms =>
  (_, random) => [baseline(random), podSlot(random, pods)];
const nameless = (arm: ArmSlot): ArmSlot => ({ ...arm, lanes: null });
/** Adds requests without a latency. */
const untimed = (arm: ArmSlot, requests: number): ArmSlot => ({ ...arm, requests: arm.requests + requests });

describe('a comparison goes by', () => {
  it.each<[string, 'pod' | 'request', Arms]>([
    ['pods, when three of each release say their names', 'pod', of(PODS)],
    ['pods, when there are many', 'pod', of(likePods(20, 100))],
    ['requests, when the canary has two pods', 'request', of(likePods(2, 100))],
    ['requests, when spans name no pods', 'request', (_, random) => [nameless(baseline(random)), nameless(podSlot(random, PODS))]],
    ['requests, when only the canary names its pods', 'request', (_, random) => [nameless(baseline(random)), podSlot(random, PODS)]],
    ['requests, when a fiftieth comes without a name', 'request', of([...PODS, { rate: 2, errorRatio: 0, slowdown: 1, lane: 0 }])],
    ['requests, when a tenth has no latency', 'request', (_, random) => [untimed(baseline(random), 45), podSlot(random, PODS)]],
    ['requests, when a tenth of the canary has none', 'request', (_, random) => [baseline(random), untimed(podSlot(random, PODS), 12)]],
  ])('%s', (_, expected, arms) => {
    const judged = feed(comparison(), 0, 40, arms);
    expect(level(judged)).toBe(expected);
    expect(Number.isFinite(judged.judge().logWealth)).toBe(true);
  });

  it('pods from the second block on', () => {
    const judged = feed(comparison(), 0, 1, of(PODS));
    expect(level(judged)).toBe('request');
    expect(level(feed(judged, 1, 2, of(PODS)))).toBe('pod');
  });

  it('requests again when a pod has died for half a minute, and by pods when another has taken its place', () => {
    const died = PODS.slice(0, 2);
    const judged = feed(comparison(), 0, 60, of(PODS));
    expect(level(feed(judged, 60, 88, of(died)))).toBe('pod');
    expect(level(feed(judged, 88, 100, of(died)))).toBe('request');
    const replaced = [...died, { rate: 33, errorRatio: 0.001, slowdown: 1, lane: 6 }];
    expect(level(feed(judged, 100, 102, of(replaced)))).toBe('pod');
  });

  it('whichever it can, and finds harm by both', () => {
    const sick = (pods: readonly Pod[]) => of(pods.map((pod) => ({ ...pod, errorRatio: 0.2 })));
    const alone = feed(comparison(), 0, 60, of(PODS));
    feed(alone, 60, 120, of(PODS.slice(0, 2)));
    expect(alone.judge().outcome).toBe('inconclusive');
    expect(feed(alone, 120, 150, sick(PODS.slice(0, 2))).judge().outcome).toBe('fail');
    const together = feed(comparison(), 0, 60, of(PODS));
    expect(feed(together, 60, 90, sick(PODS)).judge().outcome).toBe('fail');
    expect(level(together)).toBe('pod');
  });

  it('pods endpoint by endpoint', () => {
    const judged = comparison();
    for (let second = 0; second < 20; second++) {
      const random = seeded(second);
      judged.feed('GET /', START + second, baseline(random), podSlot(random, PODS));
      judged.feed('GET /old', START + second, armSlot(random, 90, 0.001), armSlot(random, 9, 0.001));
      judged.endSlot(START + second);
    }
    const levels = new Map(judged.judge().judgements.map(({ check, evidence }) => [check, (evidence as ComparisonEvidence).level]));
    expect([levels.get('p95 GET /'), levels.get('p95 GET /old')]).toEqual(['pod', 'request']);
  });
});

describe('the saved state', () => {
  /** Nameless, by pods, one pod dead, a gap, by pods again and sick. */
  const story: Arms = (second, random) => {
    const pods = second < 60 || second >= 110 ? PODS : PODS.slice(1);
    const errorRatio = second >= 130 ? 0.02 : 0.002;
    const arms = of(pods.map((pod) => ({ ...pod, errorRatio })))(second, random);
    return second < 12 ? [nameless(arms[0]), nameless(arms[1])] : arms;
  };

  it('continues to the bit whatever it goes by, and while it changes', () => {
    const run = (restartAt: number | null) => {
      let judged = comparison();
      const said: unknown[] = [];
      for (let second = 0; second < 150; second++) {
        if (second === restartAt) judged = CanaryComparison.restore(canaryPolicy(), LAYOUT, JSON.parse(JSON.stringify(judged.snapshot())));
        if (second === 100) continue;
        judged.skipTo(START + second);
        feed(judged, second, second + 1, story);
        if (second > 145) said.push(JSON.stringify(judged.judge()));
      }
      return { said, state: judged.snapshot() };
    };
    const through = run(null);
    for (const restartAt of [1, 11, 12, 13, 14, 61, 89, 92, 95, 101, 112, 140]) expect(run(restartAt)).toEqual(through);
  });

  it('holds only finite numbers', () => {
    const judged = feed(comparison(), 0, 60, of(PODS.map((pod) => ({ ...pod, errorRatio: 1 }))));
    const text = JSON.stringify(judged.snapshot(), (_, value) => (typeof value === 'number' && !Number.isFinite(value) ? 'broken' : value));
    expect(text).not.toContain('broken');
  });
});

describe('the wealth of a check', () => {
  const rules = checkRules(canaryPolicy());
  const bets = HARM_BETS.length;
  const gain = (each: number) => new Float64Array(bets).fill(each);
  const byGroup = (...each: readonly number[]) => Float64Array.from(each.flatMap((value) => Array.from(gain(value))));
  const none = byGroup(...Array.from({ length: LANE_GROUPS }, () => 0));

  it.each(rules.map((rule) => [rule.metric, rule] as const))('is the same after pods took over as before: %s', (_, rule) => {
    const wealth = new HarmTest(rule, 1000);
    for (let second = 1; second <= 8; second++) wealth.update(second * 1000, gain(second % 2 === 0 ? 1.5 : -0.2));
    const before = wealth.logE;
    wealth.updateByPod(8500, 100, none);
    expect(wealth.logE).toBeCloseTo(before, 12);
    expect(wealth.isByPod).toBe(true);
  });

  it.each(rules.map((rule) => [rule.metric, rule] as const))('does not gain by what two groups show and one does not: %s', (_, rule) => {
    const wealth = new HarmTest(rule, 1000);
    for (let second = 1; second <= 600; second++) wealth.updateByPod(second * 1000, 100, byGroup(2.3, -0.01, 2.3));
    expect(wealth.logE).toBeLessThanOrEqual(0);
  });

  it('gains by what is left without any group, and is capped by the window again when pods are lost', () => {
    const errors = rules.find(({ metric }) => metric === 'errors') as CheckRule;
    const cap = errors.harmRules.windowCap;
    const byPod = new HarmTest(errors, 5000);
    for (let second = 5; second < 10; second++) byPod.updateByPod(second * 1000, 100, byGroup(2, 2, 2));
    expect(byPod.logE).toBeGreaterThan(10 - Math.log(4) - 0.01);
    const before = byPod.logE;
    for (let second = 10; second < 15; second++) byPod.update(second * 1000, gain(2));
    expect(byPod.logE - before).toBeLessThanOrEqual(cap + 0.01);
  });

  it('does not add up incidents of different groups that lie apart, unless requests are too few to tell', () => {
    const errors = rules.find(({ metric }) => metric === 'errors') as CheckRule;
    const logEAfter = (requests: number) => {
      const wealth = new HarmTest(errors, 1000);
      for (let second = 1; second <= 180; second++) {
        const sick = Math.floor((second % 180) / 60);
        const isSick = second % 60 < 15;
        // Whoever leaves out the group with the incident sees nothing of it.
        const seen = [0, 1, 2].map((left) => (isSick && left !== sick ? 0.5 : -0.01));
        wealth.updateByPod(second * 1000, requests, byGroup(...seen));
      }
      return wealth.logE;
    };
    expect(logEAfter(100)).toBeLessThan(0);
    expect(logEAfter(1)).toBeGreaterThan(5);
  });
});
