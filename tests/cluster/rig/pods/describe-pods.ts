/** A group of tests that share a cluster whose pods run; skipped by name where there are no Linux namespaces. */
import { spawnSync } from 'node:child_process';
import { afterAll, beforeAll } from 'vitest';
import { missingForImages } from '../../../image/base.ts';
import type { Need, Toolset } from '../../../tools/toolset.ts';
import type { Cluster } from '../cluster.ts';
import { type ClusterNeeds, describeCluster } from '../describe-cluster.ts';
import { slipstreamImage } from './image.ts';
import { Kubelet } from './kubelet.ts';
import { PATIENCE_MS, until } from './until.ts';

/** What is tagged so is run; pods of other images become ready by themselves. */
export const OWN_REPOSITORY = 'slipstream';

export interface PodNeeds extends ClusterNeeds {
  /** Ports of this machine that pods reach by a name; asked for once the cluster is there. */
  readonly hosts?: () => Promise<readonly { readonly name: string; readonly port: number; readonly machinePort: number }[]>;
}

export interface Pods {
  readonly cluster: Cluster;
  readonly kubelet: Kubelet;
  /** Waits until something is seen; its failure tells why pods did not start. */
  until(what: string, claim: () => Promise<boolean>): Promise<void>;
  /** `fetch` through a Service, once a pod behind it answers. */
  toward(namespace: string, service: string, port: number | string): Promise<(path: string, init?: RequestInit) => Promise<Response>>;
}

export function describePods(name: string, needs: PodNeeds, body: (pods: () => Pods, directory: (of: Toolset) => string) => void): void {
  const namespaces: Need = { missing: missingForPods };
  describeCluster(name, { ...needs, tools: [namespaces, ...(needs.tools ?? [])] }, (cluster, directory) => {
    let kubelet: Kubelet | null = null;
    beforeAll(async () => {
      const image = await slipstreamImage();
      const imageOf = (full: string) => (full.startsWith(`${OWN_REPOSITORY}:`) ? image : null);
      kubelet = await Kubelet.start({ cluster: cluster(), imageOf, hosts: (await needs.hosts?.()) ?? [] });
    }, 240_000);
    afterAll(() => kubelet?.stop());
    body(() => podsOf(cluster(), kubelet ?? never()), directory);
  });
}

/** Why no pods can be run here; null: they can. */
function missingForPods(): string | null {
  const missing = missingForImages();
  if (missing !== null) return missing;
  // All that a network of pods needs, in namespaces that end with the command.
  const tried = spawnSync('unshare', [
    '--mount',
    '--net',
    '--pid',
    '--ipc',
    '--uts',
    '--fork',
    'ip',
    'link',
    'add',
    'pods',
    'type',
    'bridge',
  ]);
  return tried.status === 0 ? null : 'pods need Linux namespaces with a network of their own';
}

function podsOf(cluster: Cluster, kubelet: Kubelet): Pods {
  const seen: Pods['until'] = (what, claim) => until(what, claim, () => kubelet.problems());
  return {
    cluster,
    kubelet,
    until: seen,
    toward: async (namespace, service, port) => {
      const { url } = await kubelet.forward(namespace, service, port);
      const ask = (path: string, init: RequestInit = {}) =>
        fetch(url + path, { ...init, headers: { connection: 'close', ...init.headers }, signal: AbortSignal.timeout(PATIENCE_MS) });
      await seen(`${service} answers`, async () => (await ask('/')).status < 500);
      return ask;
    },
  };
}

function never(): never {
  throw new Error('pods are there only while their tests run');
}
