/** What a webhook stage of Spinnaker sends and polls. */
import { z } from 'zod';
import { startRollout } from '../request-schemas.ts';

const { service, baseline: matcher, deadline, canaryShare } = startRollout.shape;
const release = z.union([z.string().min(1).max(1024), matcher]).describe('Value of `attribute`, or resource attributes with their values.');

export const startAnalysis = z.strictObject({
  service,
  attribute: z
    .string()
    .min(1)
    .max(256)
    .optional()
    .describe('What `baseline` and `canary` are values of. Default: the first of spans.releaseBy.'),
  baseline: release,
  canary: release,
  execution: z
    .string()
    .min(1)
    .max(256)
    .optional()
    .describe('Id of the pipeline execution: the same stage sent twice is one analysis. Without it, one that is over is begun again.'),
  deadline,
  canaryShare,
});

export const ANALYSIS_STATUSES = ['RUNNING', 'PASS', 'FAIL', 'INCONCLUSIVE'] as const;

export const analysis = z.object({
  id: z.string(),
  status: z.enum(ANALYSIS_STATUSES),
  message: z.string().describe('The verdict in one sentence.'),
  statusUrl: z.string().describe('Where to ask again.'),
});
