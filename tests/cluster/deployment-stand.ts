/** A Deployment on a real server with the real controllers, and what is seen of it. */
import {
  APPS_API,
  type Deployment,
  deploymentPath,
  REVISION_ANNOTATION,
  type ReplicaSet,
  revisionOf,
  rolloutStatus,
} from '../../src/kubernetes/deployment-object.ts';
import type { Signal } from '../../src/model/rollout.ts';
import { messageOf } from '../../src/sinks/message.ts';
import type { SinkMessage } from '../../src/sinks/sink.ts';
import { DECIDED_AT, sampleSignal } from '../store/samples.ts';
import type { Answer, Cluster } from './rig/cluster.ts';
import { deploymentYaml } from './rig/deployments.ts';

const PATIENCE_MS = 60_000;
const JSON_PATCH = 'application/json-patch+json';

export class DeploymentStand {
  readonly cluster: Cluster;
  readonly namespace: string;
  readonly name = 'shop';

  private constructor(cluster: Cluster, namespace: string) {
    this.cluster = cluster;
    this.namespace = namespace;
  }

  /** A namespace whose pods become ready by themselves, but for those of an image that ends in `stuck`. */
  static async make(cluster: Cluster): Promise<DeploymentStand> {
    const namespace = await cluster.namespace();
    cluster.keepPodsReady(namespace, ({ spec }) => !spec.containers[0].image.endsWith('stuck'));
    return new DeploymentStand(cluster, namespace);
  }

  /** With each tag rolled out in full, one after the other. */
  async rolledOut(...tags: readonly string[]): Promise<void> {
    for (const tag of tags) {
      await this.apply(tag);
      await this.until((deployment) => rolloutStatus(deployment).isDone);
    }
  }

  apply(tag: string, more?: Parameters<typeof deploymentYaml>[2]): Promise<void> {
    return this.cluster.apply(deploymentYaml(this.name, tag, more), this.namespace);
  }

  get path(): string {
    return deploymentPath(this.namespace, this.name);
  }

  get(): Promise<Deployment & { metadata: { annotations: Record<string, string> } }> {
    return this.cluster.must('GET', this.path);
  }

  patch(...steps: readonly object[]): Promise<Answer> {
    return this.cluster.call('PATCH', this.path, JSON.stringify(steps), JSON_PATCH);
  }

  /** Only the image, which is what a release is. */
  setImage(tag: string): Promise<Answer> {
    return this.patch({ op: 'replace', path: '/spec/template/spec/containers/0/image', value: `example.test/shop:${tag}` });
  }

  async until(claim: (deployment: Deployment) => boolean): Promise<Deployment> {
    for (const end = performance.now() + PATIENCE_MS; performance.now() < end; await new Promise((again) => setTimeout(again, 50))) {
      const deployment = await this.get();
      if (claim(deployment)) return deployment;
    }
    throw new Error(`it never came to be: ${JSON.stringify((await this.get()).status)}`);
  }

  async atRevision(revision: number): Promise<Deployment> {
    return this.until((deployment) => revisionOf(deployment) === revision);
  }

  /** The revision under which the controller rolls a tag out. */
  async revisionWith(tag: string): Promise<string> {
    const path = `${APPS_API}/namespaces/${this.namespace}/replicasets`;
    for (const end = performance.now() + PATIENCE_MS; performance.now() < end; ) {
      const { items } = await this.cluster.must('GET', path);
      const image = `example.test/${this.name}:${tag}`;
      const set = items.find((each: ReplicaSet) => each.spec?.template?.spec?.containers?.[0]?.image === image);
      if (set !== undefined && revisionOf(set) > 0 && (await this.revision()) === String(revisionOf(set))) return String(revisionOf(set));
    }
    throw new Error(`${tag} was never rolled out`);
  }

  /** The tag that it asks for. */
  async tag(): Promise<string> {
    return (await this.get()).spec?.template?.spec?.containers?.[0]?.image?.split(':')[1] ?? '';
  }

  async revision(): Promise<string> {
    return (await this.get()).metadata.annotations[REVISION_ANNOTATION] ?? '';
  }

  /** Texts of the Events on it that are ours, by reason. */
  async events(): Promise<readonly { readonly reason: string; readonly note: string }[]> {
    const { items } = await this.cluster.must('GET', `/apis/events.k8s.io/v1/namespaces/${this.namespace}/events`);
    return items.filter((item: Answer['body']) => item.reportingController === 'slipstream.dev/slipstream');
  }

  /** A signal about revision `fence`. */
  message(fence: string, more: Partial<Signal> = {}, previous?: string): SinkMessage {
    const named = { kind: 'Deployment', namespace: this.namespace, name: this.name, fence } as const;
    const target = previous === undefined ? named : { ...named, previous };
    return messageOf(sampleSignal({ id: `sig_${this.namespace}_${fence}`, action: 'rollback', target, ...more }), DECIDED_AT);
  }
}
