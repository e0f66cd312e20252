/** What is saved of an analysis run, as JSON: how it was started, what it said, and its test as it stands. */
import type { CanaryComparisonState } from '../evaluate/canary/canary-judgement.ts';
import { PermanentError } from '../model/errors.ts';
import type { CanaryPolicy } from '../model/policy.ts';
import type { AnalysisRun, Decision, Rollout, RunState, Verdict } from '../model/rollout.ts';
import { type EpochMs, type SlotIndex, slotOf } from '../model/time.ts';
import type { BaselineFeedState } from './baseline-feed.ts';
import type { ExemplarsState } from './exemplars.ts';
import type { RunArmsState } from './run-arms.ts';
import { PLAIN_STRICTNESS, type Strictness } from './run-policy.ts';
import type { RunRecordState } from './run-record.ts';

/** What a run is started with. */
export interface RunStart {
  readonly rollout: Rollout;
  readonly policy: CanaryPolicy;
  readonly strictness: Strictness;
  /** Runs that were started later have larger ones, whatever start their deploy system gave them. */
  readonly sequence: number;
}

/** Watching a promoted release. */
export interface Bake {
  readonly until: EpochMs;
  /** The run as it was promoted: what stays of it when nothing comes of the bake. */
  readonly promotion: AnalysisRun;
}

/** Grows when saved runs come to mean something else. */
export const RUN_FORMAT = 3;

export interface LiveRunState extends RunRecordState, RunStart {
  readonly format: number;
  readonly nextSlot: SlotIndex;
  readonly bake: Bake | null;
  /** When harm was proven first; absent where the program that saved it did not know that. */
  readonly provenAt?: EpochMs | null;
  /** All null when the run is over. */
  readonly source: BaselineFeedState | null;
  readonly comparison: CanaryComparisonState | null;
  readonly exemplars: ExemplarsState | null;
  /** What came of its releases; absent where the program that saved it counted it anew after a restart. */
  readonly arms?: RunArmsState | null;
}

/** A bake whose test cannot be gone on with is over: what was promoted is not judged a second time. Any other run stays as it is. */
export function withoutBake(run: LiveRunState): LiveRunState {
  if (!isOfThisFormat(run) || run.bake === null) return run;
  const final: AnalysisRun = { ...run.bake.promotion, state: 'promoted', history: run.history };
  return { ...run, state: 'promoted', bake: null, source: null, comparison: null, exemplars: null, final };
}

const SAID_IN_THE_END: ReadonlyMap<RunState, Decision> = new Map([
  ['rolled_back', 'rollback'],
  ['promoted', 'promote'],
]);

/**
 * What stays of a run that is over, or bakes, and is of another format: that it was, and how it ended. Without it a signal of it that still waits would count as
 * superseded, and its generation would be unknown. `policy` stands for the one that cannot be read.
 */
export function remains({ rollout: saved, sequence, state: last, signalId }: LiveRunState, policy: CanaryPolicy): LiveRunState {
  const state = last === 'baking' ? 'promoted' : last;
  const rollout: Rollout = { ...saved, canaryShare: saved.canaryShare ?? null, target: saved.target ?? null };
  const verdict: Verdict = {
    decision: SAID_IN_THE_END.get(state) ?? 'hold',
    reason: 'state_unknown',
    at: rollout.startedAt,
    logWealth: 0,
    logLimit: Math.log(1 / policy.alpha),
    decidedBy: null,
  };
  const ended = { state, history: [verdict], firstCanaryAt: null, signalId: signalId ?? null };
  const counts = { canaryRequests: 0, baselineRequests: 0, lateRequests: 0, lagMs: 0, strictness: PLAIN_STRICTNESS.factor };
  const lists = { judgements: [], trail: [], outlook: [], exemplars: { baseline: [], canary: [] } };
  return {
    ...ended,
    format: RUN_FORMAT,
    rollout,
    sequence,
    policy,
    strictness: PLAIN_STRICTNESS,
    nextSlot: slotOf(rollout.startedAt),
    final: { ...ended, ...counts, ...lists, rollout, verdict },
    bake: null,
    source: null,
    comparison: null,
    exemplars: null,
  };
}

/** True of what this program saved, or one like it; of any other only the rollout can be relied upon. */
export function isOfThisFormat(run: LiveRunState): boolean {
  return run.format === RUN_FORMAT;
}

/** The run as it was saved. Throws PermanentError `state_mismatch` when it is of another format. */
export function savedRun(json: string): LiveRunState {
  const run = JSON.parse(json) as LiveRunState;
  if (!isOfThisFormat(run))
    throw new PermanentError('state_mismatch', `restoring run ${run.rollout.id}: saved in format ${run.format ?? 1}`);
  // Absent where the program that saved it knew of no targets.
  return { ...run, rollout: { ...run.rollout, target: run.rollout.target ?? null } };
}
