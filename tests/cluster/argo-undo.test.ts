/** Undoing and promoting Argo Rollouts: the real API server, the real controller, and our sink between them. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import type { ArgoRolloutsSinkConfig, KubernetesConfig } from '../../src/config/sink-config.ts';
import { HttpsKubernetesApi } from '../../src/kubernetes/https-kubernetes-api.ts';
import { ArgoRolloutsSink } from '../../src/sinks/argo-rollouts/argo-rollouts-sink.ts';
import { failureOf, never } from '../sinks/sink.contract.ts';
import { ArgoStand, rolloutYaml, signalFor } from './argo-rollouts.ts';
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
const RBAC = readFileSync(join(import.meta.dirname, '../../config/kubernetes/argo-rollouts.yaml'), 'utf8');

function sinkOf(kubernetes: KubernetesConfig, change: Partial<ArgoRolloutsSinkConfig> = {}): ArgoRolloutsSink {
  return new ArgoRolloutsSink(
    { ...CONFIG, ...change },
    { kubernetes: new HttpsKubernetesApi(kubernetes, { env: {} }), instance: 'tests', onEventLost: (error) => void lost.push(error) },
  );
}

describeCluster('the argo-rollouts sink after full promotion', { controllers: { 'argo-rollouts': [] } }, (cluster) => {
  const admin = async (change: Partial<ArgoRolloutsSinkConfig> = {}) => sinkOf((await cluster().admin()).kubernetes, change);

  it('puts back what served before at once, without the pauses of a canary, and not a release that was aborted in between', async () => {
    const stand = await ArgoStand.make(cluster());
    const aborted = await stand.started('shop');
    await stand.patchStatus('shop', { abort: true });
    await stand.until('shop', 'aborted', ({ status }) => status?.phase === 'Degraded');
    const judged = await stand.canary('shop', 'v3');
    const target = stand.target(judged);
    await stand.promoteFully('shop');
    await stand.healthy('shop', aborted.status?.stableRS);
    expect(await stand.serving('shop')).toEqual({ v3: 4 });
    const sink = await admin();
    const message = signalFor(target);
    expect(await sink.deliver(message, never)).toBe('acknowledged');
    const after = await stand.healthy('shop', target.fence);
    expect(after.status?.stableRS).toBe(aborted.status?.stableRS);
    expect(after.metadata.annotations).toMatchObject({
      'slipstream.dev/signal': message.id,
      'slipstream.dev/rolled-back-from': target.fence,
    });
    expect(await sink.readBack(message, never.abort)).toMatchObject({ state: 'confirmed', rolledBackTo: target.previous });
    const { resourceVersion } = await stand.seen('shop').then(({ metadata }) => metadata);
    expect(await sink.deliver(message, never)).toBe('acknowledged');
    expect((await stand.seen('shop')).metadata.resourceVersion).toBe(resourceVersion);
  });

  it('has one effect when two do it at once', async () => {
    const stand = await ArgoStand.make(cluster());
    const judged = await stand.started('shop');
    await stand.promoteFully('shop');
    await stand.healthy('shop', judged.status?.stableRS);
    const message = signalFor(stand.target(judged));
    const twins = await Promise.all([admin(), admin()]);
    const deliveries = twins.map((sink) => sink.deliver(message, never));
    expect(await Promise.all(deliveries)).toEqual(['acknowledged', 'acknowledged']);
    const after = await stand.healthy('shop', judged.status?.currentPodHash);
    expect(after.status?.stableRS).toBe(judged.status?.stableRS);
    expect(after.metadata.annotations?.['rollout.argoproj.io/revision']).toBe('3');
  });

  it('goes to the revision before when nobody said what served before', async () => {
    const stand = await ArgoStand.make(cluster());
    await stand.apply(rolloutYaml('shop', 'v1', { steps: [] }));
    const first = await stand.healthy('shop');
    await stand.apply(rolloutYaml('shop', 'v2', { steps: [] }));
    await stand.healthy('shop', first.status?.currentPodHash);
    const { previous: _, ...target } = stand.target(await stand.seen('shop'));
    await (await admin()).deliver(signalFor(target), never);
    await stand.healthy('shop', target.fence);
    expect(await stand.serving('shop')).toEqual({ v1: 4 });
  });

  it('never undoes a newer release that is applied meanwhile', async () => {
    const stand = await ArgoStand.make(cluster());
    const options = { steps: [{ setWeight: 50 }] };
    await stand.apply(rolloutYaml('shop', 'v0', options));
    let before = await stand.healthy('shop');
    for (let round = 1; round <= 8; round++) {
      await stand.apply(rolloutYaml('shop', `bad-${round}`, options));
      const judged = await stand.healthy('shop', before.status?.currentPodHash);
      const message = signalFor({ ...stand.target(judged), previous: before.status?.stableRS ?? '' });
      const sink = await admin();
      await Promise.all([
        sink.deliver(message, never).catch((error: { code: string }) => expect(['superseded', 'not_observed']).toContain(error.code)),
        new Promise((apply) => setTimeout(apply, (round % 4) * 5)).then(() => stand.apply(rolloutYaml('shop', `newer-${round}`, options))),
      ]);
      before = await stand.until(
        'shop',
        'on the newer release',
        (now) =>
          now.status?.phase === 'Healthy' &&
          now.status.observedGeneration === String(now.metadata.generation) &&
          JSON.stringify(now.spec?.template).includes(`newer-${round}`),
      );
      expect(await stand.serving('shop')).toEqual({ [`newer-${round}`]: 4 });
      expect(await failureOf(sink.deliver(message, never))).toMatchObject({ code: 'superseded' });
    }
  });

  it('leaves it to people where it is told to, where GitOps would undo it, and where somebody paused it', async () => {
    const stand = await ArgoStand.make(cluster());
    const options = { labels: { 'argocd.argoproj.io/instance': 'shop' }, steps: [] };
    await stand.apply(rolloutYaml('shop', 'v1', options));
    const first = await stand.healthy('shop');
    await stand.apply(rolloutYaml('shop', 'v2', options));
    const judged = await stand.healthy('shop', first.status?.currentPodHash);
    const message = signalFor(stand.target(judged));
    const refused = async (change?: Partial<ArgoRolloutsSinkConfig>) => failureOf((await admin(change)).deliver(message, never));
    expect(await refused()).toMatchObject({ code: 'declined', message: expect.stringContaining('Argo CD owns it') });
    expect(await refused({ onBadAfterPromotion: 'nothing' })).toMatchObject({ code: 'declined' });
    await cluster().must(
      'PATCH',
      stand.path('shop'),
      { metadata: { labels: null }, spec: { paused: true } },
      'application/merge-patch+json',
    );
    await stand.until('shop', 'seen', ({ metadata, status }) => status?.observedGeneration === String(metadata.generation));
    expect(await refused()).toMatchObject({ code: 'declined', message: expect.stringContaining('paused') });
    expect(await stand.serving('shop')).toEqual({ v2: 4 });
  });

  it('puts back the template of the Deployment that a Rollout refers to', async () => {
    const stand = await ArgoStand.make(cluster());
    const deployment = (tag: string) =>
      JSON.stringify({
        apiVersion: 'apps/v1',
        kind: 'Deployment',
        metadata: { name: 'shop' },
        spec: {
          replicas: 0,
          selector: { matchLabels: { app: 'shop' } },
          template: { metadata: { labels: { app: 'shop' } }, spec: { containers: [{ name: 'main', image: `example.test/shop:${tag}` }] } },
        },
      });
    const rollout = JSON.parse(rolloutYaml('shop', 'none', { steps: [{ setWeight: 50 }] }));
    const { template: _, selector: __, ...spec } = rollout.spec;
    await stand.apply(deployment('v1'));
    await stand.apply(
      JSON.stringify({ ...rollout, spec: { ...spec, workloadRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'shop' } } }),
    );
    const first = await stand.healthy('shop');
    await stand.apply(deployment('v2'));
    const judged = await stand.healthy('shop', first.status?.currentPodHash);
    const message = signalFor({ ...stand.target(judged), previous: first.status?.stableRS ?? '' });
    await (await admin()).deliver(message, never);
    const after = await stand.healthy('shop', judged.status?.currentPodHash);
    expect(after.status?.stableRS).toBe(first.status?.stableRS);
    expect(await stand.serving('shop')).toEqual({ v1: 4 });
  });
});

describeCluster('the argo-rollouts sink that promotes', { controllers: { 'argo-rollouts': [] } }, (cluster) => {
  const admin = async (change: Partial<ArgoRolloutsSinkConfig> = {}) => sinkOf((await cluster().admin()).kubernetes, change);

  it('goes on by one step for one signal, however often it is asked and by how many', async () => {
    const stand = await ArgoStand.make(cluster());
    const rollout = await stand.started('shop', { steps: [{ setWeight: 25 }, { pause: {} }, { pause: {} }, { pause: {} }] });
    const message = signalFor(stand.target(rollout), { action: 'promote' });
    const twins = await Promise.all([admin({ onPromote: 'step' }), admin({ onPromote: 'step' })]);
    await Promise.all(twins.map((sink) => sink.deliver(message, never)));
    for (const sink of twins) await sink.deliver(message, never);
    const after = await stand.until('shop', 'paused again', ({ status }) => status?.phase === 'Paused' && status.currentStepIndex !== 1);
    expect(after.status?.currentStepIndex).toBe(2);
    expect(await twins[0]?.readBack(message, never.abort)).toMatchObject({ state: 'confirmed' });
  });

  it('goes to the end when it is told to, and never promotes what was aborted or is newer', async () => {
    const stand = await ArgoStand.make(cluster());
    const aborted = await stand.started('shop');
    const sink = await admin({ onPromote: 'full' });
    await sink.deliver(signalFor(stand.target(aborted)), never);
    const late = signalFor(stand.target(aborted), { action: 'promote' });
    expect(await failureOf(sink.deliver(late, never))).toMatchObject({ code: 'superseded' });
    const judged = await stand.canary('shop', 'v3');
    expect(await failureOf(sink.deliver(late, never))).toMatchObject({ code: 'superseded' });
    const message = signalFor(stand.target(judged), { action: 'promote' });
    expect(await sink.deliver(message, never)).toBe('acknowledged');
    await stand.healthy('shop', aborted.status?.stableRS);
    expect(await stand.serving('shop')).toEqual({ v3: 4 });
    expect(await sink.readBack(message, never.abort)).toMatchObject({ state: 'confirmed' });
    expect([...sink.actions].toSorted()).toEqual(['hold', 'promote', 'rollback']);
    expect([...(await admin()).actions].toSorted()).toEqual(['hold', 'rollback']);
  });
});

describeCluster('what the argo-rollouts sink is allowed', { controllers: { 'argo-rollouts': [] } }, (cluster) => {
  it('is enough for an abort, an undo and a promotion, and says so when it is not', async () => {
    const stand = await ArgoStand.make(cluster());
    const bare = await cluster().account(stand.namespace, 'nobody', '');
    const { kubernetes } = await cluster().account(
      stand.namespace,
      'slipstream',
      RBAC.replaceAll('namespace: slipstream', `namespace: ${stand.namespace}`),
    );
    const sink = sinkOf(kubernetes, { onPromote: 'full' });
    const judged = await stand.started('shop');
    const message = signalFor(stand.target(judged));
    const refused = await failureOf(sinkOf(bare.kubernetes).deliver(message, never));
    expect(refused).toMatchObject({ code: 'misdirected', message: expect.stringContaining('403') });
    expect(await sink.deliver(message, never)).toBe('acknowledged');
    expect(await sink.readBack(message, never.abort)).not.toMatchObject({ state: 'superseded' });
    const better = await stand.canary('shop', 'v3');
    await sink.deliver(signalFor(stand.target(better), { action: 'promote' }), never);
    await stand.healthy('shop', judged.status?.stableRS);
    await sink.deliver(signalFor(stand.target(better)), never);
    await stand.healthy('shop', better.status?.currentPodHash);
    expect(await stand.serving('shop')).toEqual({ v1: 4 });
    expect(
      await sink.deliver(signalFor({ ...stand.target(judged), fence: judged.status?.stableRS ?? '' }, { action: 'hold' }), never),
    ).toBe('confirmed');
    expect(lost).toEqual([]);
    const { items } = await cluster().must('GET', `/apis/events.k8s.io/v1/namespaces/${stand.namespace}/events`);
    const ours = items.filter((event: { reportingController?: string }) => event.reportingController === 'slipstream.dev/slipstream');
    expect(ours.map((event: { reason: string }) => event.reason).toSorted()).toEqual(['Held', 'Promoted', 'RolledBack', 'RolledBack']);
  });
});
