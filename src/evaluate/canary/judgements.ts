/** Turns the state of a comparison into judgements: what each check says, why, and the numbers behind it. */
import type { HistogramLayout } from '../../model/histogram-layout.ts';
import type { ComparisonEvidence, Judgement, Outcome, Reason } from '../../model/judgement.ts';
import { OVERFLOW_ENDPOINT } from '../../model/series.ts';
import type { Check } from './check.ts';
import type { CheckRule } from './check-rule.ts';
import type { EndpointComparison } from './endpoint-comparison.ts';
import type { EndpointSettings } from './endpoint-settings.ts';
import { individuallyProven } from './individually-proven.ts';
import type { Muted } from './muted.ts';
import { type Overflow, uncomparedEvidence } from './overflow.ts';
import type { Pool } from './pool.ts';

/** The endpoint name of the pooled checks. */
export const ALL_ENDPOINTS = '(all)';

/** What a comparison knows of itself when it is asked. */
export interface Standing {
  readonly endpoints: readonly EndpointComparison[];
  readonly rules: readonly CheckRule[];
  readonly pool: Pool;
  readonly poolShare: number;
  readonly overflow: Overflow;
  readonly muted: Muted;
  readonly settings: EndpointSettings;
  readonly logWealth: number;
  readonly logLimit: number;
  /** ln(1/beta). */
  readonly logProof: number;
  readonly isTooFew: boolean;
  readonly isWarmup: boolean;
  readonly isOver: boolean;
  readonly layout: HistogramLayout;
}

/**
 * One judgement per endpoint and metric, then the pooled ones where there is a pool, then one for what overflowed and one for
 * each pattern that muted something.
 */
export function judgements(standing: Standing): readonly Judgement[] {
  const { endpoints, rules, poolShare, logWealth } = standing;
  const rows = endpoints.flatMap((endpoint) => endpoint.checks.map((check) => ({ endpoint, check })));
  const evidence = rows.map(({ endpoint, check }) => checkEvidence(standing, endpoint, check));
  if (poolShare > 0) evidence.push(...rules.map((_, index) => poolEvidence(standing, index, evidence)));
  const staked = evidence.flatMap(({ weight, logE }, index) => (weight > 0 ? [{ weight, logE, index }] : []));
  const harmful = new Set<number>();
  if (!standing.isTooFew) for (const proven of individuallyProven(staked, standing.logLimit)) harmful.add(staked[proven]?.index ?? -1);
  const judged = evidence.map((said, index): Judgement => {
    const row = rows[index];
    const [outcome, reason] = harmful.has(index) ? FAIL : row === undefined ? ACCUMULATING : whyNotFail(standing, row.endpoint, row.check);
    const share = said.weight * Math.exp(said.logE - logWealth);
    return { check: checkName(said.metric, said.endpoint), outcome, reason, evidence: { ...said, share } };
  });
  const overflowed =
    standing.overflow.baselineRequests + standing.overflow.canaryRequests > 0 ? [overflowJudgement(standing.overflow)] : [];
  return [...judged, ...overflowed, ...standing.muted.judgements()];
}

/** The check with the largest share of the wealth; null when none has bet. */
export function decisiveCheck(standing: Standing): string | null {
  let best: string | null = null;
  let most = -Infinity;
  const weigh = (metric: string, endpoint: string, logShare: number) => {
    if (logShare <= most) return;
    most = logShare;
    best = checkName(metric, endpoint);
  };
  for (const endpoint of standing.endpoints) {
    if (endpoint.share === 0 || Math.log(endpoint.share) + endpoint.logWealth <= most) continue;
    for (const check of endpoint.checks) weigh(check.rule.metric, endpoint.name, Math.log(endpoint.share * check.rule.weight) + check.logE);
  }
  standing.rules.forEach((rule, index) => {
    if (standing.poolShare > 0) weigh(rule.metric, ALL_ENDPOINTS, Math.log(standing.poolShare * rule.weight) + standing.pool.logE(index));
  });
  return best;
}

