/** Turns the state of a comparison into judgements: what each check says, why, and the numbers behind it. */
import type { ComparisonEvidence, Judgement, Outcome, Reason } from '../../model/judgement.ts';
import { OVERFLOW_ENDPOINT } from '../../model/series.ts';
import type { Check } from './check.ts';
import { ALL_ENDPOINTS, checkName } from './check-name.ts';
import type { CheckRule } from './check-rule.ts';
import type { EndpointComparison } from './endpoint-comparison.ts';
import { guardJudgements, harmGuards } from './guard-judgements.ts';
import { individuallyProven, type WeightedEvidence } from './individually-proven.ts';
import { type Overflow, uncomparedEvidence } from './overflow.ts';
import type { Standing } from './standing.ts';

/**
 * One judgement per endpoint and metric, then the pooled ones where there is a pool, then the guards, then one for what overflowed and one for
 * each pattern that muted something.
 */
export function judgements(standing: Standing): readonly Judgement[] {
  const { endpoints, rules, poolShare, guards, logTotal } = standing;
  const rows = endpoints.flatMap((endpoint) => endpoint.checks.map((check) => ({ endpoint, check })));
  const evidence = rows.map(({ endpoint, check }) => checkEvidence(standing, endpoint, check));
  if (poolShare > 0) evidence.push(...rules.map((_, index) => poolEvidence(standing, index, evidence)));
  const staked: (WeightedEvidence & { readonly check: string })[] = evidence.flatMap(({ metric, endpoint, weight, logE }) =>
    weight > 0 ? [{ check: checkName(metric, endpoint), weight, logE }] : [],
  );
  staked.push(...harmGuards(guards));
  const harmful = new Set<string>();
  if (!standing.isTooFew) for (const proven of individuallyProven(staked, standing.logLimit)) harmful.add(staked[proven]?.check ?? '');
  const judged = evidence.map((said, index): Judgement => {
    const row = rows[index];
    const check = checkName(said.metric, said.endpoint);
    const [outcome, reason] = harmful.has(check) ? FAIL : row === undefined ? ACCUMULATING : whyNotFail(standing, row.endpoint, row.check);
    const share = said.weight * Math.exp(said.logE - logTotal);
    return { check, outcome, reason, evidence: { ...said, share } };
  });
  const guarded = guardJudgements(standing, harmful);
  const overflowed =
    standing.overflow.baselineRequests + standing.overflow.canaryRequests > 0 ? [overflowJudgement(standing.overflow)] : [];
  return [...judged, ...guarded, ...overflowed, ...standing.muted.judgements()];
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

function whyNotFail(standing: Standing, endpoint: EndpointComparison, check: Check): readonly [Outcome, Reason] {
  if (endpoint.canaryRequests === 0) return ['inconclusive', 'no_canary'];
  if (endpoint.baselineRequests === 0) return ['inconclusive', 'no_baseline'];
  if (standing.isTooFew || !check.isReady) return ['inconclusive', 'too_few_samples'];
  // Health that was proven earlier is no comfort while there is more evidence of harm than at the start, as for the run as a whole.
  if (check.logSafe !== null && check.logSafe >= standing.logProof && check.logE <= 0) return ['pass', 'health_proven'];
  if (standing.isOver) return ['inconclusive', 'horizon_reached'];
  return standing.isWarmup ? ['inconclusive', 'warming_up'] : ACCUMULATING;
}

function checkEvidence({ layout, guards, settings }: Standing, endpoint: EndpointComparison, check: Check): ComparisonEvidence {
  return {
    kind: 'comparison',
    endpoint: endpoint.name,
    metric: check.rule.metric,
    baselineEdgeUs: check.edges === null ? null : layout.lowestUs(check.edges.baseline),
    canaryEdgeUs: check.edges === null ? null : layout.lowestUs(check.edges.canary),
    baseline: check.baseline,
    canary: check.canary,
    logE: check.logE,
    weight: guards.othersMoney * endpoint.share * check.rule.weight,
    share: 0,
    logSafe: check.logSafe,
    phi: check.phi,
    incidentWindows: check.incidentWindows,
    level: check.level,
    oddsRatio: null,
    logNeeded: 0,
    onsetAt: null,
    trail: [],
    isCritical: check.rule.isCritical || settings.of(endpoint.name).isCritical,
  };
}

function poolEvidence(
  { pool, poolShare, rules, guards }: Standing,
  index: number,
  endpoints: readonly ComparisonEvidence[],
): ComparisonEvidence {
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
    weight: guards.othersMoney * poolShare * rule.weight,
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
