/** What Orca sends to a deployment monitor, and what it takes: its reader refuses fields that it does not know. */
import { z } from 'zod';

const name = z.string().max(512);
const release = z.string().min(1).max(1024);
const status = z.enum(['success', 'failure', 'not_performed']);

/** Parameters are the user's, of the pipeline stage. */
const parameters = z.looseObject({
  service: z.string().min(1).max(512).describe('service.name, or service.namespace/service.name.'),
  attribute: z
    .string()
    .min(1)
    .max(256)
    .default('k8s.replicaset.name')
    .describe('The resource attribute that carries the name of the server group.'),
  baseline: release.nullish().describe('Its value for the old server group; default: the name of that.'),
  canary: release.nullish().describe('Its value for the new server group; default: the name of that.'),
  onPass: z
    .enum(['continue', 'complete'])
    .default('continue')
    .describe('What follows proof of health: the next step, or all the rest at once.'),
  token: z.string().max(1024).nullish().describe('api.token, for monitors that are called without headers.'),
});

/** Of all three calls; `deploymentId` is the same in all of one deployment, `stageId` in all polls of one step. */
export const monitorRequest = z.looseObject({
  application: name.nullish(),
  executionId: name.nullish(),
  stageId: name.nullish(),
  deploymentId: z
    .string({ error: 'is missing; it must be the id of the deployment' })
    .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/, 'must be 1 to 64 of the characters A-Z a-z 0-9 . _ -'),
  oldServerGroup: name.nullish(),
  newServerGroup: z.string({ error: 'is missing; it must be the name of the server group' }).min(1).max(512),
  account: name.nullish(),
  region: name.nullish(),
  cloudProvider: name.nullish(),
  parameters,
});

export const evaluateHealthRequest = monitorRequest.extend({
  currentProgress: z.number().min(0).max(100).nullish().describe('Percent of the traffic that the new server group is meant to have.'),
});

export const completedRequest = monitorRequest.extend({ status: status.nullish(), rollback: status.nullish() });

export type MonitorRequest = z.output<typeof monitorRequest>;

export const DIRECTIVES = ['continue', 'wait', 'abort', 'complete'] as const;

export const monitorAnswer = z.strictObject({
  nextStep: z.strictObject({ directive: z.enum(DIRECTIVES), percent: z.literal(0), instanceCount: z.literal(0) }),
  statusReason: z.strictObject({
    message: z.string(),
    logSummary: z.array(z.string()),
    additionalData: z.array(z.strictObject({ key: z.string(), text: z.string(), link: z.string().nullable() })),
  }),
});

export const completedAnswer = z.strictObject({ state: z.string().nullable().describe('Of the run; null: it is not known.') });
