/** Argo Rollouts for tests, as people write them, and what is seen of them on a real server with the real controller. */
import { setTimeout as pause } from 'node:timers/promises';
import { type RolloutObject, rolloutPath } from '../../src/kubernetes/rollout-object.ts';
import type { RolloutTarget, Signal } from '../../src/model/rollout.ts';
import { messageOf } from '../../src/sinks/message.ts';
import type { SinkMessage } from '../../src/sinks/sink.ts';
import { DECIDED_AT, sampleSignal } from '../store/samples.ts';
import type { Cluster } from './rig/cluster.ts';

/** Generous: the machine that runs the tests may be busy. */
const PATIENCE_MS = 60_000;

export interface RolloutOptions {
  readonly replicas?: number;
  readonly steps?: readonly object[];
  readonly labels?: object;
  readonly canary?: object;
  readonly spec?: object;
}

export const PAUSED_STEPS = [{ setWeight: 25 }, { pause: {} }, { setWeight: 50 }, { pause: {} }];

/** Four pods of `app: <name>` with the image `example.test/<name>:<tag>`, a quarter of them canaries until somebody goes on. */
export function rolloutYaml(
  name: string,
  tag: string,
  { replicas = 4, steps = PAUSED_STEPS, labels = {}, canary, spec }: RolloutOptions = {},
): string {
  return JSON.stringify({
    apiVersion: 'argoproj.io/v1alpha1',
    kind: 'Rollout',
    metadata: { name, labels },
    spec: {
      replicas,
      selector: { matchLabels: { app: name } },
      template: { metadata: { labels: { app: name } }, spec: { containers: [{ name: 'main', image: `example.test/${name}:${tag}` }] } },
      strategy: { canary: { steps, ...canary } },
      ...spec,
    },
  });
}

export class ArgoStand {
  readonly cluster: Cluster;
  readonly namespace: string;

  private constructor(cluster: Cluster, namespace: string) {
    this.cluster = cluster;
    this.namespace = namespace;
  }

  /** A namespace whose pods become ready by themselves, but for those of an image that ends in `stuck`. */
  static async make(cluster: Cluster): Promise<ArgoStand> {
    const namespace = await cluster.namespace();
    cluster.keepPodsReady(namespace, ({ spec }) => !spec.containers[0].image.endsWith('stuck'));
    return new ArgoStand(cluster, namespace);
  }

  apply(yaml: string): Promise<void> {
    return this.cluster.apply(yaml, this.namespace);
  }

  path(name: string): string {
    return rolloutPath(this.namespace, name);
  }

  seen(name: string): Promise<RolloutObject> {
    return this.cluster.must('GET', this.path(name));
  }

  async until(name: string, what: string, holds: (rollout: RolloutObject) => boolean): Promise<RolloutObject> {
    const givesUpAt = performance.now() + PATIENCE_MS;
    for (let looks = 1; ; looks++) {
      const rollout = await this.seen(name);
      if (holds(rollout)) return rollout;
      if (performance.now() > givesUpAt)
        throw new Error(`${name} is never ${what}: ${JSON.stringify(rollout.status)}\n${await this.cluster.logTail('argo-rollouts', 20)}`);
      // The controller may have missed what the test did, as `nudged` of the sink has it.
      if (looks % 12 === 0) await this.touch(name, looks);
      await pause(50);
    }
  }

  touch(name: string, count: number): Promise<unknown> {
    return this.cluster.must(
      'PATCH',
      this.path(name),
      { metadata: { annotations: { 'test/looks': String(count) } } },
      'application/merge-patch+json',
    );
  }

  healthy(name: string, hashWasNot = ''): Promise<RolloutObject> {
    return this.until(
      name,
      'healthy',
      ({ metadata, status }) =>
        status?.phase === 'Healthy' &&
        status.observedGeneration === String(metadata.generation) &&
        status.currentPodHash === status.stableRS &&
        status.currentPodHash !== hashWasNot,
    );
  }

  /** A new tag is applied, and its canary has stopped at a step. */
  async canary(name: string, tag: string, options?: RolloutOptions): Promise<RolloutObject> {
    const before = (await this.seen(name)).status?.currentPodHash;
    await this.apply(rolloutYaml(name, tag, options));
    return this.until(name, 'paused', ({ status }) => status?.phase === 'Paused' && status.currentPodHash !== before);
  }

  /** v1 serves and a canary of v2 waits at the first pause. */
  async started(name: string, options?: RolloutOptions): Promise<RolloutObject> {
    await this.apply(rolloutYaml(name, 'v1', options));
    await this.healthy(name);
    return this.canary(name, 'v2', options);
  }

  /** As `kubectl argo rollouts promote --full`. */
  promoteFully(name: string): Promise<unknown> {
    return this.patchStatus(name, { promoteFull: true });
  }

  patchStatus(name: string, status: object): Promise<unknown> {
    return this.cluster.must('PATCH', `${this.path(name)}/status`, { status }, 'application/merge-patch+json');
  }

  target(rollout: RolloutObject): RolloutTarget {
    return {
      kind: 'Rollout',
      namespace: this.namespace,
      name: rollout.metadata.name,
      fence: rollout.status?.currentPodHash ?? '',
      ...(rollout.status?.stableRS !== undefined && { previous: rollout.status.stableRS }),
    };
  }

  /** Image that each ReplicaSet with pods has, and how many pods. */
  async serving(name: string): Promise<Readonly<Record<string, number>>> {
    const { items } = await this.cluster.must('GET', `/apis/apps/v1/namespaces/${this.namespace}/replicasets?labelSelector=app%3D${name}`);
    const counted = items
      .filter((set: { status: { availableReplicas?: number } }) => (set.status.availableReplicas ?? 0) > 0)
      .map((set: { spec: { template: { spec: { containers: { image: string }[] } } }; status: { availableReplicas: number } }) => [
        set.spec.template.spec.containers[0]?.image.split(':')[1],
        set.status.availableReplicas,
      ]);
    return Object.fromEntries(counted);
  }
}

let signals = 0;

/** Each signal is of its own id. */
export function signalFor(target: RolloutTarget, change: Partial<Signal> = {}): SinkMessage {
  const id = `sig_${String(++signals).padStart(40, '0')}`;
  return messageOf(sampleSignal({ id, target, rolloutId: 'r', ...change }), DECIDED_AT);
}
