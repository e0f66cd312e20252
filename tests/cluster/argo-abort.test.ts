/** Rolling back canaries of Argo Rollouts: the real API server, the real controller, and our sink between them. */
import { expect, it } from 'vitest';
import type { ArgoRolloutsSinkConfig } from '../../src/config/sink-config.ts';
import { HttpsKubernetesApi } from '../../src/kubernetes/https-kubernetes-api.ts';
import type { KubernetesApi } from '../../src/kubernetes/kubernetes-api.ts';
import { ArgoRolloutsSink } from '../../src/sinks/argo-rollouts/argo-rollouts-sink.ts';
import { rollbackSeen } from '../../src/sinks/argo-rollouts/rollout-read-back.ts';
import { failureOf, never } from '../sinks/sink.contract.ts';
import { ArgoStand, rolloutYaml, signalFor } from './argo-rollouts.ts';
import type { Cluster } from './rig/cluster.ts';
import { describeCluster } from './rig/describe-cluster.ts';

const CONFIG: ArgoRolloutsSinkConfig = {
  type: 'argo-rollouts',
  name: 'argo',
  isDryRun: false,
  onPromote: 'nothing',
  onBadAfterPromotion: 'undo',
  timeoutMs: 10_000,
};
/** Events that could not be made. */
const lost: unknown[] = [];

async function adminSink(cluster: Cluster, change: Partial<ArgoRolloutsSinkConfig> = {}): Promise<ArgoRolloutsSink> {
  const { kubernetes } = await cluster.admin();
  return new ArgoRolloutsSink(
    { ...CONFIG, ...change },
    { kubernetes: new HttpsKubernetesApi(kubernetes, { env: {} }), instance: 'tests', onEventLost: (error) => void lost.push(error) },
  );
}

