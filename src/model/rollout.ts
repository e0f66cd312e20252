/** The deploy system's act, our judging of it, and the message that leaves. */
import type { Exemplar } from './exemplar.ts';
import type { Judgement, Reason, TrailPoint } from './judgement.ts';
import type { Outlook } from './outlook.ts';
import type { ReleaseMatcher } from './series.ts';
import type { DurationMs, EpochMs } from './time.ts';

/** What the deploy system calls the object that is rolled out: an Argo Rollout, a Deployment, a Flagger Canary, a server group of Spinnaker. */
export const TARGET_KINDS = ['Rollout', 'Deployment', 'Canary', 'ServerGroup'] as const;
export type TargetKind = (typeof TARGET_KINDS)[number];

/** The object in the deploy system that a rollout is of, as the deploy system itself named it; never taken from telemetry. */
export interface RolloutTarget {
  readonly kind: TargetKind;
  readonly namespace: string;
  readonly name: string;
  /** What tells this rollout of the object from a newer one: pod-template-hash of the canary, revision of the Deployment, checksum of the Canary. A signal acts only while the object still has it. */
  readonly fence: string;
  /** What served before by the same kind of name, where that is known: what an undo puts back. */
  readonly previous?: string;
  /** Of the object itself, where that is known: one that was made again under the same name counts its rollouts anew and has another. */
  readonly uid?: string;
}

/** How the deploy system ended a rollout. `through`: its release serves all, and can be taken back. `over`: it was given up, or nobody can act on a verdict any more. */
export type RolloutEnd = 'through' | 'over';

/** The deploy system's act of moving traffic to a release. */
export interface Rollout {
  readonly id: string;
  readonly service: string;
  /** Grows with each attempt of the deploy system; fences signals. */
  readonly generation: number;
  readonly baseline: ReleaseMatcher;
  readonly canary: ReleaseMatcher;
  readonly policyId: string;
  readonly startedAt: EpochMs;
  readonly deadline: EpochMs;
  /** Who started it: a request, what we saw of the deploy system, or traffic of a release that was not there before. */
  readonly origin: 'api' | 'watch' | 'policy';
  /** Null: nobody said which object of the deploy system it is. */
  readonly target: RolloutTarget | null;
  /** Share of the service's requests that the canary is meant to get now, in (0, 1]; null when nobody said. */
  readonly canaryShare: number | null;
}

/** What the run says. Only `rollback` harms, so only positive, fresh, sufficient and unbiased evidence leads to it. */
export type Decision = 'continue' | 'promote' | 'rollback' | 'hold';

export interface Verdict {
  readonly decision: Decision;
  readonly reason: Reason;
  /** Event time up to which evidence was used. */
  readonly at: EpochMs;
  /** ln of the portfolio's wealth, and the limit at which it proves harm. */
  readonly logWealth: number;
  readonly logLimit: number;
  /** The check that weighs most, or null before there is any. */
  readonly decidedBy: string | null;
}

export const RUN_STATES = ['pending', 'running', 'baking', 'promoted', 'rolled_back', 'held', 'superseded', 'expired', 'aborted'] as const;
export type RunState = (typeof RUN_STATES)[number];

/** Our judging of one rollout, as the API shows it. */
export interface AnalysisRun {
  readonly rollout: Rollout;
  readonly state: RunState;
  readonly verdict: Verdict;
  readonly judgements: readonly Judgement[];
  /** Verdicts at which decision or reason changed, oldest first, at most 200. */
  readonly history: readonly Verdict[];
  readonly canaryRequests: number;
  readonly baselineRequests: number;
  /** Requests of the run that came after their slot was judged. */
  readonly lateRequests: number;
  /** End time slot of the first canary span of the run. */
  readonly firstCanaryAt: EpochMs | null;
  /** How long judging waits for stragglers now. */
  readonly lagMs: DurationMs;
  readonly signalId: string | null;
  /** ln of the portfolio's wealth over time, oldest first, at most 128 points. */
  readonly trail: readonly TrailPoint[];
  /** What can be found at this traffic, and how soon; the least certain first, at most 100. */
  readonly outlook: readonly Outlook[];
  /** The slowest and the failed requests seen, of both releases. */
  readonly exemplars: { readonly baseline: readonly Exemplar[]; readonly canary: readonly Exemplar[] };
  /** Tolerances are multiplied by it: 1 as configured, less when the error budget is short; in (0, 1]. */
  readonly strictness: number;
}

/** What a run may ask of the deploy system. */
export type RunAction = 'rollback' | 'promote' | 'hold';
/** `rolled_back` asks for nothing: it tells that the deploy system was seen to have rolled back. */
export type SignalAction = RunAction | 'rolled_back';

/** The message that leaves. Never carries a version, URL or command taken from telemetry. */
export interface Signal {
  /** sha256 over rollout id, generation, policy id and action: the same on every replica and after every restart. */
  readonly id: string;
  readonly rolloutId: string;
  readonly generation: number;
  readonly policyId: string;
  readonly service: string;
  readonly action: SignalAction;
  readonly reason: Reason;
  /** Null: the rollout names no object, so only sinks that need none can act. */
  readonly target: RolloutTarget | null;
  /** One sentence for people. */
  readonly summary: string;
  /** Where people read why; null where the API has no address that others know. */
  readonly link: string | null;
  /** Of `rolled_back` only: what serves now, as the deploy system names it (an image, a pod-template-hash, a revision); absent: it did not say. */
  readonly rolledBackTo?: string;
  /** sha256 of the evidence as the API serves it. */
  readonly evidenceDigest: string;
  /** Event time of the evidence; wall clock when it was decided is the journal's. */
  readonly evidenceAt: EpochMs;
  /** Not to be acted upon later. */
  readonly notAfter: EpochMs;
  /** Names of the sinks that get it. */
  readonly sinks: readonly string[];
  /** Names of the sinks that are told once its effect was seen; absent: none. */
  readonly toldAfter?: readonly string[];
}

/**
 * The way of a signal to one sink. `sent`: an attempt was begun, so the other side may have acted. `acknowledged`: the other side took it. `confirmed`: the
 * deploy system was seen to have done it. `superseded`: something newer is being rolled out. `expired`: its time passed before it was taken. `escalated`: taken
 * or declined, nothing came of it, and people were told. `dry_run`: all was done but the effect.
 */
export const DELIVERY_STATES = ['pending', 'sent', 'acknowledged', 'confirmed', 'superseded', 'expired', 'escalated', 'dry_run'] as const;
export type DeliveryState = (typeof DELIVERY_STATES)[number];
