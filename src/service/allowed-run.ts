/** What deploy systems that ask may be told of a run: no more than operators let leave, as it is for signals that are sent. */
import { mayLeave } from '../decide/ceiling.ts';
import type { PolicyMode } from '../model/policy.ts';
import type { AnalysisRun } from '../model/rollout.ts';

/** The run itself, or one that is still open where `ceiling` holds back what was decided: so it is said of runs that decide under an override. */
export function allowedRun(run: AnalysisRun, ceiling: PolicyMode): AnalysisRun {
  const { decision } = run.verdict;
  if ((decision !== 'rollback' && decision !== 'promote') || mayLeave(decision, ceiling)) return run;
  return { ...run, state: 'running', verdict: { ...run.verdict, decision: 'hold', reason: 'overridden' } };
}
