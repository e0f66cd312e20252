/** A group of tests that share a cluster, from its start to its end. */
import { afterAll, beforeAll } from 'vitest';
import { describeWithTools } from '../../tools/describe-with-tools.ts';
import type { Need, Toolset } from '../../tools/toolset.ts';
import { Cluster } from './cluster.ts';
import { CLUSTER_TOOLS, type ControllerName, toolsIn } from './tools.ts';

export interface ClusterNeeds {
  readonly hasControllers?: boolean;
  /** Real controllers of rollouts to start, with their further arguments. */
  readonly controllers?: Partial<Readonly<Record<ControllerName, readonly string[]>>>;
  /** What else the tests need. */
  readonly tools?: readonly Need[];
}

/** `cluster()` is there once the tests run. Where the tools are missing the group is skipped, with the reason in its name. */
export function describeCluster(
  name: string,
  needs: ClusterNeeds,
  body: (cluster: () => Cluster, directory: (of: Toolset) => string) => void,
): void {
  describeWithTools(name, [CLUSTER_TOOLS, ...(needs.tools ?? [])], (directory) => {
    let cluster: Cluster | null = null;
    beforeAll(async () => {
      const { hasControllers = true, controllers = {} } = needs;
      cluster = await Cluster.start({ tools: toolsIn(directory(CLUSTER_TOOLS)), hasControllers });
      for (const [each, args] of Object.entries(controllers)) await cluster.startController(each as ControllerName, args);
    }, 120_000);
    afterAll(() => cluster?.stop());
    body(() => cluster ?? never(), directory);
  });
}

function never(): never {
  throw new Error('the cluster is there only while its tests run');
}
