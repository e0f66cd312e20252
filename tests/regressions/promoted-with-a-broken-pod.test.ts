/** A canary was promoted while one of its three pods failed half of its requests: by pods harm is silent of a single one, and health had been proven before. */
import { expect, it } from 'vitest';
import { CanaryComparison } from '../../src/evaluate/canary/comparison.ts';
import { likePods, podSlot } from '../evaluate/pods.ts';
import { canaryPolicy } from '../evaluate/policy.ts';
import { LAYOUT, START, seeded } from '../evaluate/world.ts';

it.each([
  { brokenFrom: Infinity, outcome: 'pass' },
  { brokenFrom: 200, outcome: 'inconclusive' },
])('health that was proven before a pod broke at $brokenFrom s is no reason to promote: $outcome', ({ brokenFrom, outcome }) => {
  const judged = new CanaryComparison(canaryPolicy(), LAYOUT, START);
  const random = seeded(1);
  for (let second = 0; second < 420; second++) {
    const canary = likePods(3, 30).map((pod) => ({ ...pod, errorRatio: pod.lane === 1 && second >= brokenFrom ? 0.5 : 0.001 }));
    judged.feed('GET /', START + second, podSlot(random, likePods(9, 270)), podSlot(random, canary));
    judged.endSlot(START + second);
  }
  expect(judged.judge().outcome).toBe(outcome);
  const errors = judged.judge().judgements.find(({ check }) => check === 'errors GET /');
  expect(errors).toMatchObject({ outcome, evidence: { level: 'pod' } });
  expect(judged.judge().unproven.includes('errors GET /')).toBe(outcome !== 'pass');
});
