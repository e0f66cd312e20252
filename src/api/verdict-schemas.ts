/** What the routes of verdicts take and answer. */
import { z } from 'zod';
import { REASONS } from '../model/judgement.ts';
import { RUN_STATES } from '../model/rollout.ts';
import { startRollout } from './request-schemas.ts';
import type { VerdictView } from './verdict-view.ts';
import { waitText } from './wait-query.ts';
import type { Carries, Wire } from './wire.ts';

const value = z.string().min(1).max(1024);

export const verdictQuery = z
  .strictObject({
    rollout: z.string().min(1).max(512).optional().describe('Id of the rollout; or else service and canary.'),
    generation: z.coerce
      .number()
      .int()
      .min(1)
      .max(Number.MAX_SAFE_INTEGER)
      .optional()
      .describe('With rollout: only the verdict of this generation; inconclusive when another one is judged now.'),
    service: z.string().min(1).max(512).optional().describe('service.name, or service.namespace/service.name.'),
    canary: value
      .optional()
      .describe('A value of an attribute by which the canary is told, such as its pod-template-hash. The newest rollout with it counts.'),
    baseline: value.optional().describe('The same of the baseline, to tell rollouts of the same canary apart.'),
    wait: waitText.optional(),
  })
  .refine(
    ({ rollout, generation, service, canary }) =>
      rollout === undefined ? generation === undefined && service !== undefined && canary !== undefined : service === undefined,
    {
      error: 'must be either rollout, or service and canary; generation goes with rollout',
      path: ['rollout'],
    },
  );

export const verdictRequest = startRollout.omit({ generation: true }).extend({
  id: startRollout.shape.id.describe(
    'Name of the rollout; without it, it is that of `target`, else derived from service, canary and baseline.',
  ),
  generation: startRollout.shape.generation
    .optional()
    .describe(
      'Grows with each attempt. Without it the run there is of this service, canary and baseline is asked, over or not, and one is started when there is none, or when other releases were rolled out since.',
    ),
  wait: waitText.optional(),
});

const outcome = z.enum(['pass', 'fail', 'inconclusive']);
const reason = z.enum(REASONS);

export const pulledVerdict = z.object({
  verdict: outcome.describe(
    '`fail`: harm is proven. `pass`: promoted. Everything else is inconclusive, and so is all under a policy that only observes.',
  ),
  decision: z.enum(['continue', 'promote', 'rollback', 'hold']),
  reason,
  text: z.string().describe('One sentence for people.'),
  score: z
    .number()
    .describe(
      '1 pass, 0 fail; between, 0.5 when nothing speaks against the canary, down to 0.1 as evidence of harm nears what a rollback needs.',
    ),
  canaryRequests: z.number().min(0),
  baselineRequests: z.number().min(0),
  rollout: z.string().nullable().describe('Null: nothing is judged yet.'),
  generation: z.number().int().nullable(),
  state: z.enum(RUN_STATES).nullable(),
  link: z.string().nullable().describe('Page that explains it; null without `api.publicUrl`.'),
  checks: z
    .array(z.object({ check: z.string(), outcome, reason, text: z.string() }))
    .describe('At most 5: the one that weighs most, then what failed, is open, passed.'),
});

/** Does not compile when the view has what the schema does not describe truly. */
export type SchemaCarriesTheView = Carries<typeof pulledVerdict, Wire<VerdictView>>;
