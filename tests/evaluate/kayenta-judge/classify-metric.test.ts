/** The judge of values per step: what others miss, what it must not invent, and what it leaves open. */
import { describe, expect, it } from 'vitest';
import { classifyMetric } from '../../../src/evaluate/kayenta-judge/classify-metric.ts';
import { rankSumP } from '../../../src/evaluate/kayenta-judge/rank-sum.ts';
import { spikesP } from '../../../src/evaluate/kayenta-judge/spikes.ts';
import type { MetricClass, MetricRule } from '../../../src/model/series-judge.ts';
import { SeededNormal } from './seeded-normal.ts';

const RULE: MetricRule = {
  direction: 'increase',
  nanStrategy: 'remove',
  critical: false,
  muted: false,
  mustHaveData: false,
  effect: { measure: 'meanRatio', allowedIncrease: 1, allowedDecrease: 1, criticalIncrease: 1, criticalDecrease: 1 },
  groups: [],
};

function classOf(control: readonly number[], experiment: readonly number[], rule: Partial<MetricRule> = {}) {
  return classifyMetric({ name: 'm', id: '0', tags: {}, control, experiment, rule: { ...RULE, ...rule } });
}

const normal = new SeededNormal(7);
const latencies = (steps: number, factor: (step: number) => number = () => 1): number[] =>
  Array.from({ length: steps }, (_, step) => 100 * Math.exp(0.25 * normal.next()) * factor(step));
const zeros = (steps: number): number[] => Array.from({ length: steps }, () => 0);

describe('what users of Kayenta complained of', () => {
  it.each<[string, number[], number[], MetricClass]>([
    ['7 of 10 minutes 100 times slower are found', latencies(10), latencies(10, (step) => (step < 7 ? 100 : 1)), 'High'],
    ['20 of 50 minutes 5 times slower are found', latencies(50), latencies(50, (step) => (step < 20 ? 5 : 1)), 'High'],
    [
      '10 of 50 minutes 100 times slower, which no mean rank shows, are found',
      latencies(50),
      latencies(50, (step) => (step % 5 === 0 ? 100 : 1)),
      'High',
    ],
    ['4 errors in 6 minutes against none are no pass, and not proven', zeros(6), [0, 1, 2, 1, 0, 0], 'Nodata'],
    ['errors in most of 10 minutes against none are found', zeros(10), [1, 2, 0, 1, 3, 1, 0, 1, 2, 1], 'High'],
    ['2 minutes against 2, however far apart, prove nothing', [1, 2], [100, 200], 'Nodata'],
    ['1 minute against 1 is no error and no pass', [1], [100], 'Nodata'],
    ['5 minutes apart from 5 are found', [1, 2, 3, 4, 5], [11, 12, 13, 14, 15], 'High'],
    ['constants that differ need no noise to be told apart', [5, 5, 5, 5, 5], [6, 6, 6, 6, 6], 'High'],
    ['the same constants pass', [5, 5], [5, 5, 5], 'Pass'],
    ['one error in 50 minutes is no sign of harm', zeros(50), [...zeros(49), 1], 'Pass'],
  ])('%s', (_name, control, experiment, expected) => {
    expect(classOf(control, experiment).classification).toBe(expected);
  });

  it('gives the same answer each time', () => {
    const pair = [latencies(12), latencies(12, () => 1.4)] as const;
    expect(classOf(...pair)).toEqual(classOf(...pair));
  });
});

describe('what a metric asks for', () => {
  const [low, high] = [
    [14, 10, 17, 12, 16, 11, 15, 13],
    [34, 30, 37, 32, 36, 31, 35, 33],
  ];
  it.each<[string, readonly number[], readonly number[], Partial<MetricRule>, MetricClass]>([
    ['an increase is bad where it is asked for', low, high, {}, 'High'],
    ['an increase is fine where a decrease is bad', low, high, { direction: 'decrease' }, 'Pass'],
    ['a decrease is bad either way', high, low, { direction: 'either' }, 'Low'],
    ['an effect that is allowed passes', low, high, { effect: { ...RULE.effect, allowedIncrease: 3 } }, 'Pass'],
    ['an effect beyond what is allowed does not', low, high, { effect: { ...RULE.effect, allowedIncrease: 2 } }, 'High'],
    ['a decrease that is allowed passes', high, low, { direction: 'decrease', effect: { ...RULE.effect, allowedDecrease: 0.3 } }, 'Pass'],
    [
      'the chance of being larger can be the effect',
      low,
      high,
      { effect: { ...RULE.effect, measure: 'cles', allowedIncrease: 0.9 } },
      'High',
    ],
    ['no values are nothing to judge', [], high, {}, 'Nodata'],
    ['no values at all are', [], [], {}, 'Nodata'],
    ['values that must be there are missed', low, [], { mustHaveData: true }, 'NodataFailMetric'],
    ['only missing values are missed as well', low, [Number.NaN, Number.NaN], { mustHaveData: true }, 'NodataFailMetric'],
    [
      'missing values count as 0 when they are replaced',
      low,
      low.map(() => Number.NaN),
      { direction: 'decrease', nanStrategy: 'replace' },
      'Low',
    ],
    ['a side without values is 0 when they are replaced', [], high, { nanStrategy: 'replace' }, 'High'],
    ['two sides without values are the same when they are replaced', [], [], { nanStrategy: 'replace' }, 'Pass'],
  ])('%s', (_name, control, experiment, rule, expected) => {
    expect(classOf(control, experiment, rule).classification).toBe(expected);
  });

  it.each<[string, Partial<MetricRule>, boolean]>([
    ['a critical metric that is worse is a critical failure', { critical: true }, true],
    ['below the critical effect it is not', { critical: true, effect: { ...RULE.effect, criticalIncrease: 5 } }, false],
    ['one that is not critical never is', {}, false],
  ])('%s', (_name, rule, expected) => {
    expect(classOf(low, high, rule)).toMatchObject({ classification: 'High', isCriticalFailure: expected });
  });

  it('a critical metric is not lost where a test cannot be made', () => {
    expect(classOf(low, [], { critical: true, mustHaveData: true }).isCriticalFailure).toBe(true);
    expect(classOf([5], [6], { critical: true })).toMatchObject({ classification: 'Nodata', critical: true });
  });
});

