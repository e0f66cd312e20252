/** From judged metrics to one score: groups, weights, what is critical, and what is left open. */
import { describe, expect, it } from 'vitest';
import { judgeSeries } from '../../../src/evaluate/kayenta-judge/judge-series.ts';
import { thresholdsFault, undecidedScore } from '../../../src/model/score-thresholds.ts';
import type { MetricPair, MetricRule } from '../../../src/model/series-judge.ts';

const CONTROL = [1, 2, 3, 4, 5, 6];
const RULE: MetricRule = {
  direction: 'increase',
  nanStrategy: 'remove',
  critical: false,
  muted: false,
  mustHaveData: false,
  effect: { measure: 'meanRatio', allowedIncrease: 1, allowedDecrease: 1, criticalIncrease: 1, criticalDecrease: 1 },
  groups: ['a'],
};
const pair = (experiment: number[], rule: Partial<MetricRule> = {}): MetricPair => ({
  ...{ name: 'm', id: '0', tags: {}, control: CONTROL, experiment, rule: { ...RULE, ...rule } },
});
const good = (rule: Partial<MetricRule> = {}) => pair([...CONTROL], rule);
const bad = (rule: Partial<MetricRule> = {}) => pair([11, 12, 13, 14, 15, 16], rule);
const silent = (rule: Partial<MetricRule> = {}) => pair([], rule);
const judged = (pairs: readonly MetricPair[], groupWeights: Readonly<Record<string, number>> = {}) =>
  judgeSeries({ pairs, groupWeights: new Map(Object.entries(groupWeights)), thresholds: { pass: 95, marginal: 75 } }).score;

describe('the score', () => {
  it.each<[string, readonly MetricPair[], Record<string, number>, number, string]>([
    ['all is well', [good(), good()], {}, 100, 'Pass'],
    ['one of four is worse', [good(), good(), good(), bad()], {}, 75, 'Marginal'],
    ['half is worse', [good(), bad()], {}, 50, 'Fail'],
    ['groups have weights', [good({ groups: ['a'] }), bad({ groups: ['b'] })], { a: 90, b: 10 }, 90, 'Marginal'],
    [
      'groups without a weight share the rest',
      [good({ groups: ['a'] }), bad({ groups: ['b'] }), good({ groups: ['c'] })],
      { a: 50 },
      75,
      'Marginal',
    ],
    ['a metric in two groups counts in both', [good(), bad({ groups: ['a', 'b'] })], { a: 50, b: 50 }, 25, 'Fail'],
    ['a metric without a group counts', [good({ groups: [] }), bad({ groups: [] })], {}, 50, 'Fail'],
    [
      'a critical metric that is worse is everything',
      [...Array.from({ length: 99 }, () => good()), bad({ critical: true })],
      {},
      0,
      'Fail',
    ],
    ['a critical metric that must have values and has none too', [good(), silent({ critical: true, mustHaveData: true })], {}, 0, 'Fail'],
    ['a critical metric that cannot be judged leaves it open', [good(), good(), good(), silent({ critical: true })], {}, 85, 'Marginal'],
    ['half that cannot be judged leaves it open', [good(), silent()], {}, 85, 'Marginal'],
    ['a few that cannot be judged count for nothing', [good(), good(), silent()], {}, 100, 'Pass'],
    ['what is muted counts for nothing', [good(), bad({ muted: true, critical: true })], {}, 100, 'Pass'],
    ['nothing at all leaves it open', [], {}, 85, 'Marginal'],
    ['only what is muted leaves it open', [bad({ muted: true })], {}, 85, 'Marginal'],
  ])('%s', (_name, pairs, weights, score, classification) => {
    expect(judged(pairs, weights)).toMatchObject({ score, classification });
  });
});

describe('the limits of a score', () => {
  it.each([
    [95, 75, true],
    [2, 0, false],
    [3, 1, true],
    [76, 75, false],
    [75, 75, false],
    [50, 75, false],
    [101, 75, false],
    [90.5, 75, false],
  ])('pass %d and marginal %d: usable is %s', (pass, marginal, isUsable) => {
    expect(thresholdsFault({ pass, marginal }) === null).toBe(isUsable);
    if (!isUsable) return;
    const score = undecidedScore({ pass, marginal });
    // As Orca and Argo Rollouts read it.
    expect([score > marginal, score < pass, Number.isInteger(score)]).toEqual([true, true, true]);
  });
});
