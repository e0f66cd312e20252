/** The wire form of everything the API answers, held against the model's types by the compiler. */
import { z } from 'zod';
import { REASONS } from '../model/judgement.ts';
import { DELIVERY_STATES, RUN_STATES, TARGET_KINDS } from '../model/rollout.ts';
import { ENDPOINT_KINDS } from '../model/series.ts';
import type { LatencyView, OutlookView } from '../model/views.ts';
import type { SignalView } from './handlers.ts';
import { inputs } from './inputs-schema.ts';
import type { ExplainedRunView, RunSummary, RunView, StatusReport } from './run-view.ts';
import { watchdog } from './watchdog-schema.ts';
import { type Carries, epochMs, figure, type Wire } from './wire.ts';

const count = z.number().min(0);
const reason = z.enum(REASONS);
const matcher = z.record(z.string(), z.string());

const arm = z.object({ bad: count, total: count });

const trailPoint = z.object({ at: epochMs, logE: figure });

const comparisonEvidence = z.object({
  kind: z.literal('comparison'),
  endpoint: z.string(),
  metric: z.string().describe('p50, p95, p99, errors, p50x2 (severe latency) or errorsSevere.'),
  baselineEdgeUs: figure.describe('Bad means slower than this many microseconds; null for errors or without a reference.'),
  canaryEdgeUs: figure,
  baseline: arm,
  canary: arm,
  logE: figure.describe('ln of the harm process of this check; null when not finite.'),
  weight: figure,
  share: figure,
  logSafe: figure,
  phi: figure.describe('Estimated overdispersion, at least 1.'),
  incidentWindows: count,
  level: z.enum(['request', 'pod']).describe('`pod`: evidence that no single pod can bring about.'),
  oddsRatio: z
    .object({ estimate: figure, low: figure, high: figure })
    .nullable()
    .describe('Odds of bad, canary to baseline, with the 95 % interval that holds at every moment at once.'),
  logNeeded: figure.describe('ln of the wealth at which this check would decide by itself.'),
  onsetAt: epochMs.nullable().describe('When harm probably began.'),
  trail: z.array(trailPoint).describe('ln of the wealth over time, oldest first.'),
  isCritical: z.boolean(),
});

const guardEvidence = z.object({
  kind: z.literal('guard'),
  guard: z.enum(['burn', 'silence', 'criterion']).describe('What is asked of the canary alone.'),
  endpoint: z.string(),
  canary: arm,
  baseline: arm,
  limitRatio: figure.describe('The ratio that must not be exceeded; undercut, for silence.'),
  edgeUs: figure.describe('Bad means slower than this; null for failures and requests.'),
  level: z.enum(['request', 'pod']).describe('`pod`: evidence that no single pod can bring about.'),
  logE: figure,
  logNeeded: figure,
  weight: figure,
  share: figure,
});

const mixEvidence = z.object({
  kind: z.literal('mix'),
  distance: figure.describe('How much the shares of the endpoints differ beyond chance, in [0, 1].'),
  limit: figure,
  baselineRequests: count,
  canaryRequests: count,
  endpoints: z.array(z.object({ endpoint: z.string(), baselineShare: figure, canaryShare: figure })),
});

const spreadEvidence = z.object({
  kind: z.literal('spread'),
  endpoint: z.string(),
  metric: z.string(),
  pods: count,
  relativeSd: figure.describe("Standard deviation of the pods' quantiles, relative to the quantile."),
  toleranceRatio: figure,
});

const objectiveEvidence = z.object({
  kind: z.literal('objective'),
  objective: z.string(),
  good: count,
  valid: count,
  sli: figure.describe('good / valid in [0, 1]; null when nothing was valid.'),
  target: z.number(),
  budgetRemaining: figure.describe('1 untouched, 0 spent, negative overspent; null when nothing was valid.'),
});

export const judgement = z.object({
  check: z.string(),
  outcome: z.enum(['pass', 'fail', 'inconclusive']),
  reason,
  evidence: z.discriminatedUnion('kind', [comparisonEvidence, objectiveEvidence, guardEvidence, mixEvidence, spreadEvidence]),
});

