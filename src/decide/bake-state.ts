/** The state machine of a bake: a promoted release is watched for a while, and taken back when harm is proven after all. */
import type { RunState } from '../model/rollout.ts';
import type { EpochMs } from '../model/time.ts';
import { harmed, isPutOff, type RunInput, type RunStep } from './run-state.ts';

export interface BakeInput extends Pick<RunInput, 'outcome' | 'reason' | 'distrust' | 'objection' | 'mode' | 'at'> {
  /** When it ends. */
  readonly until: EpochMs;
  /** For what the release was promoted. */
  readonly promotedFor: RunInput['reason'];
}

/**
 * One step of a bake. The promotion stands and is not told again, whatever cannot be known meanwhile: only harm that is proven by telemetry that is
 * trusted ends it otherwise, under the same guard and mode as in the run. Harm whose telemetry is not trusted by the end is for a person to look at.
 */
export function stepBake(input: BakeInput): RunStep {
  const { outcome, distrust, at, until } = input;
  if (outcome === 'fail' && distrust === null) return harmed(input);
  const isOver = at >= until && !isPutOff(input, until);
  if (outcome === 'fail' && distrust !== null && isOver) return doubtful(distrust, input.mode);
  if (isOver) return stands('promoted', input.promotedFor);
  return stands('baking', 'baking');
}

function doubtful(reason: RunInput['reason'], mode: RunInput['mode']): RunStep {
  return { state: 'held', decision: 'hold', reason, action: mode === 'observe' ? null : 'hold' };
}

function stands(state: Extract<RunState, 'promoted' | 'baking'>, reason: RunInput['reason']): RunStep {
  return { state, decision: 'promote', reason, action: null };
}
