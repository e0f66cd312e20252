/** How the policy of a run follows from what was configured and what the service has left. */
import { fc, test } from '@fast-check/vitest';
import { describe, expect, it } from 'vitest';
import { bakePolicy, PLAIN_STRICTNESS, runPolicy, strictnessOf } from '../../src/engine/run-policy.ts';
import { canaryPolicy } from '../evaluate/policy.ts';

describe('strictness', () => {
  it.each([
    ['an untouched budget', 1, 1, false],
    ['four fifths of it', 0.8, 0.8, false],
    ['half of it', 0.5, 0.5, false],
    ['a little of it', 0.01, 0.5, false],
    ['none of it', 0, 0.5, true],
    ['less than none', -3, 0.5, true],
    ['nothing to go by', null, 1, false],
  ] as const)('with %s', (_, left, factor, isOverspent) => {
    expect(strictnessOf({ strictness: 'budget' }, left)).toEqual({ factor, isOverspent });
    expect(strictnessOf({ strictness: 'fixed' }, left)).toEqual(PLAIN_STRICTNESS);
  });

  it('makes harm smaller and leaves what is good enough', () => {
    const policy = canaryPolicy();
    const strict = runPolicy(policy, { factor: 0.5, isOverspent: false });
    expect(strict.latency.p99).toEqual({ ...policy.latency.p99, ratio: 0.075, addUs: 2500 });
    expect(strict.errors).toEqual({ oddsRatio: 1.05, addRatio: 0.00025, passAddRatio: 0.005 });
    expect(strict.minPassMs).toBe(policy.minPassMs);
  });

  it.each([
    ['twice as long', 300_000, 600_000],
    ['at most for half of the time there is', 1_200_000, 1_800_000],
    ['never for less than configured', 3_000_000, 3_000_000],
  ])('lets a promotion wait %s once the budget is overspent', (_, minPassMs, expected) => {
    const policy = canaryPolicy({ minPassMs, horizonMs: 3_600_000 });
    expect(runPolicy(policy, { factor: 0.5, isOverspent: true }).minPassMs).toBe(expected);
  });
});

describe('a bake', () => {
  it('changes nothing where there is none', () => {
    const policy = canaryPolicy();
    expect(runPolicy(policy, PLAIN_STRICTNESS)).toEqual(policy);
  });

  test.prop([fc.double({ min: 1e-6, max: 0.49, noNaN: true }), fc.integer({ min: 1, max: 86_400_000 })])(
    'and its run together never have more than the configured chance of error',
    (alpha, bakeMs) => {
      const policy = canaryPolicy({ alpha, bakeMs });
      const [run, bake] = [runPolicy(policy, PLAIN_STRICTNESS), bakePolicy(policy, PLAIN_STRICTNESS)];
      expect(run.alpha + bake.alpha).toBeLessThanOrEqual(alpha * (1 + 1e-12));
      expect(bake.alpha).toBeGreaterThan(0);
      expect(bake.warmupMs).toBeLessThan(bakeMs);
    },
  );

  it('is as strict as its run', () => {
    const strictness = { factor: 0.6, isOverspent: false };
    const policy = canaryPolicy({ bakeMs: 600_000 });
    expect(bakePolicy(policy, strictness).latency).toEqual(runPolicy(policy, strictness).latency);
  });
});
