/** What is to be done about a Rollout now: decided from what was seen of it, carried out by the sink, and decided anew from what is seen then. */
import type { JsonPatchStep } from '../../kubernetes/kubernetes-api.ts';
import type { RolloutObject, RolloutStand } from '../../kubernetes/rollout-object.ts';
import type { SinkRefusal } from '../sink.ts';

export interface PlannedPatch {
  readonly path: string;
  /** Tests first, so that looking and acting are one step. */
  readonly steps: readonly JsonPatchStep[];
}

export type Plan =
  /** Nothing is left to do. */
  | { readonly kind: 'done' }
  /** `more`: another step follows once this one is seen. */
  | { readonly kind: 'patch'; readonly patch: PlannedPatch; readonly more: boolean }
  /** The controller has to move first. */
  | { readonly kind: 'wait'; readonly detail: string }
  | { readonly kind: 'refuse'; readonly refusal: SinkRefusal; readonly detail: string };

export const DONE: Plan = { kind: 'done' };

export function wait(detail: string): Plan {
  return { kind: 'wait', detail };
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
