/** May Flagger send the canary more traffic now? Only while nothing is known against it and the last step has been looked at. */
import { reasonText } from '../../model/reason-text.ts';
import type { AnalysisRun } from '../../model/rollout.ts';

/**
 * Share of the evidence, on its logarithmic scale, at which harm is suspected. By Ville's inequality a healthy canary ever reaches half of ln(1/alpha) in
 * at most sqrt(alpha) of all rollouts: with alpha 0.01, one rollout in ten waits a little although nothing is wrong.
 */
const SUSPICION = 0.5;

/** The last step that was let through. */
export interface GrantedStep {
  /** Requests of the canary that had been judged then. */
  readonly canaryRequests: number;
}

export type StepAnswer = { readonly isOpen: boolean; readonly text: string };

/**
 * Open for the first step as soon as the primary is heard, because without traffic nothing can ever be known; then closed until `minRequests` more of the
 * canary have been judged since the last step that was let through, the run says "go on", and harm is not suspected. Traffic too thin to prove anything
 * goes on in the same way: more of it helps. To be asked of runs in flight.
 */
export function mayStep(run: AnalysisRun, last: GrantedStep | null, minRequests: number): StepAnswer {
  const { verdict, canaryRequests, baselineRequests } = run;
  const because = (text: string): StepAnswer => ({ isOpen: false, text });
  if (canaryRequests === 0) {
    if (last !== null) return because('no request of the canary has come since the first step was let through');
    if (baselineRequests === 0) return because('no request of the primary has been judged yet');
    if (verdict.reason !== 'no_canary') return because(reasonText(verdict.reason));
    return { isOpen: true, text: 'the first step: the primary is heard' };
  }
  if (verdict.decision !== 'continue') return because(reasonText(verdict.reason));
  if (verdict.reason === 'too_few_samples' || verdict.reason === 'warming_up') return because(reasonText(verdict.reason));
  if (verdict.logWealth >= SUSPICION * verdict.logLimit) {
    return because('evidence against the canary is building up; more of it or less of it will tell');
  }
  const since = canaryRequests - (last?.canaryRequests ?? 0);
  if (since < minRequests) return because(`${since} of ${minRequests} requests of the canary were judged since the last step`);
  return { isOpen: true, text: `${since} requests of the canary were judged since the last step and nothing speaks against it` };
}
