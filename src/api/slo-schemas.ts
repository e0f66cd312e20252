/** The wire form of what is told about objectives, held against the model's types by the compiler. */
import { z } from 'zod';
import type { SloReport } from '../model/slo-views.ts';
import type { WhatIfView } from '../model/what-if.ts';
import { type Carries, epochMs, figure, type Wire } from './wire.ts';

const count = z.number().min(0).describe('A sum of weights when spans are sampled, else an integer.');
const severity = z.enum(['page', 'ticket']);

const windowCounts = z.object({ from: epochMs, to: epochMs, valid: count, bad: count }).describe('Over [from, to).');

const tier = z.object({
  severity,
  longMs: z.number(),
  shortMs: z.number(),
  budgetShare: z.number().describe("Share of the period's budget that is spent when it fires at the earliest, (0, 1]."),
  burnRate: z.number().describe('Fires above it, in both windows.'),
});

const tierReading = z.object({
  tier,
  long: windowCounts,
  short: windowCounts,
  longBurn: z.number().describe('(bad / valid) / budget; 0 without valid events.'),
  shortBurn: z.number(),
  longSpent: figure.describe("Share of the period's budget that was spent within the long window."),
  isFiring: z.boolean(),
  why: z
    .enum(['rate', 'budget', 'both', 'below_long', 'below_short', 'too_few_bad', 'no_data'])
    .describe('Which definition of burn says so, or why it does not fire.'),
});

const alert = z.object({
  severity: severity.nullable().describe('The worst tier that fires; null: nothing does.'),
  since: epochMs.nullable(),
  isFrozen: z.boolean().describe('Telemetry is lost or unknown: the state is what it was.'),
  tiers: z.array(tierReading),
});

const incident = z.object({
  objective: z.string(),
  startedAt: epochMs,
  detectedAt: epochMs.nullable().describe('When a tier fired; null: it never did.'),
  endedAt: epochMs.nullable().describe('Null: it goes on.'),
  severity: severity.nullable(),
  bad: count,
  budgetShare: z.number().describe('Of the budget of the window as it was then.'),
  releases: z.array(z.string()).describe('Those that spent most, worst first.'),
});

export const objectiveReport = z.object({
  id: z.string(),
  service: z.string(),
  endpoint: z.string().nullable().describe('Null: the whole service.'),
  text: z.string().describe('As declared.'),
  window: z.string(),
  unit: z.enum(['requests', 'slices']),
  target: z.number(),
  state: z
    .enum(['met', 'at_risk', 'breached', 'no_data'])
    .describe('at_risk: met, and burning faster than sustainable over the last hour.'),
  counts: windowCounts,
  sli: figure.describe('(valid - bad) / valid; null without valid events.'),
  allowedBad: z.number().describe('What the budget allows for `counts.valid`, not rounded.'),
  budgetRemaining: figure.describe('1 untouched, 0 spent, negative overspent; null without valid events.'),
  countedSince: epochMs.nullable().describe('Since when its counts are exact and complete.'),
  excluded: z.object({ valid: count, bad: count }).describe('What maintenance took out of the window.'),
  alert,
  forecast: z.object({
    burnRate: figure.describe('Of the last hour; null without traffic.'),
    exhaustedAt: epochMs.nullable().describe('When the budget is spent if that goes on.'),
    recoveredAt: epochMs.nullable().describe('When an overspent budget is kept again if nothing more goes wrong.'),
  }),
  coverage: z.object({ heardMinutes: count, minutes: count }).describe('Minutes of the window in which the service was heard.'),
  ledger: z.object({
    from: epochMs,
    rows: z.array(z.object({ endpoint: z.string(), release: z.string(), bad: count, budgetShare: figure })),
  }),
  incidents: z.array(incident).describe('Newest first, of the window.'),
});

const delivery = z.object({
  windowMs: z.number(),
  rollouts: count,
  rolledBack: count,
  changeFailRatio: figure,
  rolloutsPerDay: z.number(),
  incidents: count,
  meanTimeToDetectMs: figure,
  meanTimeToRestoreMs: figure,
});

const trend = z.object({
  id: z.string(),
  text: z.string(),
  endpoint: z.string().nullable(),
  outcome: z.enum(['steady', 'too_steep', 'too_little_data']),
  growthPerDay: figure.describe('Robust slope, a ratio per day.'),
  days: z.array(figure).describe('One value a day, oldest first: µs, a ratio or requests at once.'),
  reachedAt: epochMs.nullable().describe('When the capacity is reached at this slope.'),
});

export const sloReport = z.object({
  now: epochMs,
  policyRevision: z.string(),
  objectives: z.array(objectiveReport),
  services: z.array(z.object({ service: z.string(), delivery, trends: z.array(trend), excludedNow: z.array(z.string()) })),
});

const interval = z.object({ least: z.number(), most: z.number() }).describe('Both ends belong to it; the same where the answer is exact.');

export const whatIfReport = z.object({
  service: z.string(),
  endpoint: z.string().nullable(),
  target: z.number(),
  text: z.string(),
  windowMs: z.number(),
  basis: z.enum(['counts', 'histograms']).describe('counts: exact. histograms: spans as received, as far as buckets tell.'),
  from: epochMs.describe('Rounded outward to what is stored.'),
  to: epochMs,
  dataFrom: epochMs.nullable().describe('Begin of the first slot that has something of it.'),
  valid: count,
  bad: interval,
  bucket: z
    .object({ lowMs: z.number(), highMs: figure, count })
    .nullable()
    .describe('The bucket the limit lies in, whose spans may be good or bad; null where no span is in doubt.'),
  isSampled: z.boolean(),
  allowedBad: z.number(),
  sli: interval.nullable(),
  budgetRemaining: interval.nullable(),
  outcome: z.enum(['met', 'breached', 'undecided', 'no_data']),
});

type Told<Schema extends z.ZodType<Value>, Value> = [Schema, Value];

/** Does not compile when the model has what the schemas do not describe truly, or the other way round. */
export type SloSchemasCarryTheModel = [
  Carries<typeof sloReport, Wire<SloReport>>,
  Carries<typeof whatIfReport, Wire<WhatIfView>>,
  Told<typeof sloReport, Wire<SloReport>>,
  Told<typeof whatIfReport, Wire<WhatIfView>>,
];

export type SloReportWire = z.output<typeof sloReport>;
export type ObjectiveReportWire = z.output<typeof objectiveReport>;
export type WhatIfWire = z.output<typeof whatIfReport>;