export const verdict = z.object({
  decision: z.enum(['continue', 'promote', 'rollback', 'hold']),
  reason,
  at: epochMs.describe('Event time up to which evidence was used.'),
  logWealth: figure.describe('ln of the wealth of all evidence of harm.'),
  logLimit: figure.describe('The wealth at which harm is proven.'),
  decidedBy: z.string().nullable(),
});

const target = z.object({
  kind: z.enum(TARGET_KINDS),
  namespace: z.string(),
  name: z.string(),
  fence: z.string().describe('pod-template-hash, revision or checksum: a signal acts only while the object still has it.'),
  previous: z.string().optional().describe('What served before, by the same kind of name; absent when nobody said.'),
  uid: z.string().optional().describe('Of the object; a signal acts on no other one of the same name. Absent when nobody said.'),
});

const rollout = z.object({
  id: z.string(),
  service: z.string(),
  generation: z.number().int(),
  baseline: matcher,
  canary: matcher,
  policyId: z.string(),
  startedAt: epochMs,
  deadline: epochMs,
  origin: z.enum(['api', 'watch', 'policy']),
  canaryShare: figure.describe('Share of the requests that the canary is meant to get; null when nobody said.'),
  target: target.nullable().describe('The object of the deploy system; null when nobody named it.'),
});

const effect = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('latency'), ratio: z.number().describe('Latency times this.') }),
  z.object({ kind: z.literal('errors'), addRatio: z.number().describe('So many more of all requests fail.') }),
]);

const outlook = z.object({
  check: z.string(),
  endpoint: z.string(),
  metric: z.string(),
  effect,
  neededMs: figure.describe('How long finding the effect takes from now on, about; null: never at this traffic.'),
  smallest: effect.nullable().describe('The smallest effect that would be found within the run.'),
  isJudgeable: z.boolean(),
});

const exemplar = z.object({ traceId: z.string(), endpoint: z.string(), at: epochMs, durationMs: figure, failed: z.boolean() });

const words = z
  .object({ verdict: z.string(), judgements: z.array(z.string()) })
  .describe('The same in words; one text per judgement, in their order.');

export const run = z.object({
  rollout,
  state: z.enum(RUN_STATES),
  verdict,
  judgements: z.array(judgement).describe('As decided upon: sha256 over this JSON is evidenceDigest of the signal.'),
  history: z.array(verdict).describe('Verdicts at which decision or reason changed, oldest first.'),
  canaryRequests: count,
  baselineRequests: count,
  lateRequests: count,
  firstCanaryAt: epochMs.nullable(),
  lagMs: figure,
  signalId: z.string().nullable(),
  trail: z.array(trailPoint).describe('ln of the wealth of all evidence over time, oldest first.'),
  outlook: z.array(outlook).describe('What can be found at this traffic, and how soon.'),
  exemplars: z.object({ baseline: z.array(exemplar), canary: z.array(exemplar) }).describe('The slowest and the failed requests.'),
  strictness: z.number().describe('Tolerances are multiplied by it.'),
  explanation: words,
});

/** As one asks for it by its id. */
export const explainedRun = run.extend({
  explanation: words.extend({ page: z.string().describe('Why, on one page of plain text of at most 60 lines.') }),
});

const runSummary = z.object({
  id: z.string(),
  service: z.string(),
  generation: z.number().int(),
  state: z.enum(RUN_STATES),
  verdict,
  explanation: z.string(),
  startedAt: epochMs,
  canaryRequests: count,
  baselineRequests: count,
});

export const runList = z.object({ rollouts: z.array(runSummary).describe('Newest first.'), total: count });

const series = z.object({
  endpoint: z.string(),
  kind: z.enum(ENDPOINT_KINDS),
  release: z.string(),
  releaseAttributes: matcher,
  requests: count,
  failed: count,
  rate: figure.describe('Requests per second.'),
  errorRatio: figure,
  p50Ms: figure,
  p95Ms: figure,
  p99Ms: figure,
});

const objective = z.object({
  id: z.string(),
  text: z.string().describe('As declared.'),
  endpoint: z.string().nullable(),
  windowMs: z.number(),
  judgement,
  explanation: z.string(),
});

