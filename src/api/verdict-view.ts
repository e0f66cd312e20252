/** A run as deploy systems ask for it: pass, fail or inconclusive, and no more than the policy lets leave. */
import type { Judgement, Outcome, Reason } from '../model/judgement.ts';
import type { PolicyMode } from '../model/policy.ts';
import { decisionText, judgementText, reasonText } from '../model/reason-text.ts';
import type { AnalysisRun, Decision, RunState } from '../model/rollout.ts';
import { shortened, visible } from '../model/safe-text.ts';

export interface VerdictView {
  readonly verdict: Outcome;
  readonly decision: Decision;
  readonly reason: Reason;
  /** One sentence. */
  readonly text: string;
  /** In [0, 1]; see `score`. */
  readonly score: number;
  readonly canaryRequests: number;
  readonly baselineRequests: number;
  /** Null: nothing is judged yet. */
  readonly rollout: string | null;
  readonly generation: number | null;
  readonly state: RunState | null;
  /** Where people read why. */
  readonly link: string | null;
  /** Those that weigh most. */
  readonly checks: readonly { readonly check: string; readonly outcome: Outcome; readonly reason: Reason; readonly text: string }[];
}

const MAX_CHECKS = 5;
const MAX_TEXT_COLUMNS = 300;
const UNDECIDED_SCORE = 0.5;

/** What a run says to a deploy system that asks. */
export type Said = Pick<VerdictView, 'verdict' | 'decision' | 'reason' | 'text'>;

/**
 * Only a proven rollback is a fail and only a promotion is a pass; held, expired, superseded and aborted are inconclusive. A policy that only observes
 * lets nothing leave, so its runs are inconclusive whatever they found. `isReplaced`: a newer rollout of the service was started since, so an old proof
 * says nothing about what is deployed now.
 */
export function said(run: AnalysisRun, mode: PolicyMode, isReplaced = false): Said {
  const { verdict } = run;
  if (mode === 'observe') {
    const found = verdict.reason === 'observe_only' ? 'harm was proven' : decisionText(verdict).replace(/\.$/, '');
    const text = `The policy only observes, so nothing is asked of the deploy system; for people: ${found}.`;
    return { verdict: 'inconclusive', decision: 'hold', reason: 'observe_only', text };
  }
  if (verdict.decision === 'rollback' || verdict.decision === 'promote') {
    const { decision, reason } = verdict;
    if (!isReplaced) return { verdict: decision === 'rollback' ? 'fail' : 'pass', decision, reason, text: decisionText(verdict) };
    const text = 'Hold: a newer rollout of the service was started since this one was decided; a higher generation judges it anew.';
    return { verdict: 'inconclusive', decision: 'hold', reason: 'superseded', text };
  }
  return { verdict: 'inconclusive', decision: verdict.decision, reason: verdict.reason, text: decisionText(verdict) };
}

/**
 * 1 for a pass, 0 for a fail, and between them how little speaks against the canary: 0.5 when nothing does, in steps of 0.1 down to 0.1 as the evidence
 * of harm, on its logarithmic scale, nears what a rollback needs. More evidence of harm never raises it. Numbers that are not finite count as no
 * evidence. It is for dashboards and thresholds of other tools; it is no probability.
 */
export function score(verdict: Outcome, { logWealth, logLimit }: Pick<AnalysisRun['verdict'], 'logWealth' | 'logLimit'>): number {
  if (verdict === 'pass') return 1;
  if (verdict === 'fail') return 0;
  if (!(logLimit > 0) || Number.isNaN(logWealth)) return UNDECIDED_SCORE;
  const share = Math.min(1, Math.max(0, logWealth / logLimit));
  return Math.max(1, Math.floor(5 * (1 - share) + 1e-9)) / 10;
}

export interface ViewContext {
  readonly mode: PolicyMode;
  readonly isReplaced: boolean;
  /** Address by which people reach this API; null: not known. */
  readonly publicUrl: string | null;
}

export function verdictView(run: AnalysisRun, { mode, isReplaced, publicUrl }: ViewContext): VerdictView {
  const told = said(run, mode, isReplaced);
  const mayLeave = mode !== 'observe';
  return {
    ...told,
    score: mayLeave ? score(told.verdict, run.verdict) : UNDECIDED_SCORE,
    canaryRequests: run.canaryRequests,
    baselineRequests: run.baselineRequests,
    rollout: run.rollout.id,
    generation: run.rollout.generation,
    state: run.state,
    link: explanationLink(run, publicUrl),
    checks: mayLeave ? weightiest(run).map(checkView) : [],
  };
}

/** The answer while there is no run that could be asked. */
export function undecidedView(reason: Reason, text = `Hold: ${reasonText(reason)}.`): VerdictView {
  return {
    verdict: 'inconclusive',
    decision: 'hold',
    reason,
    text,
    score: UNDECIDED_SCORE,
    canaryRequests: 0,
    baselineRequests: 0,
    rollout: null,
    generation: null,
    state: null,
    link: null,
    checks: [],
  };
}

/** The page that explains a run; null where the API has no address that others know. */
export function explanationLink({ rollout }: Pick<AnalysisRun, 'rollout'>, publicUrl: string | null): string | null {
  return publicUrl === null ? null : `${publicUrl}/v1/rollouts/${encodeURIComponent(rollout.id)}/explanation`;
}

/** True when the run never changes again. */
export function isOver(state: RunState): boolean {
  return state !== 'pending' && state !== 'running' && state !== 'baking';
}

const SEVERITY: Readonly<Record<Outcome, number>> = { fail: 0, inconclusive: 1, pass: 2 };

function weightiest({ judgements, verdict }: AnalysisRun): readonly Judgement[] {
  const rank = ({ check, outcome }: Judgement): number => (check === verdict.decidedBy ? -1 : SEVERITY[outcome]);
  return judgements.toSorted((a, b) => rank(a) - rank(b)).slice(0, MAX_CHECKS);
}

function checkView(judgement: Judgement): VerdictView['checks'][number] {
  const { check, outcome, reason } = judgement;
  const safe = (text: string): string => shortened(visible(text), MAX_TEXT_COLUMNS);
  return { check: safe(check), outcome, reason, text: safe(judgementText(judgement)) };
}