describeCluster('the argo-rollouts sink and a canary in flight', { controllers: { 'argo-rollouts': [] } }, (cluster) => {
  it('aborts it, and the stable release serves all again', async () => {
    const stand = await ArgoStand.make(cluster());
    const rollout = await stand.started('shop');
    expect(await stand.serving('shop')).toEqual({ v1: 3, v2: 1 });
    const sink = await adminSink(cluster());
    const message = signalFor(stand.target(rollout));
    expect(await sink.deliver(message, never)).toBe('acknowledged');
    await stand.until('shop', 'rolled back', (now) => rollbackSeen(now, stand.target(rollout), message).state === 'confirmed');
    expect(await stand.serving('shop')).toEqual({ v1: 4 });
    expect(await sink.readBack(message, never.abort)).toEqual({
      state: 'confirmed',
      rolledBackTo: rollout.status?.stableRS,
      detail: 'aborted, and the stable release serves all: example.test/shop:v1',
    });
  });

  it('does nothing a second time, for the same signal as for another of the same release', async () => {
    const stand = await ArgoStand.make(cluster());
    const rollout = await stand.started('shop');
    const sink = await adminSink(cluster());
    await sink.deliver(signalFor(stand.target(rollout)), never);
    const first = await stand.until('shop', 'aborted', ({ status }) => status?.phase === 'Degraded' && (status.updatedReplicas ?? 0) === 0);
    expect(await sink.deliver(signalFor(stand.target(rollout)), never)).toBe('acknowledged');
    expect((await stand.seen('shop')).metadata.resourceVersion).toBe(first.metadata.resourceVersion);
  });

  it('calls off a full promotion that is under way, which would make the controller drop the abort', async () => {
    const stand = await ArgoStand.make(cluster());
    await stand.apply(rolloutYaml('shop', 'v1'));
    const before = await stand.healthy('shop');
    // Its pods never become ready, so that the promotion takes its time.
    await stand.apply(rolloutYaml('shop', 'stuck'));
    await stand.until('shop', 'moving', ({ status }) => status?.currentPodHash !== before.status?.currentPodHash);
    await stand.promoteFully('shop');
    const rollout = await stand.until(
      'shop',
      'being promoted',
      ({ status }) => status?.promoteFull === true && (status.updatedReplicas ?? 0) > 1,
    );
    await (await adminSink(cluster())).deliver(signalFor(stand.target(rollout)), never);
    const after = await stand.until('shop', 'aborted', ({ status }) => status?.phase === 'Degraded' && (status.updatedReplicas ?? 0) === 0);
    expect(after.status).toMatchObject({ abort: true, stableRS: before.status?.stableRS });
  });

  it('says that the Rollout has moved on when a newer release is there, and leaves it alone', async () => {
    const stand = await ArgoStand.make(cluster());
    const old = await stand.started('shop');
    const newer = await stand.canary('shop', 'v3');
    const sink = await adminSink(cluster());
    const message = signalFor(stand.target(old));
    expect(await failureOf(sink.deliver(message, never))).toMatchObject({
      code: 'superseded',
      message: `delivering signal ${message.id} to argo-rollouts argo: the newest release is ${newer.status?.currentPodHash}`,
    });
    expect((await stand.seen('shop')).status?.abort).toBeUndefined();
    expect(await sink.readBack(message, never.abort)).toMatchObject({ state: 'superseded' });
  });

  it('never aborts a newer release that is applied at the very same time', async () => {
    const stand = await ArgoStand.make(cluster());
    await stand.apply(rolloutYaml('shop', 'v1'));
    await stand.healthy('shop');
    const sink = await adminSink(cluster());
    const ends: string[] = [];
    for (let round = 0; round < 12; round++) {
      const judged = await stand.canary('shop', `bad-${round}`);
      const message = signalFor(stand.target(judged));
      const [outcome] = await Promise.all([
        sink.deliver(message, never).catch((error: { code: string }) => error.code),
        // Sooner, at the same time, later.
        new Promise((apply) => setTimeout(apply, (round % 5) * 4)).then(() => stand.apply(rolloutYaml('shop', `newer-${round}`))),
      ]);
      ends.push(outcome);
      // The controller has taken up the newer one; whatever it found in the status, the newer one goes on.
      const newer = await stand.until(
        'shop',
        'moving on',
        ({ status, metadata }) =>
          status?.currentPodHash !== judged.status?.currentPodHash &&
          status?.observedGeneration === String(metadata.generation) &&
          status.phase === 'Paused',
      );
      expect(newer.status?.abort ?? false).toBe(false);
      // And trying again, as after a lost answer, does not change that.
      expect(await failureOf(sink.deliver(message, never))).toMatchObject({ code: 'superseded' });
    }
    expect(ends.every((end) => ['acknowledged', 'superseded', 'not_observed'].includes(end))).toBe(true);
    expect((await stand.seen('shop')).status?.abort ?? false).toBe(false);
  });

  it('has one effect when two do it at once', async () => {
    const stand = await ArgoStand.make(cluster());
    const rollout = await stand.started('shop');
    const message = signalFor(stand.target(rollout));
    const twins = await Promise.all([adminSink(cluster()), adminSink(cluster())]);
    expect(await Promise.all(twins.map((sink) => sink.deliver(message, never)))).toEqual(['acknowledged', 'acknowledged']);
    await stand.until('shop', 'rolled back', (now) => rollbackSeen(now, stand.target(rollout), message).state === 'confirmed');
    const { items } = await cluster().must('GET', `/api/v1/namespaces/${stand.namespace}/events`);
    expect(items.filter(({ reason }: { reason: string }) => reason === 'RolloutAborted')).toHaveLength(1);
  });

  it('does nothing more when the answer was lost and it is asked again', async () => {
    const stand = await ArgoStand.make(cluster());
    const rollout = await stand.started('shop');
    const { kubernetes } = await cluster().admin();
    const api = new HttpsKubernetesApi(kubernetes, { env: {} });
    let aborts = 0;
    const forgetful: KubernetesApi = Object.assign(Object.create(api), {
      get: (...args: Parameters<KubernetesApi['get']>) => api.get(...args),
      jsonPatch: async (...args: Parameters<KubernetesApi['jsonPatch']>) => {
        await api.jsonPatch(...args);
        if (!args[1].some(({ path }) => path === '/status/abort')) return {};
        aborts++;
        throw new Error('the connection broke');
      },
    });
    const message = signalFor(stand.target(rollout));
    const sink = new ArgoRolloutsSink(CONFIG, { kubernetes: forgetful, instance: 'tests', onEventLost: (error) => void lost.push(error) });
    await failureOf(sink.deliver(message, never));
    expect(await sink.deliver(message, never)).toBe('acknowledged');
    expect(aborts).toBe(1);
  });

  it('lets somebody go on with a release that it aborted, and says so', async () => {
    const stand = await ArgoStand.make(cluster());
    const rollout = await stand.started('shop');
    const sink = await adminSink(cluster());
    const message = signalFor(stand.target(rollout));
    await sink.deliver(message, never);
    await stand.until('shop', 'aborted', ({ status }) => status?.phase === 'Degraded');
    await stand.patchStatus('shop', { abort: false });
    await stand.until('shop', 'going on', ({ status }) => status?.phase === 'Paused');
    expect(await sink.readBack(message, never.abort)).toMatchObject({ state: 'superseded', detail: expect.stringContaining('go on') });
  });

  it('tells a Rollout that is gone from a cluster that knows no Rollouts', async () => {
    const stand = await ArgoStand.make(cluster());
    const sink = await adminSink(cluster());
    const message = signalFor({ kind: 'Rollout', namespace: stand.namespace, name: 'gone', fence: 'abc' });
    expect(await failureOf(sink.deliver(message, never))).toMatchObject({ code: 'superseded' });
    expect(await sink.readBack(message, never.abort)).toMatchObject({ state: 'superseded' });
  });

  it('has the server check everything and store nothing in a dry run', async () => {
    const stand = await ArgoStand.make(cluster());
    const rollout = await stand.started('shop');
    expect(await (await adminSink(cluster(), { isDryRun: true })).deliver(signalFor(stand.target(rollout)), never)).toBe('dry_run');
    const after = await stand.seen('shop');
    // The controller writes to it too, so its version says nothing.
    expect(after.status?.abort).toBeUndefined();
    expect(after.metadata.annotations).toEqual(rollout.metadata.annotations);
    expect(after.spec).toEqual(rollout.spec);
  });
});

describeCluster('the argo-rollouts sink in a cluster without Argo Rollouts', { hasControllers: false }, (cluster) => {
  it('says that it is the wrong one', async () => {
    const sink = await adminSink(cluster());
    const message = signalFor({ kind: 'Rollout', namespace: 'default', name: 'shop', fence: 'abc' });
    expect(await failureOf(sink.deliver(message, never))).toMatchObject({ code: 'misdirected' });
  });
});
