/** What a Deployment and its ReplicaSets say about runs: one begins while two releases have pods, and ends when one of them has none. */
import { type Deployment, type ReplicaSet, revisionOf, undoneRevision } from '../kubernetes/deployment-object.ts';
import type { RolloutTarget } from '../model/rollout.ts';
import { serviceOf } from './service-name.ts';
import type { Reading } from './watched-rollout.ts';

/** What of a ReplicaSet is kept: there may be ten of them for each Deployment, and their templates are large. */
export interface ReplicaSetNote {
  readonly name: string;
  readonly ownerUid: string;
  readonly revision: number;
  readonly wanted: number;
  readonly pods: number;
}

/** Null: no Deployment owns it. */
export function noteOf(set: ReplicaSet): ReplicaSetNote | null {
  const owner = set.metadata.ownerReferences?.find(({ kind, controller }) => kind === 'Deployment' && controller === true);
  if (owner === undefined) return null;
  const { name } = set.metadata;
  return { name, ownerUid: owner.uid, revision: revisionOf(set), wanted: set.spec?.replicas ?? 1, pods: set.status?.replicas ?? 0 };
}

/** The same object without what is not looked at. */
export function lean(deployment: Deployment): Deployment {
  const { metadata, spec, status } = deployment;
  const annotations = spec?.template?.metadata?.annotations;
  return {
    metadata,
    spec: {
      ...(spec?.paused !== undefined && { paused: spec.paused }),
      ...(annotations !== undefined && { template: { metadata: { annotations } } }),
    },
    ...(status?.observedGeneration !== undefined && { status: { observedGeneration: status.observedGeneration } }),
  };
}

/**
 * `sets`: those of the Deployment. Null: it says nothing yet, or its newest template has no ReplicaSet so far. A rollback of ours is not in flight: what it puts
 * back has served before, and judging it could end in rolling it back. `releaseAttribute`: the resource attribute of spans that holds the name of the ReplicaSet.
 */
export function readDeployment(deployment: Deployment, sets: readonly ReplicaSetNote[], releaseAttribute: string): Reading | null {
  const { metadata, spec, status } = deployment;
  const revision = revisionOf(deployment);
  const newest = sets.find((set) => set.revision === revision);
  if (revision === 0 || newest === undefined || (status?.observedGeneration ?? 0) < (metadata.generation ?? 0)) return null;
  const old = sets.filter((set) => set !== newest && set.pods > 0).sort((a, b) => b.pods - a.pods || b.revision - a.revision)[0];
  const named = { kind: 'Deployment', namespace: metadata.namespace ?? 'default', name: metadata.name, fence: String(revision) } as const;
  if (old === undefined) return { target: named, inFlight: null, isThrough: newest.pods > 0 };
  const target: RolloutTarget = { ...named, previous: String(old.revision) };
  if (spec?.paused === true || newest.wanted === 0 || undoneRevision(deployment) !== null)
    return { target, inFlight: null, isThrough: false };
  return {
    target,
    isThrough: false,
    inFlight: {
      target,
      service: serviceOf(deployment),
      revision,
      baseline: { [releaseAttribute]: old.name },
      canary: { [releaseAttribute]: newest.name },
      // A ReplicaSet that is used again was made long ago, so it does not tell.
      startedAt: null,
      // It changes with each pod that becomes ready, and nobody means it to be anything.
      canaryShare: null,
    },
  };
}
