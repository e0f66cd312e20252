/** An Argo Rollout as its API has it, as much of it as we look at, and what it says about where it stands. */
import type { KubernetesObject } from './kubernetes-api.ts';

export const REVISION_ANNOTATION = 'rollout.argoproj.io/revision';
/** On pods and ReplicaSets; the name that tells releases of a Rollout apart. */
export const POD_HASH_LABEL = 'rollouts-pod-template-hash';
/** The group and version; whether a server knows it tells a Rollout that is gone from a cluster without Argo Rollouts. */
export const ROLLOUTS_API = '/apis/argoproj.io/v1alpha1';

/** What an undo of ours leaves on the Rollout, for people and for whoever comes to the same signal again. */
export const SIGNAL_ANNOTATION = 'slipstream.dev/signal';
export const UNDONE_ANNOTATION = 'slipstream.dev/rolled-back-from';
export const RESTORED_ANNOTATION = 'slipstream.dev/rolled-back-to';

interface Weight {
  readonly weight?: number;
  readonly podTemplateHash?: string;
}

export interface RolloutObject extends KubernetesObject {
  readonly spec?: {
    readonly replicas?: number;
    readonly paused?: boolean;
    readonly template?: object;
    readonly workloadRef?: { readonly apiVersion?: string; readonly kind?: string; readonly name?: string };
    readonly strategy?: {
      readonly canary?: { readonly steps?: readonly { readonly setWeight?: number }[]; readonly trafficRouting?: object };
      readonly blueGreen?: object;
    };
  };
  readonly status?: {
    /** A decimal number as text. */
    readonly observedGeneration?: string;
    readonly workloadObservedGeneration?: string;
    readonly currentPodHash?: string;
    readonly stableRS?: string;
    readonly phase?: string;
    readonly message?: string;
    readonly abort?: boolean;
    /** Set by the controller when it takes an abort up. */
    readonly abortedAt?: string;
    readonly promoteFull?: boolean;
    readonly controllerPause?: boolean;
    readonly pauseConditions?: readonly { readonly reason?: string }[];
    readonly currentStepIndex?: number;
    readonly replicas?: number;
    readonly updatedReplicas?: number;
    readonly availableReplicas?: number;
    readonly selector?: string;
    readonly canary?: {
      readonly weights?: { readonly canary?: Weight; readonly stable?: Weight };
      readonly currentStepAnalysisRunStatus?: { readonly status?: string };
    };
    readonly blueGreen?: { readonly activeSelector?: string };
  };
}

/**
 * `idle`: nothing was ever rolled out, or it is not yet known what. `promoted`: all runs the newest release. `aborted`: the newest is given up and the
 * stable one runs. `moving`: between the two.
 */
export type RolloutPhase = 'idle' | 'moving' | 'promoted' | 'aborted';

export interface RolloutStand {
  readonly phase: RolloutPhase;
  /** pod-template-hash of the newest template that the controller has seen; empty when idle. */
  readonly canary: string;
  /** pod-template-hash of what is rolled back to; the same as `canary` when promoted. */
  readonly stable: string;
  /** 0 when there is none. */
  readonly revision: number;
  /** The controller has seen the spec as it is now: `canary` is what the spec asks for. */
  readonly isObserved: boolean;
}

export function standOf({ metadata, status }: RolloutObject): RolloutStand {
  const canary = status?.currentPodHash ?? '';
  const stable = status?.stableRS ?? '';
  const revision = Number(metadata.annotations?.[REVISION_ANNOTATION] ?? 0);
  return {
    phase: canary === '' || stable === '' ? 'idle' : canary === stable ? 'promoted' : status?.abort === true ? 'aborted' : 'moving',
    canary,
    stable,
    revision: Number.isSafeInteger(revision) && revision > 0 ? revision : 0,
    isObserved: status?.observedGeneration === String(metadata.generation),
  };
}

export function rolloutPath(namespace: string, name: string): string {
  return `${ROLLOUTS_API}/namespaces/${encodeURIComponent(namespace)}/rollouts/${encodeURIComponent(name)}`;
}
