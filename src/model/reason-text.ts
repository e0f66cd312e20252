/** Reasons, judgements and verdicts in words, for the engineer on call: used by signals, API, command line and page alike. */
import { evidenceText, isCounted } from './evidence-text.ts';
import type { Evidence, Judgement, Reason } from './judgement.ts';
import { oddsText, timeText, whole } from './number-text.ts';
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
  baseline_used_up: "all of the baseline's own past has been compared, and nothing is proven either way",
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
  tolerance_too_small: 'pods of the baseline differ more among themselves than the tolerance allows for, so it is widened',
  clock_jump: 'the clock of this machine jumped; waiting until times can be trusted again',
  input_lagging: 'not all spans up to now have been counted yet; the status shows which source of spans is waited for',
  input_gap: 'some spans were lost before they could be counted; what they may be missing from is not judged',
  state_unknown: 'state could not be restored as it was; earlier evidence is missing',
  shared_failure: 'baseline and canary fail alike: the cause is not this release',
  cool_down: 'another rollback of this service was too recent',
  breaker_open: 'too many rollbacks in the last hour across all services; a person has to look',
  observe_only: 'the policy only observes: nothing is sent',
  muted: 'the policy mutes this check',
  deadline_passed: 'the deadline of the rollout passed without proof either way',
  superseded: 'a newer generation of this rollout has started',
  aborted: 'the run was aborted on request',
  rollout_over: 'the deploy system ended the rollout before there was a verdict',
  common_cause: 'several services turned bad at once: something they share is wrong, and a rollback of each would not help',
  overridden: 'an operator forbade rollbacks for the time being',
};

/** What a reason means, as half a sentence: lower case, no full stop. */
export function reasonText(reason: Reason): string {
  return REASON_TEXT[reason];
}

/**
 * One sentence with the numbers behind a judgement, lower case, no full stop:
 * `errors on POST /checkout: canary 41 of 812 bad (5 %), baseline 9 of 15,203 bad (0.059 %); odds of failing 89 times the baseline's (95 % interval 40
 * to 190); the canary is proven worse than the baseline, probably since 12:03:04`. What is not decided says what is still needed.
 */
export function judgementText(judgement: Judgement): string {
  const { evidence, outcome, reason } = judgement;
  const parts = [evidenceText(evidence), reasonText(reason) + (outcome === 'fail' ? sinceText(evidence) : '')];
  if (outcome === 'fail' && isBeyondOnePod(evidence)) parts.push(BEYOND_ONE_POD);
  if (reason === 'accumulating') {
    const needed = neededText(evidence);
    if (needed !== null) parts.push(needed);
  }
  return parts.join('; ');
}

const BEYOND_ONE_POD = 'no single pod can bring about this evidence';

function isBeyondOnePod(evidence: Evidence): boolean {
  return (evidence.kind === 'comparison' || evidence.kind === 'guard') && evidence.level === 'pod';
}

function sinceText(evidence: Evidence): string {
  return evidence.kind === 'comparison' && evidence.onsetAt !== null ? `, probably since ${timeText(evidence.onsetAt)}` : '';
}

/** `evidence 23 to 1; 100 to 1 are needed` of a single check; null for evidence that is no wealth. */
function neededText(evidence: Evidence): string | null {
  if (evidence.kind !== 'comparison' && evidence.kind !== 'guard') return null;
  const { logE, logNeeded } = evidence;
  if (!Number.isFinite(logE) || !Number.isFinite(logNeeded) || logNeeded <= 0) return null;
  return `evidence ${oddsText(logE)} to 1; ${oddsText(logNeeded)} to 1 are needed`;
}

const DECISION_TEXT: Readonly<Record<Verdict['decision'], string>> = {
  continue: 'Continue',
  promote: 'Promote',
  rollback: 'Roll back',
  hold: 'Hold',
};

/** What to do and why, in one sentence. */
export function decisionText(verdict: Verdict): string {
  return `${DECISION_TEXT[verdict.decision]}: ${reasonText(verdict.reason)}.`;
}

/**
 * The verdict in at most five sentences: what to do and why, the check that weighs most, how strong the evidence is. `judgements` are those of the
 * same run; without them the numbers are left out.
 */
export function verdictText(verdict: Verdict, judgements: readonly Judgement[] = []): string {
  const sentences = [decisionText(verdict)];
  const evidence = judgements.find((judgement) => judgement.check === verdict.decidedBy)?.evidence;
  const isHarm = verdict.decision === 'rollback';
  if (evidence !== undefined && isCounted(evidence))
    sentences.push(`${capitalised(evidenceText(evidence))}${isHarm ? sinceText(evidence) : ''}.`);
  const strength = strengthText(verdict);
  if (strength !== null) sentences.push(strength);
  if (isHarm && evidence !== undefined && isBeyondOnePod(evidence)) sentences.push(`${capitalised(BEYOND_ONE_POD)}.`);
  return sentences.join(' ');
}

/** Ville's inequality: with a healthy canary the wealth ever reaches the limit in at most exp(-limit) of all rollouts. */
export function strengthText(verdict: Verdict): string | null {
  const { logWealth, logLimit } = verdict;
  if (!Number.isFinite(logWealth) || !Number.isFinite(logLimit) || logLimit <= 0) return null;
  const odds = `Evidence of harm: odds of ${oddsText(logWealth)} to 1, and ${oddsText(logLimit)} to 1 are needed`;
  if (logWealth < logLimit) return `${odds}.`;
  return `${odds}: if the canary were healthy, evidence this strong would occur in at most 1 of ${whole(Math.exp(logLimit))} rollouts.`;
}

function capitalised(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
