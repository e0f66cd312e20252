/** The numbers behind a judgement in words, one half sentence for each kind of evidence. */
import type {
  ArmCounts,
  ComparisonEvidence,
  Evidence,
  GuardEvidence,
  Interval,
  ObjectiveEvidence,
  PodSpreadEvidence,
  TrafficMixEvidence,
} from './judgement.ts';
import { latencyText, percent, timesText, whole } from './number-text.ts';
import { HIGHEST_ODDS, LOWEST_ODDS } from './odds-range.ts';

/** As evidence names the sum of all endpoints. */
const ALL_ENDPOINTS = '(all)';

/** Lower case, no full stop: what was counted, on both sides, and against which limit. */
export function evidenceText(evidence: Evidence): string {
  switch (evidence.kind) {
    case 'comparison':
      return comparisonText(evidence);
    case 'objective':
      return objectiveText(evidence);
    case 'guard':
      return guardText(evidence);
    case 'mix':
      return mixText(evidence);
    case 'spread':
      return spreadText(evidence);
    default:
      return evidence satisfies never;
  }
}

/** True once there is something to say in numbers; a check that has compared nothing decides nothing. */
export function isCounted(evidence: Evidence): boolean {
  return evidence.kind !== 'comparison' || evidence.canary.total > 0 || evidence.baseline.total > 0;
}

const METRIC_TEXT: ReadonlyMap<string, string> = new Map([
  ['p50', 'p50 latency'],
  ['p95', 'p95 latency'],
  ['p99', 'p99 latency'],
  ['p50x2', 'p50 latency (severe)'],
  ['errors', 'errors'],
  ['errorsSevere', 'errors (severe)'],
]);

/** `p99 latency on POST /checkout`. */
export function checkText(metric: string, endpoint: string): string {
  return `${METRIC_TEXT.get(metric) ?? metric} on ${endpointText(endpoint)}`;
}

function endpointText(endpoint: string): string {
  return endpoint === ALL_ENDPOINTS ? 'all endpoints together' : endpoint;
}

/** The baseline's own percentile that makes a request of this metric slow; null for errors. */
function percentileOf(metric: string): string | null {
  return /^p\d+/.exec(metric)?.[0] ?? null;
}

function comparisonText(evidence: ComparisonEvidence): string {
  const subject = checkText(evidence.metric, evidence.endpoint);
  if (!isCounted(evidence)) return `${subject}: nothing compared yet`;
  const odds = oddsRatioText(evidence);
  return `${subject}: canary ${canaryText(evidence)}, baseline ${baselineText(evidence)}${odds === null ? '' : `; ${odds}`}`;
}

/** `41 of 812 bad (5 %)`, `80 of 800 slower than 210 ms (10 %)`. */
export function canaryText({ canary, canaryEdgeUs, metric }: ComparisonEvidence): string {
  return armText(canary, canaryEdgeUs === null ? badText(metric) : `slower than ${latencyText(canaryEdgeUs)}`);
}

/** `9 of 15,203 bad (0.059 %)`, `150 of 15,000 slower than its p99 of 180 ms (1 %)`. */
export function baselineText({ baseline, baselineEdgeUs, metric }: ComparisonEvidence): string {
  const percentile = percentileOf(metric);
  if (baselineEdgeUs === null) return armText(baseline, badText(metric));
  return armText(baseline, `slower than ${percentile === null ? '' : `its ${percentile} of `}${latencyText(baselineEdgeUs)}`);
}

/** Where edges differ from endpoint to endpoint there is none to name. */
function badText(metric: string): string {
  return percentileOf(metric) === null ? 'bad' : 'slow';
}

function armText(arm: ArmCounts, bad: string): string {
  if (arm.total === 0) return 'without requests';
  return `${whole(arm.bad)} of ${whole(arm.total)} ${bad} (${percent(arm.bad / arm.total)})`;
}

/** For a table: `41/812 5 %`; a dash without requests. */
export function ratioText(arm: ArmCounts): string {
  return arm.total === 0 ? '-' : `${whole(arm.bad)}/${whole(arm.total)} ${percent(arm.bad / arm.total)}`;
}

/** `odds of failing 89 times the baseline's (95 % interval 40 to 190)`; null while nothing is known of them. */
export function oddsRatioText({ oddsRatio, metric }: ComparisonEvidence): string | null {
  if (oddsRatio === null || !isKnown(oddsRatio)) return null;
  const act = percentileOf(metric) === null ? 'failing' : 'being slow';
  const { estimate } = oddsRatio;
  const atLeast = isHighest(estimate) ? 'at least ' : isLowest(estimate) ? 'at most ' : '';
  const times = timesText(estimate);
  return `odds of ${act} ${times === '1' ? 'like' : `${atLeast}${times} times`} the baseline's (95 % interval ${rangeText(oddsRatio)})`;
}