const service = z.object({
  service: z.string(),
  newestAt: epochMs.nullable(),
  watermarkAt: epochMs.nullable().describe('Event time up to which a canary is judged.'),
  lagMs: figure,
  lateSpans: count,
  seriesInUse: count,
  seriesQuota: count,
  endpoints: z.array(series),
  objectives: z.array(objective),
});

export const status = z.object({
  now: epochMs,
  policyRevision: z.string(),
  windowMs: z.number(),
  services: z.array(service),
  runs: z.array(run),
  inputs: inputs.nullable().describe('Of spans on their way; null where whatever is sent is counted at once.'),
  watchdog: watchdog.nullable().describe('What the watchdog found; null where none looks.'),
});

export const latency = z.object({
  service: z.string(),
  endpoint: z.string(),
  release: z.string().nullable().describe('Null for all releases together.'),
  windowMs: z.number(),
  total: count.describe('Spans with a latency.'),
  failed: count,
  quantiles: z.array(z.object({ q: z.number(), ms: figure })).describe('Upper ends of the buckets that hold them.'),
  buckets: z.array(z.object({ lowMs: z.number(), highMs: z.number(), count })).describe('Non-empty ones, ascending.'),
  hdr: z.string().describe('A compressed HdrHistogram V2 in base64, values in µs.'),
});

export const outlookReport = z.object({
  service: z.string(),
  canaryShare: z.number(),
  withinMs: z.number().describe('How long the run may take.'),
  alpha: z.number().describe('Chance of rolling back a healthy canary that the policy allows.'),
  release: z.string().describe('Carries most of the traffic now: what the canary would be compared with.'),
  seenMs: z.number().describe('How long the traffic was looked at.'),
  rate: z.number().describe('Its spans per second, of all releases.'),
  endpoints: count.describe('Endpoints with traffic; the busiest 200 are planned for.'),
  checks: z.array(outlook).describe('The least certain first.'),
});

const signal = z.object({
  id: z.string(),
  rolloutId: z.string(),
  generation: z.number().int(),
  service: z.string(),
  action: z.enum(['rollback', 'promote', 'hold', 'rolled_back']),
  reason,
  summary: z.string(),
  sink: z.string(),
  state: z.enum(DELIVERY_STATES),
  attempts: count,
  lastError: z.string().nullable(),
  decidedAt: epochMs,
  notAfter: epochMs.describe('Not to be acted upon later.'),
  isOpen: z.boolean().describe('Something remains to be done: to deliver it, to see its effect, or to tell people.'),
  escalatedAt: epochMs.nullable().describe('When people were last told that it needs them; null: never.'),
  target: target.nullable().describe('The object of the deploy system; null when nobody named it.'),
  link: z.string().nullable().describe('Where people read why.'),
});

export const signalList = z.object({ signals: z.array(signal).describe('One entry per signal and sink, newest first.') });

export const readiness = z.object({ ready: z.boolean(), reasons: z.array(z.string()) });
export const health = z.object({ alive: z.literal(true) });
export const version = z.object({ name: z.literal('slipstream'), version: z.string(), node: z.string() });
export const directory = z.object({ name: z.literal('slipstream'), version: z.string(), look: z.record(z.string(), z.string()) });

export const problem = z
  .object({
    type: z.string(),
    title: z.string(),
    status: z.number().int(),
    detail: z.string(),
    errors: z
      .array(z.object({ pointer: z.string(), detail: z.string() }))
      .optional()
      .describe('What is wrong where, as JSON pointers into the request; query parameters as `?name`.'),
  })
  .describe('RFC 9457.');

/** Does not compile when the model has what the schemas do not describe truly. */
export type SchemasCarryTheModel = [
  Carries<typeof run, Wire<RunView>>,
  Carries<typeof explainedRun, Wire<ExplainedRunView>>,
  Carries<typeof runSummary, Wire<RunSummary>>,
  Carries<typeof status, Wire<StatusReport>>,
  Carries<typeof latency, Wire<LatencyView>>,
  Carries<typeof outlookReport, Wire<OutlookView>>,
  Carries<typeof signal, Wire<SignalView>>,
];

export type RunWire = z.output<typeof run>;
export type ExplainedRunWire = z.output<typeof explainedRun>;
export type OutlookWire = z.output<typeof outlookReport>;
export type StatusWire = z.output<typeof status>;
