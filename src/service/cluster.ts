/** The Kubernetes cluster that sinks act upon and watches look at; nothing of it is touched where neither is configured. */
import { hostname } from 'node:os';
import type { Config } from '../config/config.ts';
import { HttpsKubernetesApi } from '../kubernetes/https-kubernetes-api.ts';
import type { ClusterParts } from '../sinks/create-sinks.ts';
import type { Telemetry } from '../telemetry/telemetry.ts';
import { heldLease } from './held-lease.ts';
import { type RunHandlers, startWatches } from './rollout-watches.ts';

export interface Cluster {
  /** Null: nothing needs it. */
  readonly parts: ClusterParts | null;
  /** Another replica is the one to act first; never without a lease. */
  isStandby(): boolean;
  /** Begins to watch, and to strive for the lease. Waits for nothing: the API server may be away. */
  watch(runs: RunHandlers): void;
  stopWatching(): Promise<void>;
  /** After the last delivery; gives the lease up. */
  close(): Promise<void>;
}

const CLUSTER_SINKS: ReadonlySet<string> = new Set(['argo-rollouts', 'kubernetes']);

/** Throws PermanentError when the cluster is needed and no address of it is known. */
export function clusterOf({ sinks, watches, kubernetes }: Config, telemetry: Telemetry): Cluster {
  const isNeeded = watches.length > 0 || kubernetes.lease !== null || sinks.some(({ type }) => CLUSTER_SINKS.has(type));
  const api = isNeeded ? new HttpsKubernetesApi(kubernetes, { env: process.env }) : null;
  const lease = api && heldLease(api, kubernetes, telemetry);
  let stopWatches = async (): Promise<void> => undefined;
  return {
    parts: api && {
      kubernetes: api,
      instance: hostname(),
      onEventLost: (error) => {
        const text = error instanceof Error ? error.message : String(error);
        telemetry.log.warn({ error: text.slice(0, 512) }, 'an Event could not be made in the cluster');
      },
    },
    isStandby: () => lease !== null && !lease.isHolder(),
    watch(runs) {
      lease?.start();
      if (api !== null && watches.length > 0) stopWatches = startWatches({ watches, kubernetes: api, runs, telemetry });
    },
    stopWatching: () => stopWatches(),
    close: async () => {
      await lease?.stop();
      await api?.close();
    },
  };
}
