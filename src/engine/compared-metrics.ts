/** Reads what a comparison says into one row for each endpoint and metric, with values that people know. */
import type { CanaryJudgement } from '../evaluate/canary/canary-judgement.ts';
import { ALL_ENDPOINTS, checkName } from '../evaluate/canary/check-name.ts';
import { EndpointSettings } from '../evaluate/canary/endpoint-settings.ts';
import { planOutlook } from '../evaluate/canary/plan-outlook.ts';
import { errorChange, quantileChange } from '../evaluate/recorded/change.ts';
import type { HistogramLayout } from '../model/histogram-layout.ts';
import type { ComparisonEvidence, Judgement, Outcome, Reason } from '../model/judgement.ts';
import type { Outlook } from '../model/outlook.ts';
import type { CanaryPolicy, CheckName } from '../model/policy.ts';
import { type ComparedMetric, limitAsChange, type MetricLimit, type UncomparedEndpoint } from '../model/recorded-comparison.ts';
import { RecordingTotals } from './recording-totals.ts';

/** One endpoint that both recordings have. */
export interface ComparedArms {
  readonly endpoint: string;
  /** Numbers of its series in each recording. */
  readonly series: { readonly baseline: readonly number[]; readonly candidate: readonly number[] };
  readonly baseline: RecordingTotals;
  readonly candidate: RecordingTotals;
}

export interface SaidOfRecordings {
  readonly said: CanaryJudgement;
  readonly arms: readonly ComparedArms[];
  readonly policy: CanaryPolicy;
  readonly layout: HistogramLayout;
  readonly seconds: number;
  /** Why nothing may be concluded; null: nothing stands in the way. */
  readonly doubt: Reason | null;
}

const QUANTILES: Readonly<Record<Exclude<CheckName, 'errors'>, number>> = { p50: 0.5, p95: 0.95, p99: 0.99 };
const METRICS: readonly CheckName[] = ['p50', 'p95', 'p99', 'errors'];
/** Severe checks ask the same question for a larger answer, so they speak under the name of their plain sibling. */
const SEVERE: Readonly<Partial<Record<CheckName, string>>> = { p50: 'p50x2', errors: 'errorsSevere' };

export function comparedMetrics(of: SaidOfRecordings): {
  readonly metrics: readonly ComparedMetric[];
  readonly unjudged: readonly UncomparedEndpoint[];
} {
  const { said, arms, policy } = of;
  const settings = new EndpointSettings(policy.endpoints);
  const judgements = new Map(said.judgements.map((judgement) => [judgement.check, judgement]));
  const judged = arms.filter(({ endpoint }) => !settings.of(endpoint).isMuted);
  const rows = judged.flatMap((arm) => rowsOf(of, arm, judgements));
  const metrics = [...rows, ...togetherOf(of, rows, judgements)];
  const smallest = metrics.some(({ outcome }) => outcome === 'inconclusive') ? smallestEffects(of, judged) : new Map<string, Outlook>();
  return {
    metrics: metrics.map((row) => {
      const outlook = row.outcome === 'inconclusive' ? smallest.get(checkName(row.metric, row.endpoint)) : undefined;
      if (outlook === undefined) return row;
      return {
        ...row,
        smallest: outlook.smallest,
        reason: row.reason === 'horizon_reached' && !outlook.isJudgeable ? 'not_judgeable' : row.reason,
      };
    }),
    // Of an endpoint beyond those that one comparison takes nothing is judged.
    unjudged: arms.flatMap((arm): UncomparedEndpoint[] => {
      const isMuted = settings.of(arm.endpoint).isMuted;
      if (!isMuted && rows.some(({ endpoint }) => endpoint === arm.endpoint)) return [];
      const { baseline, candidate } = arm;
      const reason = isMuted ? 'muted' : 'overflow';
      return [{ endpoint: arm.endpoint, reason, baselineRequests: baseline.requests, candidateRequests: candidate.requests }];
    }),
  };
}

function rowsOf(of: SaidOfRecordings, arm: ComparedArms, judgements: ReadonlyMap<string, Judgement>): ComparedMetric[] {
  const { said: all, doubt } = of;
  return METRICS.flatMap((metric) => {
    const plain = judgements.get(checkName(metric, arm.endpoint));
    const severe = judgements.get(checkName(SEVERE[metric] ?? metric, arm.endpoint));
    if (plain?.evidence.kind !== 'comparison') return [];
    const isFailed = plain.outcome === 'fail' || severe?.outcome === 'fail' || (all.outcome === 'fail' && isDecisive(all, [plain, severe]));
    const louder = severe?.evidence.kind === 'comparison' && severe.evidence.logE > plain.evidence.logE ? severe.evidence : plain.evidence;
    const [outcome, reason]: readonly [Outcome, Reason] =
      doubt !== null ? ['inconclusive', doubt] : isFailed ? ['fail', 'harm_proven'] : [plain.outcome, plain.reason];
    const said = row(of, arm, metric, outcome, reason, outcome === 'fail' ? louder : plain.evidence);
    return [outcome === 'pass' && isBeyondLimit(said) ? { ...said, outcome: 'inconclusive', reason: 'horizon_reached' } : said];
  });
}