/** Names of the checks whose health is asked for and not proven. */
export function unprovenChecks(standing: Standing): readonly string[] {
  return standing.endpoints.flatMap((endpoint) =>
    endpoint.checks.flatMap((check) =>
      check.logSafe === null || check.logSafe >= standing.logProof ? [] : [checkName(check.rule.metric, endpoint.name)],
    ),
  );
}

const FAIL: readonly [Outcome, Reason] = ['fail', 'harm_proven'];
const ACCUMULATING: readonly [Outcome, Reason] = ['inconclusive', 'accumulating'];

function checkName(metric: string, endpoint: string): string {
  return `${metric} ${endpoint}`;
}

function whyNotFail(standing: Standing, endpoint: EndpointComparison, check: Check): readonly [Outcome, Reason] {
  if (endpoint.canaryRequests === 0) return ['inconclusive', 'no_canary'];
  if (endpoint.baselineRequests === 0) return ['inconclusive', 'no_baseline'];
  if (standing.isTooFew || !check.isReady) return ['inconclusive', 'too_few_samples'];
  // Health that was proven earlier is no comfort while there is more evidence of harm than at the start, as for the run as a whole.
  if (check.logSafe !== null && check.logSafe >= standing.logProof && check.logE <= 0) return ['pass', 'health_proven'];
  if (standing.isOver) return ['inconclusive', 'horizon_reached'];
  return standing.isWarmup ? ['inconclusive', 'warming_up'] : ACCUMULATING;
}

function checkEvidence({ layout, settings }: Standing, endpoint: EndpointComparison, check: Check): ComparisonEvidence {
  return {
    kind: 'comparison',
    endpoint: endpoint.name,
    metric: check.rule.metric,
    baselineEdgeUs: check.edges === null ? null : layout.lowestUs(check.edges.baseline),
    canaryEdgeUs: check.edges === null ? null : layout.lowestUs(check.edges.canary),
    baseline: check.baseline,
    canary: check.canary,
    logE: check.logE,
    weight: endpoint.share * check.rule.weight,
    share: 0,
    logSafe: check.logSafe,
    phi: check.phi,
    incidentWindows: check.incidentWindows,
    level: 'request',
    oddsRatio: null,
    logNeeded: 0,
    onsetAt: null,
    trail: [],
    isCritical: check.rule.isCritical || settings.of(endpoint.name).isCritical,
  };
}

function poolEvidence({ pool, poolShare, rules }: Standing, index: number, endpoints: readonly ComparisonEvidence[]): ComparisonEvidence {
  const rule = rules[index] as CheckRule;
  const sum = (release: 'baseline' | 'canary') => {
    const total = { bad: 0, total: 0 };
    for (const evidence of endpoints) {
      if (evidence.metric !== rule.metric || evidence.endpoint === ALL_ENDPOINTS) continue;
      total.bad += evidence[release].bad;
      total.total += evidence[release].total;
    }
    return total;
  };
  return {
    kind: 'comparison',
    endpoint: ALL_ENDPOINTS,
    metric: rule.metric,
    baselineEdgeUs: null,
    canaryEdgeUs: null,
    baseline: sum('baseline'),
    canary: sum('canary'),
    logE: pool.logE(index),
    weight: poolShare * rule.weight,
    share: 0,
    logSafe: null,
    phi: 1,
    incidentWindows: pool.incidentWindows(index),
    level: 'request',
    oddsRatio: null,
    logNeeded: 0,
    onsetAt: null,
    trail: [],
    isCritical: false,
  };
}

function overflowJudgement(overflow: Overflow): Judgement {
  return {
    check: checkName('errors', OVERFLOW_ENDPOINT),
    outcome: 'inconclusive',
    reason: 'overflow',
    evidence: uncomparedEvidence(OVERFLOW_ENDPOINT, overflow),
  };
}
