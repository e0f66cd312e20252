/** What an Argo Rollout says about runs: one begins when a canary takes traffic, and ends when the controller is done with it. */
import { RESTORED_ANNOTATION, type RolloutObject, type RolloutStand, standOf, UNDONE_ANNOTATION } from '../kubernetes/rollout-object.ts';
import type { RolloutTarget } from '../model/rollout.ts';

/** What the watch remembers of one Rollout between two looks. */
export interface SeenRollout {
  /** pod-template-hash whose run we began or found begun; null: none since we look. */
  readonly canary: string | null;
  readonly target: RolloutTarget | null;
  /** The run's rollout is over as far as the deploy system goes: what moves again after it is a new attempt. */
  readonly isEnded: boolean;
}

export const NEVER_SEEN: SeenRollout = { canary: null, target: null, isEnded: false };

/** A run as it is known already, whoever began it. */
export interface KnownRun {
  readonly generation: number;
  readonly isOver: boolean;
}

export type RunWish =
  | { readonly kind: 'nothing' }
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
 * Pure: the same object and memory give the same wishes, and wishing twice does no harm. `known` is the run of the canary, if there is one: at first
 * sight (after a restart of ours) a run that is over is not begun again, unless the Rollout has a revision that the run cannot have been of; whether
 * somebody retried meanwhile cannot be told from a signal of ours that is still on its way, and beginning anew would call that signal off.
 */
export function decideRollout(rollout: RolloutObject, before: SeenRollout, known: (target: RolloutTarget) => KnownRun | null): Decided {
  const stand = standOf(rollout);
  const target = targetOf(rollout, stand);
  const isSame = before.canary === stand.canary;
  // The old one is over when another took its place; the run that begins supersedes it, but there may be none.
  const left: RunWish[] = before.target !== null && !isSame && !before.isEnded ? [{ kind: 'end', target: before.target }] : [];
  if (stand.phase === 'idle') return { wishes: [], seen: before };
  if (stand.phase !== 'moving' || isWayBack(rollout, stand)) {
    const ending: RunWish[] = isSame && before.isEnded ? [] : [{ kind: 'end', target }];
    return { wishes: [...left, ...ending], seen: { canary: stand.canary, target, isEnded: true } };
  }
  // A newer template is about to take its place.
  if (!stand.isObserved) return { wishes: [], seen: before };
  const run = known(target);
  const wasJudged = before.canary === null && run?.isOver === true && run.generation >= stand.revision;
  const isAnew = isSame && before.isEnded;
  const atLeast = isAnew && run !== null ? Math.max(stand.revision, run.generation) : stand.revision;
  const start: RunWish = {
    kind: 'start',
    target,
    baseline: stand.stable,
    canary: stand.canary,
    atLeast: Math.max(atLeast, 1),
    canaryShare: canaryShareOf(rollout),
  };
  const isOpen = run !== null && !run.isOver;
  // A run that reached its verdict by itself stays over: only a new attempt of the deploy system begins another.
  const isNew = !isSame || isAnew;
  const wishes = wasJudged || (!isNew && !isOpen) ? left : [...left, start];
  return { wishes, seen: { canary: stand.canary, target, isEnded: false } };
}

/** The object is gone. */
export function decideDeleted(before: SeenRollout): Decided {
  const wishes: RunWish[] = before.target !== null && !before.isEnded ? [{ kind: 'end', target: before.target }] : [];
  return { wishes, seen: NEVER_SEEN };
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
