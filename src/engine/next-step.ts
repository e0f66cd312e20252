/** What a run says next: trust in the telemetry, evidence, guard and policy brought together. */
import { stepBake } from '../decide/bake-state.ts';
import { underCeiling } from '../decide/ceiling.ts';
import { type RunStep, stepRun } from '../decide/run-state.ts';
import { distrust, isSilence } from '../decide/trust.ts';
import type { CanaryJudgement } from '../evaluate/canary/canary-judgement.ts';
import type { InputDoubt, Reason } from '../model/judgement.ts';
import type { CanaryPolicy, PolicyMode } from '../model/policy.ts';
import type { Rollout } from '../model/rollout.ts';
import type { DurationMs, EpochMs } from '../model/time.ts';
import type { Timing } from '../window/punctuality.ts';
import type { SlidingWindow } from '../window/sliding-window.ts';
import type { RunArms } from './run-arms.ts';
import type { Bake } from './saved-run.ts';

/** What the run needs to know of the world around it to decide. */
export interface Surroundings {
  readonly now: EpochMs;
  readonly timing: Timing;
  readonly window: SlidingWindow;
  /** End of the time around `at` of which spans may be missing, those that come up to `lagMs` late included; null: none is missing. */
  unobserved(at: EpochMs, lagMs: DurationMs): EpochMs | null;
  readonly clockJumped: boolean;
  readonly stateUnknown: boolean;
  readonly inputDoubt: InputDoubt | null;
  /** An objective of the service is burning fast. */
  readonly objectiveBurns: boolean;
  /** What operators allow for the run now. */
  readonly ceiling: PolicyMode;
  /** Why a rollback is forbidden at `at`, its harm having been proven at `provenAt`, or null. */
  objection(at: EpochMs, provenAt: EpochMs): Reason | null;
  /** To be told once of a run whose harm is proven. */
  harmProven(at: EpochMs): void;
}

/** The run as far as it has been judged. */
export interface Standing {
  readonly rollout: Rollout;
  readonly policy: CanaryPolicy;
  readonly bake: Bake | null;
  readonly arms: RunArms;
  readonly said: CanaryJudgement;
  /** Why it says so. */
  readonly reason: Reason;
  /** The canary is compared with the baseline of the same time. */
  readonly isLive: boolean;
  readonly lagMs: DurationMs;
  /** Event time judged up to. */
  readonly at: EpochMs;
  /** When its harm was proven first; null: it was not. */
  readonly provenAt: EpochMs | null;
}

/** Judging may be so far behind the time that sources have come to: the longest lag, and what it waits for sources of a service. */
const BEHIND_MS: DurationMs = 120_000;

/**
 * True of a slot on the way to where time is that would be told of too late: after an outage hours may come at one go, and what there is to say of them is put
 * off as it is when they come bit by bit, to be said at their end if it still stands.
 */
export function isOldNews(at: EpochMs, { signalTtlMs }: Pick<CanaryPolicy, 'signalTtlMs'>, around: Surroundings): boolean {
  return around.timing === 'complete' && around.inputDoubt === null && around.now - at > Math.max(BEHIND_MS, signalTtlMs / 2);
}

const NOTHING_RECENT = { received: 0, late: 0 };

/** What it comes to, as far as operators allow. */
export function nextStep(standing: Standing, around: Surroundings): RunStep {
  return underCeiling(plainStep(standing, around), around.ceiling, standing.bake !== null);
}

function plainStep({ rollout, policy, bake, arms, said, reason, isLive, lagMs, at, provenAt }: Standing, around: Surroundings): RunStep {
  const { now, window } = around;
  const telemetry = arms.telemetry(window, at, lagMs);
  const doubt = distrust({
    now,
    newestAt: window.newestAt(rollout.service),
    freshnessMs: policy.freshnessMs,
    ...telemetry,
    // A baseline that is gone stays as punctual as its last spans were, and those of a pod that stops often are not.
    baseline: isLive ? telemetry.baseline : { ...telemetry.baseline, recent: NOTHING_RECENT },
    clockJumped: around.clockJumped,
    stateUnknown: around.stateUnknown,
    inputDoubt: around.inputDoubt,
  });
  const input = {
    outcome: said.outcome,
    reason,
    distrust: doubt,
    objection: said.outcome === 'fail' ? around.objection(at, provenAt ?? at) : null,
    mode: policy.mode,
    at: isSilence(doubt) ? Math.max(at, now) : at,
  } as const;
  if (bake !== null) return stepBake({ ...input, until: bake.until, promotedFor: bake.promotion.verdict.reason });
  const step = stepRun({
    ...input,
    objectiveBurns: around.objectiveBurns,
    isSharedFailure: said.isSharedFailure,
    isCriticalProven: said.isCriticalProven,
    onInconclusive: policy.onInconclusive,
    deadline: rollout.deadline,
  });
  return step.state === 'promoted' && policy.bakeMs > 0 ? { ...step, state: 'baking' } : step;
}
