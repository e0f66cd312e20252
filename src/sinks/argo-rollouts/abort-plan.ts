/** Rolls back a canary that is in flight: the status is told to abort, and the controller brings the stable release back at once. */
import { type RolloutObject, rolloutPath, standOf } from '../../kubernetes/rollout-object.ts';
import type { RolloutTarget } from '../../model/rollout.ts';
import { DONE, nudged, type Plan, refuse, unchanged, wait } from './plan.ts';

/**
 * Null: the judged release is promoted in full, so that there is nothing left to abort. A patch of the status alone, as `kubectl argo rollouts abort`
 * makes it, but only while the judged release is the newest. A full promotion that is under way is called off with it, since the controller would
 * drop the abort otherwise (argo-rollouts v1.9.0 rollout/canary.go, syncRolloutStatusCanary).
 */
export function abortPlan(rollout: RolloutObject, target: RolloutTarget): Plan | null {
  const stand = standOf(rollout);
  if (stand.canary !== target.fence) return refuse('superseded', `the newest release is ${stand.canary || 'not known yet'}`);
  if (stand.phase === 'promoted') return null;
  if (stand.phase === 'idle') return refuse('declined', 'it has no stable release to go back to');
  const isPromotedInFull = rollout.status?.promoteFull === true;
  if (stand.phase === 'aborted' && !isPromotedInFull) {
    const isTakenUp = rollout.status?.abortedAt !== undefined;
    return isTakenUp ? DONE : wait('the controller has not taken up the abort yet', nudged(rollout));
  }
  if (!stand.isObserved) return wait('the controller has not seen the newest spec yet');
  return {
    kind: 'patch',

    patch: {
      path: `${rolloutPath(target.namespace, target.name)}/status`,
      steps: [
        ...unchanged(rollout, stand),
        ...(isPromotedInFull ? [{ op: 'add', path: '/status/promoteFull', value: false } as const] : []),
        { op: 'add', path: '/status/abort', value: true },
      ],
    },
  };
}
