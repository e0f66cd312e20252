/** What Orca is told to do next: it aborts only on a proven rollback, and is never left without a directive. */
import type { z } from 'zod';
import { judgementText, verdictText } from '../../model/reason-text.ts';
import type { AnalysisRun } from '../../model/rollout.ts';
import { visible } from '../../model/safe-text.ts';
import type { DIRECTIVES, monitorAnswer } from './monitor-schemas.ts';

export type MonitorAnswer = z.output<typeof monitorAnswer>;
export type Directive = (typeof DIRECTIVES)[number];

const MAX_CHARS = 500;
const MAX_LINES = 5;

/** While nothing is proven, and when a run ended without proof, Orca waits: what to do after `maxAnalysisMinutes` its own `failOnError` says. */
export function directiveOf(run: AnalysisRun, onPass: 'continue' | 'complete'): Directive {
  switch (run.state) {
    case 'rolled_back':
      return 'abort';
    case 'promoted':
    case 'baking':
      return onPass;
    case 'pending':
    case 'running':
    case 'held':
    case 'superseded':
    case 'expired':
    case 'aborted':
      return 'wait';
    default:
      return run.state satisfies never;
  }
}

/** `publicUrl` as people reach the API; null: there is no link to give. */
export function runAnswer(directive: Directive, run: AnalysisRun, publicUrl: string | null): MonitorAnswer {
  const worstFirst = [...run.judgements].sort((a, b) => Number(b.outcome === 'fail') - Number(a.outcome === 'fail'));
  const link = publicUrl === null ? null : `${publicUrl}/v1/rollouts/${encodeURIComponent(run.rollout.id)}/explanation`;
  return {
    nextStep: { directive, percent: 0, instanceCount: 0 },
    statusReason: {
      message: bounded(verdictText(run.verdict, run.judgements)),
      logSummary: worstFirst.slice(0, MAX_LINES).map((judgement) => bounded(judgementText(judgement))),
      additionalData: [
        { key: 'requests', text: `${run.canaryRequests} of the canary, ${run.baselineRequests} of the baseline`, link: null },
        { key: 'report', text: run.rollout.id, link },
      ],
    },
  };
}

/** Without a run to speak of. */
export function plainAnswer(directive: Directive, message: string): MonitorAnswer {
  const statusReason = { message: bounded(message), logSummary: [], additionalData: [] };
  return { nextStep: { directive, percent: 0, instanceCount: 0 }, statusReason };
}

function bounded(text: string): string {
  const safe = visible(text);
  return safe.length <= MAX_CHARS ? safe : `${safe.slice(0, MAX_CHARS - 1)}…`;
}
