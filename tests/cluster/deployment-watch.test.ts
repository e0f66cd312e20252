/** Rollouts of real Deployments, as the watch sees them begin and end. */
import { expect, it, onTestFinished } from 'vitest';
import { APPS_API, type ReplicaSet, revisionOf } from '../../src/kubernetes/deployment-object.ts';
import { KubernetesSink } from '../../src/sinks/kubernetes/kubernetes-sink.ts';
import { RolloutBook } from '../../src/watches/rollout-book.ts';
import { watchDeployments } from '../../src/watches/watch-deployments.ts';
import type { WatchedRollout } from '../../src/watches/watched-rollout.ts';
import { DeploymentStand } from './deployment-stand.ts';
import { accountWith, apiFor } from './rig/accounts.ts';
import { describeCluster } from './rig/describe-cluster.ts';

describeCluster('a watch of Deployments', {}, (cluster) => {
  /** With no more rights than the manifest of this feature gives. */
  async function watching(stand: DeploymentStand, labelSelector = '') {
    const api = apiFor(await accountWith(cluster(), ['watch-deployments']));
    const told: string[] = [];
    const begun: WatchedRollout[] = [];
    const troubles: string[] = [];
    const abort = new AbortController();
    const book = new RolloutBook({
      handlers: {
        begin: (rollout) => {
          begun.push(rollout);
          told.push(`begin ${rollout.target.fence}`);
          return 'done';
        },
        end: (id) => {
          told.push(`end ${id.split('~').at(-1)}`);
          return 'done';
        },
      },
      onTrouble: (reason, text) => void troubles.push(`${reason} ${text}`),
      schedule: (task, waitMs) => {
        const timer = setTimeout(task, waitMs);
        return () => clearTimeout(timer);
      },
    });
    const done = watchDeployments(
      {
        api,
        namespaces: [stand.namespace],
        labelSelector,
        releaseAttribute: 'k8s.replicaset.name',
        book,
        onTrouble: (error) => void troubles.push(error.message),
      },
      abort.signal,
    );
    onTestFinished(async () => {
      abort.abort();
      await done;
      book.close();
      await api.close();
    });
    return { told, begun, troubles };
  }
  const toldOf = (told: readonly string[], timeout = 30_000) => expect.poll(() => told, { timeout });

  it('sees a rollout begin with the ReplicaSets of both releases, and end when it is through', async () => {
    const stand = await DeploymentStand.make(cluster());
    const { told, begun, troubles } = await watching(stand);
    await stand.apply('v1', { annotations: { 'slipstream.dev/service': 'cart' } });
    await toldOf(told).toEqual(['end 1']);
    await stand.setImage('v2');
    await toldOf(told).toEqual(['end 1', 'begin 2', 'end 2']);
    const { items } = await cluster().must('GET', `${APPS_API}/namespaces/${stand.namespace}/replicasets`);
    const named = (revision: number) => items.find((set: ReplicaSet) => revisionOf(set) === revision).metadata.name;
    expect(begun[0]).toMatchObject({
      service: 'cart',
      revision: 2,
      target: { kind: 'Deployment', namespace: stand.namespace, name: 'shop', fence: '2', previous: '1' },
      baseline: { 'k8s.replicaset.name': named(1) },
      canary: { 'k8s.replicaset.name': named(2) },
    });
    expect(troubles).toEqual([]);
  });

  it('sees a newer rollout take the place of one in flight, and a rollback of ours as an end and no beginning', async () => {
    const stand = await DeploymentStand.make(cluster());
    await stand.rolledOut('v1');
    const { told, begun } = await watching(stand);
    await toldOf(told).toEqual(['end 1']);
    await stand.setImage('v2-stuck');
    await toldOf(told).toEqual(['end 1', 'begin 2']);
    await stand.setImage('v3-stuck');
    await toldOf(told).toEqual(['end 1', 'begin 2', 'end 2', 'begin 3']);
    const admin = apiFor((await cluster().admin()).kubernetes);
    onTestFinished(() => admin.close());
    const sink = new KubernetesSink(
      { type: 'kubernetes', name: 'cluster', timeoutMs: 10_000, isDryRun: false, isOwnedByGitOpsToo: false },
      { kubernetes: admin, instance: 'test', onEventLost: () => undefined },
    );
    const abort = new AbortController().signal;
    const message = stand.message('3', {}, begun[1]?.target.previous);
    await sink.deliver(message, { abort, mayStillAct: () => true });
    // Not v2, which is the newest revision before it but never served.
    const confirmed = { state: 'confirmed', rolledBackTo: 'example.test/shop:v1' };
    await expect.poll(() => sink.readBack(message, abort), { timeout: 60_000 }).toMatchObject(confirmed);
    await toldOf(told).toEqual(['end 1', 'begin 2', 'end 2', 'begin 3', 'end 3']);
    await stand.setImage('v4-stuck');
    await toldOf(told).toEqual(['end 1', 'begin 2', 'end 2', 'begin 3', 'end 3', 'begin 5']);
  });

  it('finds a rollout that was in flight when it began to watch, and its end after the API server was away', async () => {
    const stand = await DeploymentStand.make(cluster());
    await stand.rolledOut('v1');
    await stand.setImage('v2-stuck');
    await stand.atRevision(2);
    const { told, troubles } = await watching(stand);
    await toldOf(told).toEqual(['begin 2']);
    await cluster().stopApiServer('crash');
    await cluster().startApiServer();
    await cluster().must('DELETE', stand.path);
    await toldOf(told, 60_000).toEqual(['begin 2', 'end 2']);
    expect(troubles.length).toBeGreaterThan(0);
  });

  it('sees a pause as an end', async () => {
    const stand = await DeploymentStand.make(cluster());
    await stand.rolledOut('v1');
    const { told } = await watching(stand);
    await toldOf(told).toEqual(['end 1']);
    await stand.setImage('v2-stuck');
    await toldOf(told).toEqual(['end 1', 'begin 2']);
    await stand.patch({ op: 'add', path: '/spec/paused', value: true });
    await toldOf(told).toEqual(['end 1', 'begin 2', 'end 2']);
  });

  it('sees only what the label selector names', async () => {
    const stand = await DeploymentStand.make(cluster());
    const { told } = await watching(stand, 'judged=yes');
    await stand.rolledOut('v1', 'v2');
    await stand.patch({ op: 'add', path: '/metadata/labels', value: { judged: 'yes' } });
    await toldOf(told).toEqual(['end 2']);
  });
});
