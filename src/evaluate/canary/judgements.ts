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
import { podSpreadJudgements } from './pod-spread-judgements.ts';
import { isConfounded } from './recent-traffic.ts';
import { judgeability } from './run-outlook.ts';
import type { Standing } from './standing.ts';

/**
 * One judgement per endpoint and metric, then the pooled ones where there is a pool, then the guards, then one for what overflowed and one for
 * each pattern that muted something.
 */
export function judgements(standing: Standing): readonly Judgement[] {
  const { endpoints, rules, poolShare, guards, logTotal, history, time } = standing;
  const rows = endpoints.flatMap((endpoint) => {
    const canJudge = judgeability(standing, endpoint);
    return endpoint.checks.map((check): Row => ({ endpoint, check, canJudge }));
  });
  const evidence = endpoints.flatMap((endpoint) => endpoint.checks.map((check, index) => checkEvidence(standing, endpoint, check, index)));
  if (poolShare > 0) evidence.push(...rules.map((_, index) => poolEvidence(standing, index, evidence)));
  const staked: (WeightedEvidence & { readonly check: string })[] = evidence.flatMap(({ metric, endpoint, weight, logE }) =>
    weight > 0 ? [{ check: checkName(metric, endpoint), weight, logE }] : [],
  );
  staked.push(...harmGuards(guards));
  const harmful = new Set<string>();
  if (!standing.isTooFew) for (const proven of individuallyProven(staked, standing.logLimit)) harmful.add(staked[proven]?.check ?? '');
  const isDrawn = drawn(evidence);
  const judged = evidence.map((said, index): Judgement => {
    const row = rows[index];
    const check = checkName(said.metric, said.endpoint);
    const [outcome, reason] = harmful.has(check) ? FAIL : row === undefined ? ACCUMULATING : whyNotFail(standing, row);
    const share = said.weight * Math.exp(said.logE - logTotal);
    const trail = isDrawn.has(index) ? history.trail(said.endpoint, index % rules.length, time.nextSlot, said.logE) : [];
    return { check, outcome, reason, evidence: { ...said, share, trail } };
  });
  const guarded = [...guardJudgements(standing, harmful), ...mixJudgements(standing)];
  const overflowed =
    standing.overflow.baselineRequests + standing.overflow.canaryRequests > 0 ? [overflowJudgement(standing.overflow)] : [];
  return [...judged, ...guarded, ...podSpreadJudgements(endpoints), ...overflowed, ...standing.muted.judgements()];
}

/** Names of the checks whose health is asked for and not proven. */
export function unprovenChecks(standing: Standing): readonly string[] {
  return standing.endpoints.flatMap((endpoint) =>
    endpoint.checks.flatMap((check) => (check.isNotInDoubt(standing.logProof) ? [] : [checkName(check.rule.metric, endpoint.name)])),
  );
}

/** Checks whose evidence is drawn over time; the others of a run of many endpoints have no trail, as nobody reads thousands. */
const MAX_TRAILS = 200;

/** Indexes of those that are drawn: the ones with most wealth. */
function drawn(evidence: readonly ComparisonEvidence[]): ReadonlySet<number> {
  const order = evidence.map((_, index) => index);
  const wealth = (index: number) => (evidence[index] as ComparisonEvidence).logE;
  if (order.length > MAX_TRAILS) order.sort((a, b) => wealth(b) - wealth(a) || a - b);
  return new Set(order.slice(0, MAX_TRAILS));
}

const FAIL: readonly [Outcome, Reason] = ['fail', 'harm_proven'];
const ACCUMULATING: readonly [Outcome, Reason] = ['inconclusive', 'accumulating'];

interface Row {
  readonly endpoint: EndpointComparison;
  readonly check: Check;
  readonly canJudge: (check: Check) => boolean;
}

function whyNotFail(standing: Standing, { endpoint, check, canJudge }: Row): readonly [Outcome, Reason] {
  if (endpoint.canaryRequests === 0) return ['inconclusive', 'no_canary'];
  if (endpoint.baselineRequests === 0) return ['inconclusive', 'no_baseline'];
  if (standing.isTooFew || !check.isReady) return ['inconclusive', 'too_few_samples'];
  // Health that was proven earlier is no comfort while there is more evidence of harm than at the start, as for the run as a whole.
  if (check.logSafe !== null && check.isNotInDoubt(standing.logProof) && check.logE <= 0) return ['pass', 'health_proven'];
  if (standing.isOver) return ['inconclusive', 'horizon_reached'];
  if (standing.isWarmup) return ['inconclusive', 'warming_up'];
  return canJudge(check) ? ACCUMULATING : ['inconclusive', 'not_judgeable'];
}

function checkEvidence(standing: Standing, endpoint: EndpointComparison, check: Check, index: number): ComparisonEvidence {
  const { layout, guards, settings } = standing;
  const weight = guards.othersMoney * endpoint.share * check.rule.weight;
  return {
    kind: 'comparison',
    endpoint: endpoint.name,
    metric: check.rule.metric,
    baselineEdgeUs: check.edges === null ? null : layout.lowestUs(check.edges.baseline),
    canaryEdgeUs: check.edges === null ? null : layout.lowestUs(check.edges.canary),
    baseline: check.baseline,
    canary: check.canary,
    logE: check.logE,
    weight,
    share: 0,
    logSafe: check.logSafe,
    phi: check.phi,
    incidentWindows: check.incidentWindows,
    level: check.level,
    oddsRatio: check.oddsRatio,
    ...course(standing, endpoint.name, index, check.logE, weight),
    isCritical: check.rule.isCritical || settings.of(endpoint.name).isCritical,
  };
}

/** What led to a wealth, and what it still needs; 0 where nothing is at stake. */
function course(
  { history, logLimit }: Standing,
  endpoint: string,
  index: number,
  logE: number,
  weight: number,
): Pick<ComparisonEvidence, 'logNeeded' | 'onsetAt' | 'trail'> {
  return {
    logNeeded: weight > 0 ? logLimit - Math.log(weight) : 0,
    onsetAt: history.onsetAt(endpoint, index, logE),
    trail: [],
  };
}

function poolEvidence(standing: Standing, index: number, endpoints: readonly ComparisonEvidence[]): ComparisonEvidence {
  const { pool, poolShare, rules, guards } = standing;
  const weight = guards.othersMoney * poolShare * (rules[index] as CheckRule).weight;
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
    weight,
    share: 0,
    logSafe: null,
    phi: 1,
    incidentWindows: pool.incidentWindows(index),
    level: 'request',
    oddsRatio: null,
    ...course(standing, ALL_ENDPOINTS, index, pool.logE(index), weight),
    isCritical: false,
  };
}

/** Says that routing may explain what differs; nothing where it cannot. */
function mixJudgements({ history }: Standing): readonly Judgement[] {
  const mix = history.traffic.mix();
  return mix !== null && isConfounded(mix) ? [{ check: 'traffic mix', outcome: 'inconclusive', reason: 'confounded', evidence: mix }] : [];
}

function overflowJudgement(overflow: Overflow): Judgement {
  return {
    check: checkName('errors', OVERFLOW_ENDPOINT),
    outcome: 'inconclusive',
    reason: 'overflow',
    evidence: uncomparedEvidence(OVERFLOW_ENDPOINT, overflow),
  };
}
