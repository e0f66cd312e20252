/** A spent error budget halves what is tolerated; an untouched or unknown one changes nothing. */
import { describe, expect, it } from 'vitest';
import { stricterPolicy, strictness } from '../../../src/evaluate/canary/strictness.ts';
import { canaryPolicy } from '../policy.ts';

describe('strictness', () => {
  it.each([
    ['budget', 1, 1],
    ['budget', 0.25, 0.625],
    ['budget', 0, 0.5],
    ['budget', -3, 0.5],
    ['budget', null, 1],
    ['fixed', 0, 1],
  ] as const)('%s with a remaining budget of %s multiplies tolerances by %d', (kind, remaining, factor) => {
    expect(strictness(canaryPolicy({ strictness: kind }), remaining)).toBe(factor);
  });

  it('shrinks tolerances and margins alike, so health stays provable, and keeps the identity', () => {
    const strict = stricterPolicy(canaryPolicy(), 0.5);
    expect(strict).toMatchObject({
      id: canaryPolicy().id,
      latency: { p95: { ratio: 0.05, addUs: 2500, passRatio: 0.15, passAddUs: 5000 } },
      errors: { addRatio: 0.00025, passAddRatio: 0.0025 },
    });
    expect(strict.errors.oddsRatio).toBeCloseTo(1.05, 12);
  });

  it('of 1 is the policy itself', () => {
    const policy = canaryPolicy();
    expect(stricterPolicy(policy, 1)).toBe(policy);
  });
});
