/** How objectives are ranked and their incidents taken together. */
import { describe, expect, it } from 'vitest';
import { episodes, stateOf } from '../../src/engine/slo-report.ts';
import { budgetLeft } from '../../src/model/error-budget.ts';

describe('the state of an objective', () => {
  it.each([
    ['nothing valid is no data, however it burns', 0, 0, 0, 9, 'no_data'],
    ['all spent is not overspent', 1000, 100, 100, 0, 'met'],
    ['one more is', 1000, 101, 100, 0, 'breached'],
    ['overspent is breached, also while it burns', 1000, 101, 100, 5, 'breached'],
    ['burning above 1 is at risk', 1000, 10, 100, 1.001, 'at_risk'],
    ['burning at 1 lasts exactly for the window', 1000, 10, 100, 1, 'met'],
    ['without traffic in the last hour it stays met', 1000, 10, 100, null, 'met'],
  ] as const)('%s', (_name, valid, bad, allowed, burn, state) => {
    expect(stateOf(valid, bad, allowed, burn)).toBe(state);
  });

  it('what remains is exactly nothing when all is spent', () => {
    expect(budgetLeft(100, 100)).toBe(0);
    expect(budgetLeft(0.3, 0.1)).toBeLessThan(0);
  });
});

describe('incidents of several objectives', () => {
  const at = (startedAt: number, detectedAt: number | null, endedAt: number | null) => ({ startedAt, detectedAt, endedAt });

  it.each([
    ['that overlap are one, detected when the first was', [at(10, 15, 30), at(5, 20, 25)], [at(5, 15, 30)]],
    ['that follow one another are two', [at(10, 15, 30), at(30, 31, 40)], [at(10, 15, 30), at(30, 31, 40)]],
    ['of which one goes on go on', [at(10, 15, null), at(20, 25, 30)], [at(10, 15, null)]],
    ['that nobody detected stay undetected', [at(10, null, 30), at(20, null, 40)], [at(10, null, 40)]],
    ['none are none', [], []],
  ])('%s', (_name, incidents, merged) => {
    expect(episodes(incidents)).toEqual(merged);
  });
});
