/** The signal that a run's step asks for. */
import type { RunStep } from '../decide/run-state.ts';
import { signalOf } from '../decide/signal.ts';
import { isSilence } from '../decide/trust.ts';
import { verdictText } from '../model/reason-text.ts';
import type { Signal } from '../model/rollout.ts';
import type { EpochMs } from '../model/time.ts';
import type { LiveRun } from './live-run.ts';

/** Null when the step asks for none. */
export function runSignal(run: LiveRun, step: RunStep, now: EpochMs): Signal | null {
  if (step.action === null) return null;
  const { policy, rollout } = run;
  const { verdict, judgements } = run.view();
  return signalOf({
    rollout,
    action: step.action,
    verdict,
    judgements,
    summary: verdictText(verdict, judgements),
    // Silence has no evidence whose age could count.
    sayableFrom: isSilence(step.reason) ? Math.max(verdict.at, now) : verdict.at,
    ttlMs: policy.signalTtlMs,
    sinks: policy.sinks,
  });
}
