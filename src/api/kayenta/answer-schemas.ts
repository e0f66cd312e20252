/** What clients of Kayenta get. */
import { z } from 'zod';

const time = { millis: z.number().nullable(), iso: z.string().nullable() };

export const canaryConfigs = z.array(
  z.object({
    id: z.string(),
    name: z.string().describe('The service.'),
    applications: z.array(z.string()),
    updatedTimestamp: z.number(),
    updatedTimestampIso: z.string(),
  }),
);

export const credentials = z.array(z.object({ name: z.string(), type: z.string(), supportedTypes: z.array(z.string()) }));

export const created = z.object({ canaryExecutionId: z.string() });
export const standaloneCreated = z.object({ canaryAnalysisExecutionId: z.string() });
export const cancelled = z.object({ state: z.string() });

const scopeAnswer = z.object({
  scope: z.string(),
  location: z.string().nullable(),
  start: z.string(),
  end: z.string(),
  step: z.number(),
  extendedScopeParams: z.record(z.string(), z.string()),
});

const requestAnswer = z.object({
  scopes: z.record(z.string(), z.object({ controlScope: scopeAnswer, experimentScope: scopeAnswer })),
  thresholds: z.object({ pass: z.number().int(), marginal: z.number().int() }),
});

const stats = z.object({ stats: z.object({ count: z.number().describe('Requests.') }) });
const score = z.number().describe('100: proven as good; 0: proven worse; between the thresholds: not decided.');

const judgeResult = z.object({
  judgeName: z.string(),
  results: z.array(
    z.object({
      name: z.string(),
      id: z.string(),
      tags: z.record(z.string(), z.string()),
      classification: z.enum(['Pass', 'High', 'Nodata']),
      classificationReason: z.string(),
      groups: z.array(z.string()),
      experimentMetadata: stats,
      controlMetadata: stats,
      resultMetadata: z.object({ ratio: z.number().nullable() }),
      critical: z.boolean(),
    }),
  ),
  groupScores: z.array(z.object({ name: z.string(), score, classification: z.string(), classificationReason: z.string() })),
  score: z.object({ score, classification: z.enum(['Pass', 'Marginal', 'Fail']), classificationReason: z.string() }),
});

const canaryResult = z.object({
  application: z.string(),
  judgeResult,
  canaryExecutionRequest: requestAnswer,
  canaryDuration: z.string().describe('ISO 8601.'),
});

const times = {
  buildTimeMillis: time.millis,
  buildTimeIso: time.iso,
  startTimeMillis: time.millis,
  startTimeIso: time.iso,
  endTimeMillis: time.millis,
  endTimeIso: time.iso,
};

export const canaryAnswer = z.object({
  application: z.string(),
  parentPipelineExecutionId: z.string().nullable(),
  pipelineId: z.string(),
  stageStatus: z.record(z.string(), z.string()),
  complete: z.boolean(),
  status: z.enum(['running', 'succeeded', 'canceled']),
  exception: z.null(),
  result: canaryResult.nullable(),
  configId: z.string(),
  canaryExecutionRequest: requestAnswer,
  ...times,
  storageAccountName: z.string().nullable(),
});

export const standaloneAnswer = z.object({
  application: z.string(),
  user: z.string(),
  parentPipelineExecutionId: z.string().nullable(),
  pipelineId: z.string(),
  stageStatus: z.array(z.object({ type: z.string(), name: z.string(), status: z.string() })),
  complete: z.boolean(),
  executionStatus: z.enum(['RUNNING', 'SUCCEEDED', 'CANCELED']),
  status: z.enum(['running', 'succeeded', 'canceled']),
  exception: z.null(),
  canaryAnalysisExecutionResult: z
    .object({
      didPassThresholds: z.boolean(),
      hasWarnings: z.boolean(),
      canaryScoreMessage: z.string(),
      canaryScores: z.array(z.number()),
      canaryExecutionResults: z.array(z.object({ executionId: z.string(), executionStatus: z.string(), result: canaryResult })),
      buildTimeIso: time.iso,
      startTimeIso: time.iso,
      endTimeIso: time.iso,
    })
    .nullable(),
  canaryConfigId: z.string(),
  ...times,
  storageAccountName: z.string(),
  metricsAccountName: z.string(),
});
