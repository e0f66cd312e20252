/** A span named `(all)` was mistaken for the checks across the whole service: its evidence had no times, and its checks their names. */
import { expect, it } from 'vitest';
import { CanaryComparison } from '../../src/evaluate/canary/comparison.ts';
import { canaryPolicy } from '../evaluate/policy.ts';
import { armSlot, LAYOUT, START, seeded } from '../evaluate/world.ts';

it('an endpoint named like all endpoints together is counted and not judged', () => {
  const judged = new CanaryComparison(canaryPolicy(), LAYOUT, START);
  const random = seeded(4);
  for (let slot = START; slot < START + 100; slot++) {
    for (const endpoint of ['(all)', 'GET /', 'GET /b'])
      judged.feed(endpoint, slot, armSlot(random, 50, 0.001), armSlot(random, 20, 0.001));
    judged.endSlot(slot);
  }
  const { judgements } = judged.judge();
  expect(judgements.filter(({ check }) => check === 'errors (all)')).toHaveLength(1);
  expect(judgements.find(({ check }) => check === 'errors (other)')?.reason).toBe('overflow');
  for (const { evidence } of judgements) if ('trail' in evidence) for (const { at } of evidence.trail) expect(at).toBeGreaterThan(0);
});
