/** Weights move money between checks and never make any; what is muted is not there. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { checkRules } from '../../../src/evaluate/canary/check-rule.ts';
import type { CheckName, CheckSetting } from '../../../src/model/policy.ts';
import { canaryPolicy } from '../policy.ts';

const USUAL: CheckSetting = { weight: 1, isCritical: false, isMuted: false };
const rules = (changes: Partial<Record<CheckName, Partial<CheckSetting>>>) => {
  const checks = Object.fromEntries(
    Object.entries(canaryPolicy().checks).map(([name]) => [name, { ...USUAL, ...changes[name as CheckName] }]),
  );
  return checkRules(canaryPolicy({ checks: checks as Record<CheckName, CheckSetting> }));
};
const shares = (changes: Parameters<typeof rules>[0]) => Object.fromEntries(rules(changes).map(({ metric, weight }) => [metric, weight]));

describe('the money of an endpoint', () => {
  it.each<[string, Parameters<typeof rules>[0], Record<string, number>]>([
    ['as measured', {}, { p50: 0.15, p95: 0.2, p99: 0.25, errors: 0.25, p50x2: 0.05, errorsSevere: 0.1 }],
    ['doubled for p99', { p99: { weight: 2 } }, { p50: 0.12, p95: 0.16, p99: 0.4, errors: 0.2, p50x2: 0.04, errorsSevere: 0.08 }],
    [
      'doubled for errors, few and many',
      { errors: { weight: 2 } },
      { p50: 3 / 27, p95: 4 / 27, p99: 5 / 27, errors: 10 / 27, p50x2: 1 / 27, errorsSevere: 4 / 27 },
    ],
    ['without p50, and its severe sibling', { p50: { isMuted: true } }, { p95: 0.25, p99: 0.3125, errors: 0.3125, errorsSevere: 0.125 }],
    [
      'with errors alone',
      { p50: { isMuted: true }, p95: { isMuted: true }, p99: { isMuted: true } },
      { errors: 5 / 7, errorsSevere: 2 / 7 },
    ],
  ])('is split %s', (_, changes, expected) => {
    const split = shares(changes);
    expect(Object.keys(split)).toEqual(Object.keys(expected));
    for (const [metric, share] of Object.entries(expected)) expect(split[metric], metric).toBeCloseTo(share, 12);
  });

  it('adds up to 1 whatever the weights, and each weight raises its own share and lowers the others', () => {
    const setting = fc.record({ weight: fc.double({ min: 0.01, max: 100, noNaN: true }), isMuted: fc.boolean() });
    fc.assert(
      fc.property(
        fc.record({ p50: setting, p95: setting, p99: setting, errors: setting }),
        fc.double({ min: 1.1, max: 10, noNaN: true }),
        (all, more) => {
          const before = shares(all);
          fc.pre(Object.keys(before).length > 0);
          expect(Object.values(before).reduce((sum, share) => sum + share, 0)).toBeCloseTo(1, 12);
          const after = shares({ ...all, p99: { ...all.p99, weight: all.p99.weight * more } });
          for (const [metric, share] of Object.entries(after)) {
            if (metric === 'p99') expect(share).toBeGreaterThanOrEqual(before[metric] as number);
            else if (!all.p99.isMuted) expect(share).toBeLessThanOrEqual(before[metric] as number);
          }
        },
      ),
      { numRuns: 200 },
    );
  });

  it('has nobody to go to when all checks are muted', () => {
    const isMuted = { isMuted: true };
    expect(rules({ p50: isMuted, p95: isMuted, p99: isMuted, errors: isMuted })).toEqual([]);
  });
});
