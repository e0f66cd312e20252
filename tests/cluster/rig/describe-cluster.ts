/** A group of tests that share a cluster, from its start to its end. */
import { afterAll, beforeAll, describe, inject } from 'vitest';
import { Cluster } from './cluster.ts';
import './global-setup.ts';
import { type ControllerName, toolsIn } from './tools.ts';

export interface ClusterNeeds {
  readonly hasControllers?: boolean;
  /** Real controllers of rollouts to start, with their further arguments. */
  readonly controllers?: Partial<Readonly<Record<ControllerName, readonly string[]>>>;
}

/** `cluster()` is there once the tests run. Where the tools are missing the group is skipped, with the reason in its name. */
export function describeCluster(name: string, needs: ClusterNeeds, body: (cluster: () => Cluster) => void): void {
  const tools = inject('clusterTools');
  if ('missing' in tools) {
    describe.skip(`${name} (${tools.missing})`, () => body(() => never()));
    return;
  }
  describe(name, () => {
    let cluster: Cluster | null = null;
    beforeAll(async () => {
      cluster = await Cluster.start({ tools: toolsIn(tools.directory), ...needs });
      for (const [each, args] of Object.entries(needs.controllers ?? {})) await cluster.startController(each as ControllerName, args);
    }, 120_000);
    afterAll(() => cluster?.stop());
    body(() => cluster ?? never());
  });
}

function never(): never {
  throw new Error('the cluster is there only while its tests run');
}
