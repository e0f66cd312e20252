/** What an Argo Rollout says about runs: one begins when a canary takes traffic, and ends when the controller is done with it. */
import { RESTORED_ANNOTATION, type RolloutObject, type RolloutStand, standOf, UNDONE_ANNOTATION } from '../kubernetes/rollout-object.ts';
import type { RolloutTarget } from '../model/rollout.ts';

/** What the watch remembers of one Rollout between two looks. */
export interface SeenRollout {
  /** pod-template-hash of the newest release; null: not looked at yet. */
  readonly canary: string | null;
  /** The controller was done with it: when it moves again, that is a new attempt. */
  readonly isEnded: boolean;
  readonly canaryShare: number | null;
}

export const NEVER_SEEN: SeenRollout = { canary: null, isEnded: false, canaryShare: null };

/** A run of the object that is known already, whoever began it. */
export interface KnownRun {
  readonly target: RolloutTarget;
  readonly generation: number;
  readonly isOver: boolean;
}

export type RunWish =
  | {
      readonly kind: 'start';
      readonly target: RolloutTarget;
      /** pod-template-hashes. */
      readonly baseline: string;
      readonly canary: string;
      /** At least this generation. */
      readonly atLeast: number;
      /** Share of the traffic that the canary is meant to get now, in (0, 1]; null when it cannot be told. */
      readonly canaryShare: number | null;
    }
  | { readonly kind: 'end'; readonly target: RolloutTarget };

export interface Decided {
  /** In order. */
  readonly wishes: readonly RunWish[];
  readonly seen: SeenRollout;
}

/**
 * Pure: the same object, memory and runs give the same wishes, and wishing twice does no harm. A run that reached its verdict stays over while the
 * same attempt moves on. At first sight, after a restart of ours, a run that is over is begun anew only for a revision that it cannot have been of:
 * whether somebody retried meanwhile cannot be told from a rollback of ours that is still on its way, and a new run would call that off.
 */
export function decideRollout(rollout: RolloutObject, before: SeenRollout, runs: readonly KnownRun[]): Decided {
  const stand = standOf(rollout);
  if (stand.phase === 'idle') return { wishes: [], seen: before };
  const open = runs.filter(({ isOver }) => !isOver);
  const left: RunWish[] = open.filter(({ target }) => target.fence !== stand.canary).map(({ target }) => ({ kind: 'end', target }));
  const target = targetOf(rollout, stand);
  const isOpen = open.some((run) => run.target.fence === stand.canary);
  if (stand.phase !== 'moving' || isWayBack(rollout, stand)) {
    const wishes: RunWish[] = isOpen ? [...left, { kind: 'end', target }] : left;
    return { wishes, seen: { canary: stand.canary, isEnded: true, canaryShare: null } };
  }
  // A newer template may be about to take its place.
  if (!stand.isObserved) return { wishes: left, seen: before };
  const canaryShare = canaryShareOf(rollout);
  const seen: SeenRollout = { canary: stand.canary, isEnded: false, canaryShare };
  const isSame = before.canary === stand.canary;
  const isNewAttempt = before.canary === null ? !wasJudged(runs, stand) : !isSame || before.isEnded;
  const isNewShare = isOpen && isSame && before.canaryShare !== canaryShare;
  if (!isNewAttempt && !isNewShare) return { wishes: left, seen };
  const start: RunWish = {
    kind: 'start',
    target,
    baseline: stand.stable,
    canary: stand.canary,
    atLeast: Math.max(1, stand.revision),
    canaryShare,
  };
  return { wishes: [...left, start], seen };
}

/** The object is gone. */
export function decideDeleted(runs: readonly KnownRun[]): readonly RunWish[] {
  return runs.filter(({ isOver }) => !isOver).map(({ target }) => ({ kind: 'end', target }));
}

/** A generation is at least the revision at which it began. */
function wasJudged(runs: readonly KnownRun[], { canary, revision }: RolloutStand): boolean {
  return runs.some(({ target, generation, isOver }) => isOver && target.fence === canary && generation >= revision);
}

/**
 * What the controller has set at the traffic router; without one pods share the traffic evenly, so their counts tell. Null while the canary has
 * nothing.
 */
export function canaryShareOf({ status }: RolloutObject): number | null {
  const weights = status?.canary?.weights;
  if (weights !== undefined) {
    const canary = weights.canary?.weight ?? 0;
    const all = canary + (weights.stable?.weight ?? 0);
    return canary > 0 && all > 0 ? Math.min(1, canary / all) : null;
  }
  const canaryPods = status?.updatedReplicas ?? 0;
  const pods = status?.replicas ?? 0;
  return canaryPods > 0 && pods > 0 ? Math.min(1, canaryPods / pods) : null;
}

/** An undo of ours is no release to judge: what it restores has served before, and judging it could end in rolling it back. */
function isWayBack({ metadata: { annotations = {} } }: RolloutObject, { canary, stable }: RolloutStand): boolean {
  return annotations[UNDONE_ANNOTATION] === stable && annotations[RESTORED_ANNOTATION] === canary;
}

function targetOf({ metadata: { namespace = 'default', name } }: RolloutObject, { canary, stable }: RolloutStand): RolloutTarget {
  const target = { kind: 'Rollout', namespace, name, fence: canary } as const;
  return stable === '' || stable === canary ? target : { ...target, previous: stable };
}