describe('how often a healthy canary is called worse', () => {
  /** Log-normal with the standard deviation of 0.25 of the logarithm, each step hanging on the last by `phi`. */
  const series = (steps: number, phi: number, random: SeededNormal): number[] => {
    let level = random.next();
    return Array.from({ length: steps }, () => {
      level = phi * level + Math.sqrt(1 - phi * phi) * random.next();
      return 100 * Math.exp(0.25 * level);
    });
  };
  const worseShare = (steps: number, phi: number, runs: number): number => {
    const random = new SeededNormal(steps * 100 + phi * 10);
    let worse = 0;
    for (let run = 0; run < runs; run++) {
      if (classOf(series(steps, phi, random), series(steps, phi, random)).classification === 'High') worse++;
    }
    return worse / runs;
  };

  it.each([2, 3, 4, 5, 6, 10, 20, 50])('with %i independent steps: at most once in a hundred', (steps) => {
    // 0.015 is 2.2 standard deviations of 1,000 runs above 0.01.
    expect(worseShare(steps, 0, 1000)).toBeLessThan(0.015);
  });

  it.each([
    [50, 0.5, 0.05],
    [180, 0.5, 0.05],
    [180, 0.8, 0.07],
  ])('with %i steps that hang together by %f: below %f, not kept to the promise', (steps, phi, limit) => {
    expect(worseShare(steps, phi, 400)).toBeLessThan(limit);
  });

  it('short series that drift by themselves are beyond it, which is why spans are the better evidence', () => {
    expect(worseShare(10, 0.8, 400)).toBeGreaterThan(0.05);
  });
});

describe('how surely harm is found', () => {
  it.each([
    [10, 1.5, 0.6],
    [20, 1.25, 0.4],
    [50, 1.25, 0.9],
  ])('%i steps, %f times as slow: in more than %f of runs', (steps, factor, power) => {
    let found = 0;
    for (let run = 0; run < 200; run++)
      if (
        classOf(
          latencies(steps),
          latencies(steps, () => factor),
        ).classification === 'High'
      )
        found++;
    expect(found / 200).toBeGreaterThan(power);
  });
});

describe('the tests', () => {
  it.each<[string, number[], number[], number]>([
    // By counting: 1 of the C(6, 3) = 20 ways is as high.
    ['all 3 above 3', [4, 5, 6], [1, 2, 3], 1 / 20],
    // Sums of at least 14 of 2, 4, 5 + 3 … : {4,5,6} = 15, {3,5,6} = 14.
    ['one step short of it', [3, 5, 6], [1, 2, 4], 2 / 20],
    ['as low as can be', [1, 2, 3], [4, 5, 6], 1],
    // Ties share the mean rank: the two 2s are 2.5 each; {2.5, 4} alone has a sum of 6.5 in 2 of 6 ways.
    ['with ties', [2, 3], [1, 2], 2 / 6],
    ['without values', [], [1], 1],
    // C(50, 1) / C(100, 1), and C(50, 5) / C(100, 5): all that is not 0 is on one side.
    ['one of 50 against zeros', [...zeros(49), 1], zeros(50), 0.5],
    ['five of 50 against zeros', [...zeros(45), 1, 2, 3, 4, 5], zeros(50), 2_118_760 / 75_287_520],
  ])('ranks: %s', (_name, larger, other, expected) => {
    expect(rankSumP(larger, other)).toBeCloseTo(expected, 12);
  });

  it('ranks: counting out and the normal approximation agree where one takes over from the other', () => {
    const at = (steps: number): number => {
      const other = Array.from({ length: steps }, (_, i) => 2 * i);
      return rankSumP(
        other.map((value) => value + 2 * Math.sqrt(steps) + 1),
        other,
      );
    };
    // The shift grows as the spread of the statistic does, so the probability hardly moves between neighbours.
    for (let steps = 15; steps < 25; steps++) expect(Math.abs(at(steps + 1) - at(steps))).toBeLessThan(0.02);
  });

  it.each<[string, number[], number[], number]>([
    ['7 of 10 above all', [11, 11, 11, 11, 11, 11, 11, 0, 0, 0], Array.from({ length: 10 }, () => 5), 120 / 77_520],
    ['none above', [1, 2], [3, 4], 1],
    ['the largest tied', [3, 1], [3, 2], 1],
  ])('spikes: %s', (_name, larger, other, expected) => {
    expect(spikesP(larger, other)).toBeCloseTo(expected, 12);
  });
});
