/** A run as the API shows it: the run itself, untouched, and what it means in words. */
import { explanation } from '../model/explanation.ts';
import { judgementText, verdictText } from '../model/reason-text.ts';
import type { AnalysisRun, Verdict } from '../model/rollout.ts';
import type { ObjectiveView, ServiceView, StatusView } from '../model/views.ts';

/**
 * `judgements` are served exactly as they were decided upon, so that sha256 over their JSON is the signal's `evidenceDigest`; the words stand
 * beside them, in the same order.
 */
export interface RunView extends AnalysisRun {
  readonly explanation: {
    readonly verdict: string;
    readonly judgements: readonly string[];
  };
}

/** One run asked for by itself: with the page that explains it. */
export interface ExplainedRunView extends RunView {
  readonly explanation: RunView['explanation'] & { readonly page: string };
}

export interface RunSummary {
  readonly id: string;
  readonly service: string;
  readonly generation: number;
  readonly state: AnalysisRun['state'];
  readonly verdict: Verdict;
  readonly explanation: string;
  readonly startedAt: number;
  readonly canaryRequests: number;
  readonly baselineRequests: number;
}

export interface ExplainedObjective extends ObjectiveView {
  readonly explanation: string;
}

export interface StatusReport extends Omit<StatusView, 'services' | 'runs'> {
  readonly services: readonly (Omit<ServiceView, 'objectives'> & { readonly objectives: readonly ExplainedObjective[] })[];
  readonly runs: readonly RunView[];
}

export function runView(run: AnalysisRun): RunView {
  return {
    ...run,
    explanation: {
      verdict: verdictText(run.verdict, run.judgements),
      judgements: run.judgements.map(judgementText),
    },
  };
}

export function explainedRunView(run: AnalysisRun): ExplainedRunView {
  const view = runView(run);
  return { ...view, explanation: { ...view.explanation, page: pageOf(run) } };
}

/** Lines end with a line break, the last one does not. */
export function pageOf(run: AnalysisRun): string {
  return explanation(run).join('\n');
}

export function runSummary(run: AnalysisRun): RunSummary {
  return {
    id: run.rollout.id,
    service: run.rollout.service,
    generation: run.rollout.generation,
    state: run.state,
    verdict: run.verdict,
    explanation: verdictText(run.verdict, run.judgements),
    startedAt: run.rollout.startedAt,
    canaryRequests: run.canaryRequests,
    baselineRequests: run.baselineRequests,
  };
}

export function statusReport(status: StatusView): StatusReport {
  return {
    ...status,
    services: status.services.map((service) => ({
      ...service,
      objectives: service.objectives.map((objective) => ({ ...objective, explanation: judgementText(objective.judgement) })),
    })),
    runs: status.runs.map(runView),
  };
}
