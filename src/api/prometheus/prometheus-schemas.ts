/** Requests and answers of Prometheus's HTTP API, as far as they are spoken here. Source: Prometheus, "HTTP API". */
import { z } from 'zod';

/** Clients send more than this (`stats`, `dedup`, `limit` …): what does not change an answer is not looked at. */
export const instantQuery = z.looseObject({
  query: z.string().optional().meta({ description: 'PromQL.' }),
  time: z.string().optional().meta({ description: 'RFC 3339 or seconds since 1970; now when absent.' }),
  timeout: z.string().optional().meta({ description: 'As a duration or in seconds; at most 10 s.' }),
});

export const rangeQuery = z.looseObject({
  query: z.string().optional().meta({ description: 'PromQL.' }),
  start: z.string().optional().meta({ description: 'First step: RFC 3339 or seconds since 1970.' }),
  end: z.string().optional().meta({ description: 'Last step, inclusive.' }),
  step: z.string().optional().meta({ description: 'A duration or seconds; at most 11,000 steps.' }),
  timeout: z.string().optional(),
});

export const seriesQuery = z.looseObject({
  'match[]': z
    .union([z.string(), z.array(z.string())])
    .optional()
    .meta({ description: 'Selectors; each series that any of them means.' }),
});

export const metadataQuery = z.looseObject({ metric: z.string().optional() });

const labels = z.record(z.string(), z.string());
const point = z
  .tuple([z.number(), z.string()])
  .meta({ description: 'Seconds since 1970, and the value as text: it may be NaN, +Inf or -Inf.' });
const notes = { warnings: z.array(z.string()).optional() };
const success = <Data extends z.ZodType>(data: Data) => z.object({ status: z.literal('success'), data, ...notes });

export const queryAnswer = success(
  z.discriminatedUnion('resultType', [
    z.object({ resultType: z.literal('vector'), result: z.array(z.object({ metric: labels, value: point })) }),
    z.object({ resultType: z.literal('matrix'), result: z.array(z.object({ metric: labels, values: z.array(point) })) }),
    z.object({ resultType: z.literal('scalar'), result: point }),
  ]),
);
export const textsAnswer = success(z.array(z.string()));
export const seriesAnswer = success(z.array(labels));
export const metadataAnswer = success(z.record(z.string(), z.array(z.object({ type: z.string(), help: z.string(), unit: z.string() }))));
export const buildAnswer = success(
  z.object({
    version: z.string(),
    revision: z.string(),
    branch: z.string(),
    buildUser: z.string(),
    buildDate: z.string(),
    goVersion: z.string(),
  }),
);
export const queryProblem = z.object({
  status: z.literal('error'),
  errorType: z.enum(['bad_data', 'execution', 'timeout', 'unavailable', 'internal']),
  error: z.string(),
});
