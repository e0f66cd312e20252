/** What is to be done about a Rollout now: decided from what was seen of it, carried out by the sink, and decided anew from what is seen then. */
import type { JsonPatchStep } from '../../kubernetes/kubernetes-api.ts';
import { type RolloutObject, type RolloutStand, rolloutPath, standOf } from '../../kubernetes/rollout-object.ts';
import type { SinkRefusal } from '../sink.ts';

export interface PlannedPatch {
  readonly path: string;
  /** Tests first, so that looking and acting are one step. */
  readonly steps: readonly JsonPatchStep[];
}

export type Plan =
  /** Nothing is left to do. */
  | { readonly kind: 'done' }
  /** What comes of it is looked at afterwards. */
  | { readonly kind: 'patch'; readonly patch: PlannedPatch }
  /** The controller has to move first; with a nudge where it may have missed what we did. */
  | { readonly kind: 'wait'; readonly detail: string; readonly nudge: PlannedPatch | null }
  | { readonly kind: 'refuse'; readonly refusal: SinkRefusal; readonly detail: string };

export const DONE: Plan = { kind: 'done' };

export function wait(detail: string, nudge: PlannedPatch | null = null): Plan {
  return { kind: 'wait', detail, nudge };
}

export function refuse(refusal: SinkRefusal, detail: string): Plan {
  return { kind: 'refuse', refusal, detail };
}

/**
 * Holds while the object is the one that was seen, its spec is the one the controller had seen, and the same releases are in play. No resourceVersion:
 * the controller writes the status so often that it would seldom hold.
 */
export function unchanged(rollout: RolloutObject, { canary, stable }: RolloutStand): JsonPatchStep[] {
  return [
    { op: 'test', path: '/metadata/uid', value: rollout.metadata.uid },
    { op: 'test', path: '/metadata/generation', value: rollout.metadata.generation },
    { op: 'test', path: '/status/currentPodHash', value: canary },
    { op: 'test', path: '/status/stableRS', value: stable },
  ];
}

/**
 * Changes nothing but the message in the status, which the controller writes anew, so that it looks at the Rollout once more. Argo Rollouts v1.9.0
 * puts what it has just written into its cache without asking whether something newer is there (rollout/controller.go, writeBackToInformer): what
 * others change in those few milliseconds it sees only at the next event, or when it looks at all of them after 15 minutes.
 */
export function nudged(rollout: RolloutObject): PlannedPatch {
  const { namespace = 'default', name, resourceVersion } = rollout.metadata;
  const message = { op: 'add', path: '/status/message', value: `Slipstream waits for the controller (${resourceVersion})` } as const;
  return { path: `${rolloutPath(namespace, name)}/status`, steps: [...unchanged(rollout, standOf(rollout)), message] };
}

/** Adds annotations, whether there are any yet or not. */
export function annotated(
  existing: Readonly<Record<string, string>> | undefined,
  added: Readonly<Record<string, string>>,
): JsonPatchStep[] {
  if (existing === undefined) return [{ op: 'add', path: '/metadata/annotations', value: added }];
  return Object.entries(added).map(([key, value]) => ({
    op: 'add',
    path: `/metadata/annotations/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`,
    value,
  }));
}
