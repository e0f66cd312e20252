/** The answer of `slipstream compare -o json`: what pipelines keep, and what a deploy gate reads. */
import { z } from 'zod';
import { REASONS } from '../model/judgement.ts';
import { epochMs, figure } from './wire.ts';

const count = z.number().min(0);
const outcome = z.enum(['pass', 'fail', 'inconclusive']);
const reason = z.enum(REASONS);

const side = z.object({
  requests: count,
  failed: count,
  value: figure.describe('Latency: the quantile in milliseconds. Errors: failed / requests. null where there is none.'),
});

const change = z.object({ estimate: z.number(), low: z.number(), high: z.number() });

const effect = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('latency'), ratio: z.number().describe('Latency times this.') }),
  z.object({ kind: z.literal('errors'), addRatio: z.number().describe('So many more of all requests fail.') }),
]);

const metric = z.object({
  endpoint: z.string().describe('`(all)`: harm of all endpoints together that none of them proves alone.'),
  metric: z.enum(['p50', 'p95', 'p99', 'errors']),
  outcome,
  reason,
  baseline: side,
  candidate: side,
  change: change
    .nullable()
    .describe('Latency: candidate / baseline - 1. Errors: difference of the ratios. With its 95 % interval, for reading.'),
  harmAbove: z
    .object({ ratio: figure, add: count })
    .describe('Limit: a ratio of the baseline, and an addition (ms, or a ratio of requests).'),
  healthyBelow: z.object({ ratio: figure, add: count }).describe('Within it health is proven, same form.'),
  smallest: effect.nullable().describe('Of what is inconclusive: the smallest regression that recordings like these would prove, about.'),
  text: z.string().describe('All of it in one sentence.'),
});

const uncompared = z.object({
  endpoint: z.string(),
  reason: z
    .enum(['no_canary', 'no_baseline', 'overflow', 'muted'])
    .describe('no_canary: only in the baseline; no_baseline: only in the candidate.'),
  baselineRequests: count,
  candidateRequests: count,
});

const recorded = z.object({ from: epochMs.nullable(), lengthMs: count, requests: count });

const file = z.object({
  file: z.string(),
  spans: count,
  rejectedSpans: count.describe('Spans that are no requests, or unusable.'),
  problems: count.describe('Records that could not be read.'),
});

const service = z.object({
  service: z.string(),
  outcome,
  reason,
  candidate: z.string().describe('What was compared with the baseline: a label, or the releases of the recording.'),
  summary: z.string().describe('What failed, or how much was compared; one line.'),
  comparedMs: count,
  baseline: recorded,
  candidateRecording: recorded,
  isMixedDifferently: z.boolean(),
  metrics: z.array(metric),
  uncompared: z.array(uncompared),
});

export const comparisonReport = z.object({
  kind: z.literal('comparison'),
  at: epochMs.describe('When it was compared.'),
  outcome,
  alpha: z.number().describe('Chance of calling a candidate worse that is as good, over all services together.'),
  baseline: file,
  candidate: file,
  services: z.array(service),
});

export type ComparisonReport = z.infer<typeof comparisonReport>;
