/** What the routes of operators take and answer. */
import { z } from 'zod';
import { OVERRIDE_MODES } from '../model/control-view.ts';
import type { BreakerReport, HoldEntry, HoldList } from './control-handlers.ts';
import { overrideLength, person, serviceName, why } from './override-fields.ts';
import { type Carries, epochMs, type Wire } from './wire.ts';

const LONGEST = '30d';

const rolloutId = z.string().min(1).max(256).describe('Id of a rollout.');

const scope = {
  service: serviceName.optional().describe('Only this service. Without service and rollout: everything.'),
  rollout: rolloutId.optional().describe('Only this rollout.'),
};
const isOneScope = ({ service, rollout }: { service?: string | undefined; rollout?: string | undefined }): boolean =>
  service === undefined || rollout === undefined;
const ONE_SCOPE = { message: 'give a service or a rollout, not both', path: ['rollout'] };

const mode = z.enum(OVERRIDE_MODES).describe('The most that may leave: `hold` no rollback, `observe` nothing.');

export const newHold = z
  .strictObject({
    ...scope,
    mode,
    by: person.describe('Who answers for it.'),
    reason: why.describe('Why; it is kept and logged.'),
    for: overrideLength(LONGEST).optional().describe(`How long it is in force, 1s to ${LONGEST}. Left out: until it is ended.`),
  })
  .refine(isOneScope, ONE_SCOPE);

export const endHoldQuery = z.strictObject({ ...scope, by: person.describe('Who ends it.') }).refine(isOneScope, ONE_SCOPE);

export const resetBreaker = z.strictObject({
  by: person.describe('Who looked.'),
  reason: why.describe('What was found; it is kept and logged.'),
});

export const holdEntry = z.object({
  service: z.string().nullable().describe('Null together with `rollout`: everything.'),
  rollout: z.string().nullable(),
  mode,
  by: z.string(),
  reason: z.string(),
  at: epochMs,
  until: epochMs.nullable().describe('Null: until it is ended.'),
  endedAt: epochMs.nullable().describe('When it was ended before its time; null: it was not.'),
  endedBy: z.string().nullable(),
  isInForce: z.boolean(),
});

export const holdList = z.object({
  now: epochMs,
  killSwitchSince: epochMs.nullable().describe('Since when the kill switch file is there, which holds all rollbacks; null: it is not.'),
  overrides: z.array(holdEntry).describe('Newest first, at most 200.'),
});

export const breakerReport = z.object({
  now: epochMs,
  rollbacksLastHour: z.number().describe('Those that count: since the last reset.'),
  maxRollbacksPerHour: z.number(),
  isOpen: z.boolean().describe('No rollback of any service leaves.'),
  coolDowns: z.array(z.object({ service: z.string(), since: epochMs, until: epochMs })).describe('Services whose rollback was too recent.'),
  commonCause: z
    .object({ since: epochMs, until: epochMs })
    .nullable()
    .describe('Several services turned bad at once, and rollbacks are held; null: not now.'),
  commonCausePolicy: z.object({ services: z.number(), withinMs: z.number() }),
  resets: z.array(z.object({ by: z.string(), reason: z.string(), at: epochMs })).describe('Newest first, at most 50.'),
});

/** Does not compile when the model has what the schemas do not describe truly. */
export type ControlSchemasCarryTheModel = [
  Carries<typeof holdEntry, Wire<HoldEntry>>,
  Carries<typeof holdList, Wire<HoldList>>,
  Carries<typeof breakerReport, Wire<BreakerReport>>,
];

export type HoldEntryWire = z.output<typeof holdEntry>;
export type HoldListWire = z.output<typeof holdList>;
export type BreakerWire = z.output<typeof breakerReport>;
