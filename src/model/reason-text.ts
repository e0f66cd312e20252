/** Reasons, judgements and verdicts in words, for the engineer on call: used by signals, API, command line and page alike. */
import type { ArmCounts, ComparisonEvidence, Evidence, Judgement, ObjectiveEvidence, Reason } from './judgement.ts';
import type { Verdict } from './rollout.ts';

const REASON_TEXT: Readonly<Record<Reason, string>> = {
  harm_proven: 'the canary is proven worse than the baseline',
  health_proven: 'the canary is proven as good as the baseline, within its margins',
  accumulating: 'evidence is still being gathered; nothing is proven either way',
  objective_met: 'the objective is met',
  objective_breached: 'the objective is breached: its error budget is spent',
  burn_proven: 'the canary alone is proven to burn the error budget, while the baseline does not',
  criterion_breached: 'the canary is proven to exceed an absolute limit',
  silence_proven: 'the canary is proven to send far fewer requests than planned',
  no_data: 'no span of the service has come yet',
  no_canary: 'no span of the canary is coming',
  no_baseline: 'no span of the baseline is coming',
  too_few_samples: 'too few requests to conclude anything',
  warming_up: 'the canary is warming up; only severe harm counts',
  horizon_reached: 'the time for this analysis is over and nothing is proven either way',
  not_judgeable: 'the traffic is too low to prove anything about it in the time of this run',
  baking: 'promoted, and still watched against the release it replaced',
  stale_telemetry: 'the newest span is too old: telemetry has stopped coming',
  late_telemetry: 'too many spans come after their time has been judged',
  biased_sampling: 'baseline and canary are sampled by different rules and cannot be compared',
  data_quality: 'too many spans are unusable: bad times, missing or contradictory attributes',
  overflow: 'the endpoint is beyond the quota of its service and is not told apart any more',
  confounded: 'baseline and canary do not get the same mixture of requests, so routing may explain what differs',
  tolerance_too_small: 'pods of the baseline differ more among themselves than the tolerance allows for',
  clock_jump: 'the clock of this machine jumped; waiting until times can be trusted again',
  state_unknown: 'state could not be restored as it was; earlier evidence is missing',
  shared_failure: 'baseline and canary fail alike: the cause is not this release',
  cool_down: 'another rollback of this service was too recent',
  breaker_open: 'too many rollbacks in the last hour across all services; a person has to look',
  observe_only: 'the policy only observes: nothing is sent',
  muted: 'the policy mutes this check',
  deadline_passed: 'the deadline of the rollout passed without proof either way',
  superseded: 'a newer generation of this rollout has started',
  aborted: 'the run was aborted on request',
};

/** What a reason means, as half a sentence: lower case, no full stop. */
export function reasonText(reason: Reason): string {
  return REASON_TEXT[reason];
}

/**
 * One sentence with the numbers behind a judgement, lower case, no full stop:
 * `errors on POST /checkout: canary 41 of 812 bad (5 %), baseline 9 of 15,203 (0.059 %); the canary is proven worse …`.
 */
export function judgementText(judgement: Judgement): string {
  const { evidence } = judgement;
  const numbers = evidenceText(evidence);
  return `${numbers === null ? judgement.check : numbers}; ${reasonText(judgement.reason)}`;
}

function evidenceText(evidence: Evidence): string | null {
  switch (evidence.kind) {
    case 'comparison':
      return comparisonText(evidence);
    case 'objective':
      return objectiveText(evidence);
    case 'guard':
    case 'mix':
    case 'spread':
      return null;
    default:
      return evidence satisfies never;
  }
}

const DECISION_TEXT: Readonly<Record<Verdict['decision'], string>> = {
  continue: 'Continue',
  promote: 'Promote',
  rollback: 'Roll back',
  hold: 'Hold',
};

/**
 * The verdict in full sentences: what to do and why, the check that weighs most, how strong the evidence is. `judgements` are those of the same
 * run; without them the numbers are left out.
 */
export function verdictText(verdict: Verdict, judgements: readonly Judgement[] = []): string {
  const sentences = [`${DECISION_TEXT[verdict.decision]}: ${reasonText(verdict.reason)}.`];
  const decisive = judgements.find((judgement) => judgement.check === verdict.decidedBy);
  if (decisive?.evidence.kind === 'comparison' && isCompared(decisive.evidence))
    sentences.push(`${capitalised(comparisonText(decisive.evidence))}.`);
  if (decisive?.evidence.kind === 'objective') sentences.push(`${capitalised(objectiveText(decisive.evidence))}.`);
  const strength = strengthText(verdict);
  if (strength !== null) sentences.push(strength);
  return sentences.join(' ');
}

