/** What clients of Kayenta send: Orca, Argo Rollouts, and those of a Kayenta that stands alone. Fields that are not read are let pass. */
import { z } from 'zod';

const text = z.string().max(1024);
/** Orca writes times as text or as seconds; both are read. */
const time = z.union([z.string().max(64), z.number()]).nullish();
const params = z
  .record(z.string().max(256), z.string().max(1024).nullable())
  .nullish()
  .describe('`attribute` names what the scopes are values of; `token` is api.token.');

const scope = z.looseObject({
  scope: z.string().min(1).max(1024).describe('The release: value of the attribute by which releases are told apart.'),
  start: time,
  end: time,
  extendedScopeParams: params,
});

export const thresholds = z.looseObject({ pass: z.number(), marginal: z.number() });

export const canaryQuery = z.looseObject({
  application: text.optional(),
  parentPipelineExecutionId: text.optional(),
  storageAccountName: text.optional(),
});

export const canaryRequest = z.looseObject({
  scopes: z
    .record(z.string().max(256), z.looseObject({ controlScope: scope, experimentScope: scope }))
    .refine((scopes) => Object.keys(scopes).length > 0, 'names no scope'),
  thresholds,
});

const standaloneScope = z.looseObject({
  controlScope: z.string().min(1).max(1024),
  experimentScope: z.string().min(1).max(1024),
  startTimeIso: time,
  endTimeIso: time,
  extendedScopeParams: params,
});

const minutes = z.number().min(0).max(100_000).nullish();

export const executionRequest = z.looseObject({
  scopes: z.array(standaloneScope).min(1).max(100),
  thresholds,
  lifetimeDurationMins: minutes,
  beginAfterMins: minutes,
});

export const standaloneRequest = z.looseObject({
  canaryConfig: z.looseObject({ name: z.string().min(1).max(512).describe('The service.') }),
  executionRequest,
});
