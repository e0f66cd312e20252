/** When two systems ask about the same releases under names of their own, the later run takes the place of the earlier, and answers for both. */
import type { AnalysisRun } from '../model/rollout.ts';
import { sameMatcher } from '../model/series.ts';
import type { ApiHandlers } from './handlers.ts';

/**
 * The run itself, or for one that was superseded before it had an answer the newest run of the very same releases that was started since: what is proven
 * there is proven of what this one was about. So a second poller makes no first one wait until it gives up, which many take for a failure.
 */
export async function runInPlaceOf(run: AnalysisRun, handlers: Pick<ApiHandlers, 'runs'>): Promise<AnalysisRun> {
  if (run.state !== 'superseded' || run.verdict.decision === 'promote') return run;
  const { id, service, canary, baseline } = run.rollout;
  const runs = await handlers.runs();
  const since = runs.slice(runs.findIndex(({ rollout }) => rollout.id === id) + 1);
  const alike = ({ rollout }: AnalysisRun): boolean =>
    rollout.service === service && sameMatcher(rollout.canary, canary) && sameMatcher(rollout.baseline, baseline);
  return since.findLast(alike) ?? run;
}
