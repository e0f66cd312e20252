/** A check read "pass" beside overwhelming evidence of harm, because its health had been proven before the canary turned bad. */
import { expect, it } from 'vitest';
import { CanaryComparison } from '../../src/evaluate/canary/comparison.ts';
import type { ComparisonEvidence, Judgement } from '../../src/model/judgement.ts';
import { canaryPolicy } from '../evaluate/policy.ts';
import { armSlot, LAYOUT, START, seeded } from '../evaluate/world.ts';

it('a check whose health was proven earlier passes no longer once it gathers evidence of harm', () => {
  const comparison = new CanaryComparison(canaryPolicy({ alpha: 1e-9 }), LAYOUT, START);
  const random = seeded(11);
  const p95 = (): Judgement => comparison.judge().judgements.find(({ check }) => check === 'p95 GET /') as Judgement;
  const watch = (from: number, to: number, slowdown: number): void => {
    for (let slot = START + from; slot < START + to; slot++) {
      comparison.feed('GET /', slot, armSlot(random, 500, 0.001), armSlot(random, 100, 0.001, slowdown));
      comparison.endSlot(slot);
    }
  };
  watch(0, 300, 1);
  expect(p95()).toMatchObject({ outcome: 'pass', reason: 'health_proven' });
  watch(300, 312, 3);
  expect((p95().evidence as ComparisonEvidence).logE).toBeGreaterThan(0);
  expect(p95().outcome).not.toBe('pass');
});