/** Ville's inequality: with a healthy canary the wealth ever reaches the limit in at most exp(-limit) of all rollouts. */
function strengthText(verdict: Verdict): string | null {
  const { logWealth, logLimit } = verdict;
  if (!Number.isFinite(logWealth) || !Number.isFinite(logLimit) || logLimit <= 0) return null;
  const odds = `Evidence of harm: odds of ${oddsText(logWealth)} to 1, and ${oddsText(logLimit)} to 1 are needed`;
  if (logWealth < logLimit) return `${odds}.`;
  return `${odds}: if the canary were healthy, evidence this strong would occur in at most 1 of ${whole(Math.exp(logLimit))} rollouts.`;
}

const MANY_ODDS = 1_000_000;
const FEW_ODDS = 0.1;

/** Wealth as odds against a healthy canary: e^5.2 is `181`, 1 is as it began. */
function oddsText(logWealth: number): string {
  const odds = Math.exp(logWealth);
  if (odds > MANY_ODDS) return `more than ${whole(MANY_ODDS)}`;
  if (odds < FEW_ODDS) return `less than ${FEW_ODDS}`;
  return odds >= 10 ? whole(odds) : odds.toFixed(1).replace('.0', '');
}

const METRIC_TEXT: ReadonlyMap<string, string> = new Map([
  ['p50', 'p50 latency'],
  ['p95', 'p95 latency'],
  ['p99', 'p99 latency'],
  ['p50x2', 'p50 latency (severe)'],
  ['errors', 'errors'],
  ['errorsSevere', 'errors (severe)'],
]);

/** As the evidence names the sum of all endpoints. */
const ALL_ENDPOINTS = '(all)';

function comparisonText(evidence: ComparisonEvidence): string {
  const subject = `${METRIC_TEXT.get(evidence.metric) ?? evidence.metric} on ${evidence.endpoint === ALL_ENDPOINTS ? 'all endpoints together' : evidence.endpoint}`;
  if (!isCompared(evidence)) return `${subject}: nothing compared yet`;
  const canary = armText(evidence.canary, evidence.canaryEdgeUs);
  const baseline = armText(evidence.baseline, evidence.baselineEdgeUs);
  return `${subject}: canary ${canary}, baseline ${baseline}`;
}

function isCompared({ canary, baseline }: ComparisonEvidence): boolean {
  return canary.total > 0 || baseline.total > 0;
}

function armText(arm: ArmCounts, edgeUs: number | null): string {
  if (arm.total === 0) return 'without requests';
  const bad = edgeUs === null ? 'bad' : `above ${durationText(edgeUs)}`;
  return `${whole(arm.bad)} of ${whole(arm.total)} ${bad} (${percent(arm.bad / arm.total)})`;
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

const WHOLE = new Intl.NumberFormat('en-US', { maximumFractionDigits: 0 });

function whole(value: number): string {
  return WHOLE.format(value);
}

/**
 * A ratio as percent with two telling digits, counted from 0 % or 100 %, whichever is nearer: 0.000592 is `0.059 %`, 0.99955 is `99.955 %`. What is
 * not exactly 0 or 1 never reads as if it were.
 */
export function percent(ratio: number): string {
  if (ratio === 0) return '0 %';
  if (ratio === 1) return '100 %';
  if (ratio > 1) return `${whole(ratio * 100)} %`;
  const telling = Math.min(ratio, 1 - ratio) * 100;
  if (telling < 0.0001) return ratio < 0.5 ? '< 0.0001 %' : '> 99.9999 %';
  const decimals = Math.max(0, 1 - Math.floor(Math.log10(telling)));
  const text = (ratio * 100).toFixed(decimals);
  return `${decimals === 0 ? text : text.replace(/\.?0+$/, '')} %`;
}

function durationText(us: number): string {
  const ms = us / 1000;
  if (ms >= 10_000) return `${(ms / 1000).toFixed(1)} s`;
  if (ms >= 100) return `${whole(ms)} ms`;
  return `${ms.toFixed(ms >= 1 ? 1 : 2)} ms`;
}

function capitalised(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