/**
 * Health is proven within a margin that is wider than the limit for harm. What was measured beyond the limit is not called healthy for that: a quantile whose
 * estimate is, an error ratio whose whole interval is, as single failures move it a lot.
 */
function isBeyondLimit(row: ComparedMetric): boolean {
  const { change, limit } = row;
  return change !== null && (limit.kind === 'errors' ? change.low : change.estimate) > limitAsChange(row);
}

/** Harm of the endpoints together, where none of them fails alone; else nothing: their sum says less than they do. */
function togetherOf(of: SaidOfRecordings, rows: readonly ComparedMetric[], judgements: ReadonlyMap<string, Judgement>): ComparedMetric[] {
  const { said, doubt, arms, layout } = of;
  if (said.outcome !== 'fail' || doubt !== null || rows.some(({ outcome }) => outcome === 'fail')) return [];
  const metric = METRICS.find(
    (each) => said.decidedBy === checkName(each, ALL_ENDPOINTS) || said.decidedBy === checkName(SEVERE[each] ?? each, ALL_ENDPOINTS),
  );
  const evidence = judgements.get(said.decidedBy ?? '')?.evidence;
  if (metric === undefined || evidence?.kind !== 'comparison') return [];
  const all = {
    endpoint: ALL_ENDPOINTS,
    series: { baseline: [], candidate: [] },
    baseline: new RecordingTotals(layout),
    candidate: new RecordingTotals(layout),
  };
  for (const arm of arms) {
    all.baseline.addTotals(arm.baseline);
    all.candidate.addTotals(arm.candidate);
  }
  return [row(of, all, metric, 'fail', 'harm_proven', evidence)];
}

/** The evidence of all together proves harm, and one of these has the largest part in it. */
function isDecisive({ decidedBy }: CanaryJudgement, judgements: readonly (Judgement | undefined)[]): boolean {
  return judgements.some((judgement) => judgement !== undefined && judgement.check === decidedBy);
}

function row(
  { policy }: SaidOfRecordings,
  arm: ComparedArms,
  metric: CheckName,
  outcome: Outcome,
  reason: Reason,
  { logE, logNeeded, phi }: ComparisonEvidence,
): ComparedMetric {
  const common = { endpoint: arm.endpoint, metric, outcome, reason, limit: limitOf(policy, metric), logE, logNeeded, smallest: null };
  const sides = (value: (totals: RecordingTotals) => number | null) => {
    const side = (totals: RecordingTotals) => ({ requests: totals.requests, failed: totals.failed, value: value(totals) });
    return { baseline: side(arm.baseline), candidate: side(arm.candidate) };
  };
  if (metric === 'errors') {
    const ratios = sides(({ requests, failed }) => (requests === 0 ? null : failed / requests));
    return { ...common, ...ratios, change: errorChange(arm.baseline, arm.candidate, phi) };
  }
  const q = QUANTILES[metric];
  const values = sides((totals) => {
    const value = totals.latencies().quantile(q);
    return Number.isNaN(value) ? null : value;
  });
  return { ...common, ...values, change: quantileChange(arm.baseline.latencies(), arm.candidate.latencies(), q, phi) };
}

function limitOf({ latency, errors }: CanaryPolicy, metric: CheckName): MetricLimit {
  if (metric === 'errors') return { kind: 'errors', oddsRatio: errors.oddsRatio, harm: errors.addRatio, healthy: errors.passAddRatio };
  const { ratio, addUs, passRatio, passAddUs } = latency[metric];
  return { kind: 'latency', harm: { ratio, addUs }, healthy: { ratio: passRatio, addUs: passAddUs } };
}

/** By check: what two recordings like these would prove. */
function smallestEffects({ policy, seconds }: SaidOfRecordings, arms: readonly ComparedArms[]): ReadonlyMap<string, Outlook> {
  const requests = (of: 'baseline' | 'candidate') => arms.reduce((sum, arm) => sum + arm[of].requests, 0);
  const endpoints = arms.map(({ endpoint, baseline, candidate }) => ({
    endpoint,
    baselineRate: (baseline.requests + candidate.requests) / seconds,
    errorRatio: baseline.failed / baseline.requests,
    latency: baseline.latencies(),
  }));
  const canaryShare = requests('candidate') / (requests('baseline') + requests('candidate'));
  return new Map(planOutlook({ policy, endpoints, canaryShare }).map((outlook) => [outlook.check, outlook]));
}
