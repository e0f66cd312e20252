/** Objectives, budgets and burn rates against published and hand-computed numbers. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { burnRate } from '../../../src/evaluate/slo/burn-rate.ts';
import { budgetRemaining, judgeObjective } from '../../../src/evaluate/slo/judge-objective.ts';
import { errorBudget } from '../../../src/model/error-budget.ts';
import type { Objective } from '../../../src/model/objective.ts';
import { objective as someObjective } from '../../support/policies.ts';

function objective(target: number): Objective {
  return someObjective({ id: 'checkout:availability', service: 'checkout', target });
}

describe('the error budget', () => {
  it.each([
    [0.9, 0.1],
    [0.95, 0.05],
    [0.99, 0.01],
    [0.999, 0.001],
    [0.9995, 0.0005],
    [0.9999, 0.0001],
    [0.99999, 0.00001],
    [0.999999, 0.000001],
  ])('of a target of %d is %d, to the digit', (target, budget) => {
    expect(errorBudget(target)).toBe(budget);
  });
});

describe('the burn rate', () => {
  it.each([
    ['the budget’s own pace', 1, 1000, 0.999, 1],
    ['the page of the Workbook’s first row: 2 % of 30 days in 1 h', 144, 10_000, 0.999, 14.4],
    ['its second row: 5 % in 6 h', 60, 10_000, 0.999, 6],
    ['the four-hourly pair of its expression: 10 % in 1 d', 30, 10_000, 0.999, 3],
    ['its ticket: 10 % in 3 d', 10, 10_000, 0.999, 1],
    ['one failure of ten an hour, 100 and not the printed 1,000', 1, 10, 0.999, 100],
    ['a total outage at 99 %', 50, 50, 0.99, 100],
    ['a total outage at 90 %, which can never reach 14.4', 50, 50, 0.9, 10],
    ['no failures', 0, 500, 0.999, 0],
    ['no requests', 0, 0, 0.999, 0],
  ])('of %s', (_, bad, valid, target, rate) => {
    expect(burnRate(bad, valid, target)).toBeCloseTo(rate, 9);
  });

  it.each([
    [14.4, 1, 2],
    [6, 6, 5],
    [3, 24, 10],
    [1, 72, 10],
  ])('of %d over %d h spends %d %% of a 30-day budget', (rate, hours, percent) => {
    const perHour = 1000;
    const bad = rate * errorBudget(0.999) * perHour * hours;
    expect(burnRate(bad, perHour * hours, 0.999)).toBeCloseTo(rate, 9);
    expect(1 - budgetRemaining(0.999, { valid: perHour * 720, bad })).toBeCloseTo(percent / 100, 9);
  });
});

describe('an objective', () => {
  it.each([
    ['is met with nothing bad', 0.999, 1000, 0, 'pass', 'objective_met', 1],
    ['is met with the budget just spent', 0.999, 1000, 1, 'pass', 'objective_met', 0],
    ['is breached with one more', 0.999, 1000, 2, 'fail', 'objective_breached', -1],
    ['is met at the limit where binary fractions would say otherwise', 0.9, 10, 1, 'pass', 'objective_met', 0],
    ['is met at the limit of a large window', 0.9995, 2_000_000_000, 1_000_000, 'pass', 'objective_met', 0],
    ['is breached one beyond the limit of a large window', 0.9995, 2_000_000_000, 1_000_001, 'fail', 'objective_breached', -0.000001],
    ['keeps three quarters', 0.99, 10_000, 25, 'pass', 'objective_met', 0.75],
    ['is overspent by half', 0.99, 10_000, 150, 'fail', 'objective_breached', -0.5],
    ['is overspent without limit', 0.999, 10, 10, 'fail', 'objective_breached', -999],
    ['takes weighted counts', 0.9, 12.5, 1.25, 'pass', 'objective_met', 0],
  ] as const)('%s', (_, target, valid, bad, outcome, reason, remaining) => {
    const judgement = judgeObjective(objective(target), { valid, bad });
    expect(judgement).toMatchObject({ check: 'checkout:availability', outcome, reason });
    expect(judgement.evidence).toMatchObject({ kind: 'objective', good: valid - bad, valid, target, sli: (valid - bad) / valid });
    expect((judgement.evidence as { budgetRemaining: number }).budgetRemaining).toBeCloseTo(remaining, 12);
  });

  it('without valid requests is inconclusive and shows no numbers', () => {
    const judgement = judgeObjective(objective(0.999), { valid: 0, bad: 0 });
    expect(judgement).toMatchObject({ outcome: 'inconclusive', reason: 'no_data', evidence: { sli: null, budgetRemaining: null } });
  });

  it('never gets better with more bad requests', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1e6 }), fc.nat(1e6), fc.constantFrom(0.9, 0.99, 0.999), (valid, part, target) => {
        const bad = part % valid;
        const [less, more] = [bad, bad + 1].map((count) => judgeObjective(objective(target), { valid, bad: count }));
        return !(less?.outcome === 'fail' && more?.outcome === 'pass');
      }),
    );
  });
});
