/** The state machine of an analysis run: evidence, trust, guard and policy in; verdict, next state and at most one action out. */
import type { Outcome, Reason } from '../model/judgement.ts';
import type { PolicyMode } from '../model/policy.ts';
import type { Decision, RunAction, RunState } from '../model/rollout.ts';
import type { DurationMs, EpochMs } from '../model/time.ts';

export interface RunInput {
  /** What evaluation says of the canary. */
  readonly outcome: Outcome;
  readonly reason: Reason;
  /** First reason not to trust the telemetry, or null. */
  readonly distrust: Reason | null;
  /** Why the guard forbids a rollback now, or null. */
  readonly objection: Reason | null;
  /** An objective of the service is burning fast, whichever release it is. */
  readonly objectiveBurns: boolean;
  /** The baseline itself fails more than the canary may. */
  readonly isSharedFailure: boolean;
  /** All that promotion asks for proof of, however little traffic there is. */
  readonly isCriticalProven: boolean;
  readonly mode: PolicyMode;
  readonly onInconclusive: 'hold' | 'promote';
  /** Event time judged up to, and the time by which the deploy system wants an answer. */
  readonly at: EpochMs;
  readonly deadline: EpochMs;
}

export interface RunStep {
  readonly state: RunState;
  readonly decision: Decision;
  readonly reason: Reason;
  /** What to tell the deploy system, once; null for nothing. */
  readonly action: RunAction | null;
  /** Harm is proven and its telemetry trusted, whatever is made of it. */
  readonly isHarm?: true;
}

/** Reasons for which nobody can be asked to go on: the deploy system should wait. */
const WAIT_FOR: ReadonlySet<Reason> = new Set(['no_data', 'no_canary', 'no_baseline', 'baseline_used_up', 'silence_proven']);

/** So long after its time an answer is still worth to wait for. */
const PUT_OFF_MS: DurationMs = 3_600_000;

/** True when a run of this state is over and never changes again. */
export function isFinal(state: RunState): boolean {
  return state !== 'pending' && state !== 'running' && state !== 'baking';
}

/**
 * One step of a run that is not final. Distrust comes first and is never final: it holds, and lifts when the telemetry recovers. Harm that the
 * guard or the policy's mode forbids to act upon ends the run as held, for a person to look at.
 */
export function stepRun(input: RunInput): RunStep {
  const over = input.at >= input.deadline || input.reason === 'horizon_reached';
  const inTrouble = input.objectiveBurns || input.isSharedFailure;
  if (input.distrust !== null) return over && !isPutOff(input, input.deadline) ? expired(input, input.distrust) : holding(input.distrust);
  switch (input.outcome) {
    case 'fail':
      return harmed(input);
    case 'pass':
      if (inTrouble) return over ? expired(input, 'shared_failure') : holding('shared_failure');
      return { state: 'promoted', decision: 'promote', reason: input.reason, action: signalUnlessObserving(input, 'promote') };
    case 'inconclusive':
      if (over) return undecided(input, inTrouble);
      if (WAIT_FOR.has(input.reason)) return holding(input.reason);
      // More traffic for the canary would not tell whose fault it is; a burning objective alone may be of an endpoint that the canary has no part in.
      if (input.isSharedFailure) return holding('shared_failure');
      return { state: 'running', decision: 'continue', reason: input.reason, action: null };
    default:
      return input.outcome satisfies never;
  }
}

/** While counts are on their way, or some were lost a moment ago, what there is to say is put off, not lost. */
export function isPutOff({ distrust, at }: Pick<RunInput, 'distrust' | 'at'>, until: EpochMs): boolean {
  return (distrust === 'input_lagging' || distrust === 'input_gap') && at < until + PUT_OFF_MS;
}

/** Harm is proven and the telemetry is trusted: what the guard and the policy's mode make of it. Always ends the run. */
export function harmed(input: Pick<RunInput, 'mode' | 'reason' | 'objection'>): RunStep {
  const isHarm = true;
  if (input.mode === 'observe') return { state: 'held', decision: 'hold', reason: 'observe_only', action: null, isHarm };
  if (input.mode === 'hold') return { state: 'held', decision: 'hold', reason: input.reason, action: 'hold', isHarm };
  if (input.objection !== null) return { state: 'held', decision: 'hold', reason: input.objection, action: 'hold', isHarm };
  return { state: 'rolled_back', decision: 'rollback', reason: input.reason, action: 'rollback', isHarm };
}

/** The run itself broke: whatever it knew is not to be relied on. Ends it as held, for a person to look at. */
export function broken(mode: PolicyMode): RunStep {
  return { state: 'held', decision: 'hold', reason: 'state_unknown', action: mode === 'observe' ? null : 'hold' };
}

/** The time is up without proof either way. Neither silence nor a critical check without proof promotes, whatever the policy says. */
function undecided(input: RunInput, inTrouble: boolean): RunStep {
  if (WAIT_FOR.has(input.reason) || input.onInconclusive === 'hold' || !input.isCriticalProven) return expired(input, timeUp(input));
  if (inTrouble) return expired(input, 'shared_failure');
  return { state: 'promoted', decision: 'promote', reason: timeUp(input), action: signalUnlessObserving(input, 'promote') };
}

function timeUp(input: RunInput): Reason {
  if (WAIT_FOR.has(input.reason)) return input.reason;
  return input.reason === 'horizon_reached' ? 'horizon_reached' : 'deadline_passed';
}

function expired(input: RunInput, reason: Reason): RunStep {
  return { state: 'expired', decision: 'hold', reason, action: signalUnlessObserving(input, 'hold') };
}

function holding(reason: Reason): RunStep {
  return { state: 'running', decision: 'hold', reason, action: null };
}

function signalUnlessObserving(input: RunInput, action: RunAction): RunAction | null {
  return input.mode === 'observe' ? null : action;
}
