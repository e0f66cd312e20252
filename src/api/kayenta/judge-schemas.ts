/** What Kayenta sends to a remote judge and what it reads of the answer. */
import { z } from 'zod';
import type { JudgeReport, MetricPair, MetricRule } from '../../model/series-judge.ts';
import { thresholds } from './schemas.ts';

const MAX_METRICS = 500;
const MAX_STEPS = 20_000;

/** Kayenta writes NaN as text. */
const values = z.array(z.union([z.number(), z.string().max(32), z.null()])).max(MAX_STEPS);

const effectSize = z.looseObject({
  measure: z.enum(['meanRatio', 'cles']).nullish(),
  allowedIncrease: z.number().nullish(),
  allowedDecrease: z.number().nullish(),
  criticalIncrease: z.number().nullish(),
  criticalDecrease: z.number().nullish(),
});

const canary = z.looseObject({
  direction: z.enum(['increase', 'decrease', 'either']).nullish(),
  nanStrategy: z.enum(['remove', 'replace']).nullish(),
  critical: z.boolean().nullish(),
  muted: z.boolean().nullish(),
  mustHaveData: z.boolean().nullish(),
  effectSize: effectSize.nullish(),
});

const metric = z.looseObject({
  name: z.string().max(1024),
  groups: z.array(z.string().max(256)).max(100).nullish(),
  analysisConfigurations: z.looseObject({ canary: canary.nullish() }).nullish(),
});

export const judgeRequest = z.looseObject({
  canaryConfig: z.looseObject({
    metrics: z.array(metric).max(MAX_METRICS),
    classifier: z.looseObject({ groupWeights: z.record(z.string().max(256), z.number().min(0).max(100)).nullish() }).nullish(),
  }),
  scoreThresholds: thresholds,
  metricSetPairList: z
    .array(
      z.looseObject({
        name: z.string().max(1024),
        id: z.string().max(1024).nullish(),
        tags: z.record(z.string().max(256), z.string().max(1024)).nullish(),
        values: z.looseObject({ control: values.nullish(), experiment: values.nullish() }),
      }),
    )
    .max(MAX_METRICS),
});

type Request = z.output<typeof judgeRequest>;

/** The rule of each metric by its name, with the defaults of Kayenta. */
export function rulesOf({ canaryConfig }: Request): ReadonlyMap<string, MetricRule> {
  return new Map(canaryConfig.metrics.map((of) => [of.name, ruleOf(of)]));
}

export function pairOf(pair: Request['metricSetPairList'][number], rule: MetricRule): MetricPair {
  const { name, id, tags, values: sides } = pair;
  return { name, id: id ?? name, tags: tags ?? {}, control: numbers(sides.control), experiment: numbers(sides.experiment), rule };
}

function ruleOf({ groups, analysisConfigurations }: z.output<typeof metric>): MetricRule {
  const of = analysisConfigurations?.canary;
  const effect = of?.effectSize;
  const measure = effect?.measure ?? 'meanRatio';
  // No effect at all: a mean that is the same, a coin that decides which is larger.
  const none = measure === 'meanRatio' ? 1 : 0.5;
  return {
    direction: of?.direction ?? 'either',
    nanStrategy: of?.nanStrategy ?? 'remove',
    critical: of?.critical ?? false,
    muted: of?.muted ?? false,
    mustHaveData: of?.mustHaveData ?? false,
    effect: {
      measure,
      allowedIncrease: effect?.allowedIncrease ?? none,
      allowedDecrease: effect?.allowedDecrease ?? none,
      criticalIncrease: effect?.criticalIncrease ?? none,
      criticalDecrease: effect?.criticalDecrease ?? none,
    },
    groups: groups ?? [],
  };
}

/** What is no finite number is no value. */
function numbers(side: readonly (number | string | null)[] | null | undefined): number[] {
  return (side ?? []).map((value) => {
    const number = typeof value === 'number' ? value : Number.NaN;
    return Number.isFinite(number) ? number : Number.NaN;
  });
}

const stats = z.object({
  stats: z.object({ min: z.number(), max: z.number(), mean: z.number(), std: z.number(), count: z.number() }),
});

export const judgeAnswer = z.object({
  judgeName: z.string(),
  results: z.array(
    z.object({
      name: z.string(),
      id: z.string(),
      tags: z.record(z.string(), z.string()),
      groups: z.array(z.string()),
      classification: z.enum(['Pass', 'High', 'Low', 'Nodata', 'NodataFailMetric']),
      classificationReason: z.string(),
      experimentMetadata: stats,
      controlMetadata: stats,
      resultMetadata: z.object({ ratio: z.number().nullable() }),
      critical: z.boolean(),
      muted: z.boolean(),
    }),
  ),
  groupScores: z.array(z.object({ name: z.string(), score: z.number(), classification: z.string(), classificationReason: z.string() })),
  score: z.object({ score: z.number(), classification: z.enum(['Pass', 'Marginal', 'Fail']), classificationReason: z.string() }),
});

export function judgeAnswerOf({ results, groupScores, score }: JudgeReport): z.output<typeof judgeAnswer> {
  return {
    judgeName: 'slipstream-series',
    results: results.map(({ name, id, tags, groups, classification, reason, control, experiment, ratio, critical, muted }) => ({
      ...{ name, id, tags: { ...tags }, groups: [...groups], classification, classificationReason: reason },
      ...{ experimentMetadata: { stats: experiment }, controlMetadata: { stats: control }, resultMetadata: { ratio }, critical, muted },
    })),
    groupScores: groupScores.map(({ name, score: of }) => ({ name, score: of, classification: '', classificationReason: '' })),
    score: { score: score.score, classification: score.classification, classificationReason: score.reason },
  };
}