/** For a table: `45 (9.5 or more)`; a dash while nothing is known. */
export function oddsRatioCell({ oddsRatio }: ComparisonEvidence): string {
  if (oddsRatio === null || !isKnown(oddsRatio)) return '-';
  const { estimate } = oddsRatio;
  return `${isHighest(estimate) ? '≥ ' : isLowest(estimate) ? '≤ ' : ''}${timesText(estimate)} (${rangeText(oddsRatio)})`;
}

/** `40 to 55`; where an end is that of what is told apart, `40 or more` or `2 or less`. */
function rangeText({ low, high }: Interval): string {
  if (isHighest(high)) return `${timesText(low)} or more`;
  return isLowest(low) ? `${timesText(high)} or less` : `${timesText(low)} to ${timesText(high)}`;
}

/** Something is excluded. */
function isKnown({ estimate, low, high }: Interval): boolean {
  return Number.isFinite(estimate) && !(isLowest(low) && isHighest(high));
}

/** The ends come through logarithms. */
const ROUNDING = 1e-6;

function isHighest(ratio: number): boolean {
  return !(ratio < HIGHEST_ODDS * (1 - ROUNDING));
}

function isLowest(ratio: number): boolean {
  return !(ratio > LOWEST_ODDS * (1 + ROUNDING));
}

function guardText(evidence: GuardEvidence): string {
  const { guard, canary, baseline, endpoint, edgeUs, limitRatio } = evidence;
  switch (guard) {
    case 'silence': {
      const share = canary.total === 0 ? 'no requests at all' : `${whole(canary.bad)} of ${whole(canary.total)} requests`;
      const got = canary.total === 0 ? '' : ` (${percent(canary.bad / canary.total)})`;
      return `traffic of the canary: ${share}${got}, where at least ${percent(limitRatio)} were to be expected`;
    }
    case 'burn':
      return `errors of the canary on ${endpointText(endpoint)}: ${armText(canary, 'bad')}, limit ${percent(limitRatio)}; baseline ${armText(baseline, 'bad')}`;
    case 'criterion': {
      const bad = edgeUs === null ? 'bad' : `slower than ${latencyText(edgeUs)}`;
      return `canary on ${endpointText(endpoint)}: ${armText(canary, bad)}, limit ${percent(limitRatio)}; baseline ${armText(baseline, bad)}`;
    }
    default:
      return guard satisfies never;
  }
}

/** For a table: `errors at most 1.4 %, (all)`. */
export function guardLimitText({ guard, edgeUs, limitRatio, endpoint }: GuardEvidence): string {
  if (guard === 'silence') return `at least ${percent(limitRatio)} of the traffic`;
  const bad = edgeUs === null ? 'errors' : `slower than ${latencyText(edgeUs)}`;
  return `${bad} at most ${percent(limitRatio)}, ${endpoint}`;
}

function mixText({ distance, limit, endpoints }: TrafficMixEvidence): string {
  const most = endpoints[0];
  const example =
    most === undefined ? '' : `; most on ${most.endpoint}: canary ${percent(most.canaryShare)}, baseline ${percent(most.baselineShare)}`;
  return `${percent(distance)} of the traffic goes to other endpoints, beyond chance (limit ${percent(limit)})${example}`;
}

function spreadText({ metric, endpoint, pods, relativeSd, toleranceRatio }: PodSpreadEvidence): string {
  return `${checkText(metric, endpoint)}: ${whole(pods)} pods of the baseline differ by ${percent(relativeSd)} (standard deviation), the tolerance is ${percent(toleranceRatio)}`;
}

function objectiveText(evidence: ObjectiveEvidence): string {
  const { objective, sli, target, valid, budgetRemaining } = evidence;
  if (sli === null || budgetRemaining === null) return `${objective}: no valid request in its window, target ${percent(target)}`;
  const budget =
    budgetRemaining >= 0
      ? `${percent(budgetRemaining)} of the error budget is left`
      : `the error budget is overspent by ${percent(-budgetRemaining)}`;
  return `${objective}: ${percent(sli)} of ${whole(valid)} requests good, target ${percent(target)}, ${budget}`;
}
