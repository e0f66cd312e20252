/** The remote judge once kept everything else waiting: for one metric of rare errors for seconds, for many metrics for as long as they all took. */
import { setImmediate } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { rankSumP } from '../../src/evaluate/kayenta-judge/rank-sum.ts';
import type { JudgeReport, MetricPair } from '../../src/model/series-judge.ts';
import { kayentaHandlers } from '../../src/service/kayenta-handlers.ts';

const EFFECT = { measure: 'meanRatio', allowedIncrease: 1, allowedDecrease: 1, criticalIncrease: 1, criticalDecrease: 1 } as const;
const RULE = {
  direction: 'either',
  nanStrategy: 'remove',
  critical: false,
  muted: false,
  mustHaveData: false,
  effect: EFFECT,
  groups: [],
} as const;
const THRESHOLDS = { pass: 95, marginal: 75 };

it('goes on with everything else between one metric and the next', async () => {
  const { judgeSeries } = kayentaHandlers(() => ['service.version']);
  let isJudged = false;
  const judged = Promise.resolve(judgeSeries({ pairs: pairs(200), groupWeights: new Map(), thresholds: THRESHOLDS })).then((report) => {
    isJudged = true;
    return report as JudgeReport;
  });
  let turns = 0;
  while (!isJudged) {
    await setImmediate();
    turns++;
  }
  expect(turns).toBeGreaterThanOrEqual(200);
  expect((await judged).results).toHaveLength(200);
});

it('takes so many requests at once, and says so to the next', async () => {
  const { judgeSeries } = kayentaHandlers(() => ['service.version']);
  const request = { pairs: pairs(1), groupWeights: new Map(), thresholds: THRESHOLDS };
  const taken = Array.from({ length: 10 }, () => judgeSeries(request));
  expect(await judgeSeries(request)).toMatchObject({ outcome: 'unavailable' });
  await Promise.all(taken);
  expect(await judgeSeries(request)).toHaveProperty('score');
});

/** The sums of the few values that differ were counted out over all ranks: 600 MB and 4 s for 20,000 steps. */
it('deals the few values that differ in the same time however many are alike', () => {
  const seldom = (steps: number, few: number): number[] => Array.from({ length: steps }, (_, i) => (i % (steps / few) === 7 ? i - 500 : 0));
  const before = process.resourceUsage().maxRSS;
  expect(rankSumP(seldom(20_000, 10), seldom(20_000, 10))).toBeCloseTo(0.5, 1);
  // In kB. The whole of 20 × 20 × 1.6 million sums is 270 MB.
  expect(process.resourceUsage().maxRSS - before).toBeLessThan(100_000);
});

function pairs(count: number): MetricPair[] {
  const values = Array.from({ length: 6 }, (_, i) => i * i);
  return Array.from({ length: count }, (_, i) => ({
    name: `m${i}`,
    id: `m${i}`,
    tags: {},
    control: values,
    experiment: values,
    rule: RULE,
  }));
}
