/** What the routes of the deploy gate take and answer. */
import { z } from 'zod';
import { GATE_REASONS, type GateOverride, type GateView, type LoadTestResult } from '../model/gate-view.ts';
import type { OverrideEntry } from './gate-handlers.ts';
import { line, overrideLength, person, serviceName, why } from './override-fields.ts';
import { type Carries, epochMs, type Wire } from './wire.ts';

const MAX_OVERRIDE = '7d';

const answer = z.enum(['allow', 'warn', 'refuse', 'unknown']);

export const gateQuery = z.strictObject({ service: serviceName });

export const overrideQuery = z.strictObject({ service: serviceName.optional().describe('Only this service.') });

export const endOverrideQuery = z.strictObject({ service: serviceName, by: person.describe('Who ends it.') });

export const startOverride = z.strictObject({
  service: serviceName,
  by: person.describe('Who answers for it.'),
  reason: why.describe('Why the deploy must go out all the same; it is kept and logged.'),
  for: overrideLength(MAX_OVERRIDE).describe(`How long it is in force, 1s to ${MAX_OVERRIDE}.`),
});

export const newLoadTest = z.strictObject({
  service: serviceName,
  outcome: z.enum(['pass', 'fail', 'inconclusive']),
  candidate: line(200, 1).describe('What was tested: release, commit or pipeline.'),
  summary: line(500, 0).default('').describe('What failed, or how much was compared; one line.'),
  at: z.iso
    .datetime({ offset: true, error: 'must be a time like 2026-01-31T12:00:00Z' })
    .optional()
    .describe('When the test was run. Default: now.'),
});

const override = z.object({ service: z.string(), by: z.string(), reason: z.string(), at: epochMs, until: epochMs });

export const gateReport = z
  .object({
    service: z.string(),
    now: epochMs,
    answer: answer.describe(
      'The worst finding: refuse before unknown before warn before allow; an override turns refuse and unknown into warn.',
    ),
    findings: z
      .array(
        z.object({
          reason: z.enum(GATE_REASONS),
          answer,
          subject: z.string().nullable().describe('The objective, rollout or test it is about; null: the service.'),
          text: z.string().describe('In words, with the numbers.'),
        }),
      )
      .describe('Worst first.'),
    override: override.nullable().describe('In force; null: none.'),
  })
  .describe('Whether a deploy of the service may go out.');

export const overrideEntry = override.extend({
  endedAt: epochMs.nullable().describe('When it was ended before its time; null: it was not.'),
  endedBy: z.string().nullable(),
  isInForce: z.boolean(),
});

export const overrideList = z.object({ now: epochMs, overrides: z.array(overrideEntry).describe('Newest first, at most 200.') });

export const loadTest = z.object({
  service: z.string(),
  outcome: z.enum(['pass', 'fail', 'inconclusive']),
  candidate: z.string(),
  at: epochMs,
  summary: z.string(),
});

/** What the gate needs of the answer of `slipstream compare`, whatever else is in it. */
export const comparedServices = z.object({
  kind: z.literal('comparison'),
  at: epochMs,
  services: z.array(
    z.object({
      service: z.string(),
      outcome: z.enum(['pass', 'fail', 'inconclusive']),
      candidate: z.string().min(1),
      summary: z.string(),
      metrics: z.array(z.unknown()),
    }),
  ),
});

/** Does not compile when the model has what the schemas do not describe truly. */
export type GateSchemasCarryTheModel = [
  Carries<typeof gateReport, Wire<GateView>>,
  Carries<typeof override, Wire<GateOverride>>,
  Carries<typeof overrideEntry, Wire<OverrideEntry>>,
  Carries<typeof loadTest, Wire<LoadTestResult>>,
];

export type GateWire = z.output<typeof gateReport>;
export type OverrideEntryWire = z.output<typeof overrideEntry>;
