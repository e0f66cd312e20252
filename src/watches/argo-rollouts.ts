/** What an Argo Rollout says about runs: one begins when a canary is on its way, and ends when the controller is done with it. */
import { RESTORED_ANNOTATION, type RolloutObject, type RolloutStand, standOf, UNDONE_ANNOTATION } from '../kubernetes/rollout-object.ts';
import type { RolloutTarget } from '../model/rollout.ts';
import { serviceOf } from './service-name.ts';
import type { Reading } from './watched-rollout.ts';

/**
 * Null: it says nothing yet, or a newer template may be about to take the canary's place. Not in flight is also what was aborted: when somebody tells it to go
 * on, it is in flight anew. `releaseAttribute`: the resource attribute of spans that holds the pod-template-hash.
 */
export function readRollout(rollout: RolloutObject, releaseAttribute: string): Reading | null {
  const stand = standOf(rollout);
  if (stand.phase === 'idle') return null;
  const target = targetOf(rollout, stand);
  if (stand.phase !== 'moving' || isWayBack(rollout, stand)) return { target, inFlight: null, isThrough: stand.phase === 'promoted' };
  if (!stand.isObserved) return null;
  return {
    target,
    isThrough: false,
    inFlight: {
      target,
      service: serviceOf(rollout),
      revision: stand.revision,
      baseline: { [releaseAttribute]: stand.stable },
      canary: { [releaseAttribute]: stand.canary },
      startedAt: null,
      canaryShare: canaryShareOf(rollout),
    },
  };
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
