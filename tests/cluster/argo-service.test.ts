/** The whole of it: spans in, the Rollout seen by the watch, a verdict, and the real controller shows the Rollout aborted or promoted. */
import { afterEach, expect, it } from 'vitest';
import { processDocument, shopDocument } from '../service/config.ts';
import { eventually, killAll, Running } from '../service/running.ts';
import { type Stream, send, thisSecond } from '../service/traffic.ts';
import { TemporaryFolders } from '../store/temporary-folder.ts';
import { ArgoStand, rolloutYaml } from './argo-rollouts.ts';
import { describeCluster } from './rig/describe-cluster.ts';

const folders = new TemporaryFolders();
afterEach(async () => {
  await killAll();
  folders.clean();
});

/** Releases are told apart by what the spans of this shop carry. */
const RELEASE = 'service.version';

describeCluster('slipstream beside Argo Rollouts', { controllers: { 'argo-rollouts': [] } }, (cluster) => {
  const documents = async (namespace: string) => {
    const { kubernetes } = await cluster().admin();
    const { server, tokenFile, caFile } = kubernetes;
    const document = {
      ...processDocument(),
      kubernetes: { server, tokenFile, caFile },
      watches: [{ type: 'argo-rollouts', namespaces: [namespace], releaseAttribute: RELEASE }],
      sinks: [{ type: 'argo-rollouts', name: 'argo', onPromote: 'full' }],
    };
    return [document, shopDocument(undefined, { sinks: ['argo'] })];
  };
  const streams = (stable: string, canary: string, isSick: boolean): readonly Stream[] => [
    { release: stable, perSecond: 100, failEvery: 0 },
    { release: canary, perSecond: 70, failEvery: 0 },
    { release: canary, perSecond: 30, failEvery: isSick ? 1 : 0 },
  ];

  it('aborts a bad canary that it found by itself, once, and says that the stable release serves again', async () => {
    const stand = await ArgoStand.make(cluster());
    await stand.apply(rolloutYaml('shop', 'v1'));
    await stand.healthy('shop');
    const folder = folders.make();
    const running = await Running.start({ folder, config: await documents(stand.namespace) });
    const { status } = await stand.canary('shop', 'v2');
    const [canary = '', stable = ''] = [status?.currentPodHash, status?.stableRS];
    const id = `rollout~${stand.namespace}~shop~${canary}`;
    const run = await eventually(
      () => running.run(id),
      ({ rollout }) => rollout?.canaryShare === 0.25,
    );
    expect(run.rollout).toMatchObject({
      origin: 'watch',
      generation: 2,
      service: 'shop',
      baseline: { [RELEASE]: stable },
      canary: { [RELEASE]: canary },
      target: { kind: 'Rollout', fence: canary, previous: stable },
    });
    const startedAt = performance.now();
    for (let second = 0; second < 60 && (await running.run(id)).state !== 'rolled_back'; second++) {
      const now = thisSecond();
      await send(running, now - 1_000, now, streams(stable, canary, true));
      await new Promise((next) => setTimeout(next, 1_000));
    }
    const after = await stand.until(
      'shop',
      'aborted',
      (now) => now.status?.phase === 'Degraded' && (now.status.updatedReplicas ?? 0) === 0,
    );
    expect(performance.now() - startedAt).toBeLessThan(60_000);
    expect(after.status).toMatchObject({ abort: true, stableRS: stable, currentPodHash: canary });
    expect(await stand.serving('shop')).toEqual({ v1: 4 });
    const delivered = await eventually(
      async () => (await running.json('/v1/signals')) as { signals: { state: string; action: string; sink: string }[] },
      ({ signals }) => signals.some(({ state }) => state === 'confirmed'),
    );
    expect(delivered.signals).toMatchObject([{ action: 'rollback', sink: 'argo', state: 'confirmed' }]);

    // A restart of ours begins nothing anew; an attempt that somebody makes again is judged again.
    expect(await running.stop()).toEqual({ code: 0, signal: null });
    const again = await Running.start({ folder, config: await documents(stand.namespace) });
    await stand.touch('shop', 1);
    expect(await again.run(id)).toMatchObject({ state: 'rolled_back', rollout: { generation: 2 } });
    await stand.patchStatus('shop', { abort: false });
    const retried = await eventually(
      () => again.run(id),
      ({ state }) => state === 'running' || state === 'pending',
    );
    expect(retried.rollout.generation).toBe(3);
  });

  it('ends the run when somebody aborts, begins another generation when somebody retries, and goes on over a restart of the API server', async () => {
    const stand = await ArgoStand.make(cluster());
    await stand.apply(rolloutYaml('shop', 'v1'));
    await stand.healthy('shop');
    const running = await Running.start({ folder: folders.make(), config: await documents(stand.namespace) });
    const first = await stand.canary('shop', 'v2');
    const idOf = (hash: string | undefined) => `rollout~${stand.namespace}~shop~${hash}`;
    const id = idOf(first.status?.currentPodHash);
    const inFlight = ({ state }: { state?: string }) => state === 'pending' || state === 'running';
    await eventually(() => running.run(id), inFlight);
    await stand.patchStatus('shop', { abort: true });
    expect(await running.runIn('aborted', id)).toMatchObject({ verdict: { reason: 'rollout_over' }, rollout: { generation: 2 } });
    await stand.until('shop', 'aborted', ({ status }) => status?.phase === 'Degraded');
    await stand.patchStatus('shop', { abort: false });
    const retried = await eventually(() => running.run(id), inFlight);
    expect(retried.rollout.generation).toBe(3);

    await cluster().stopApiServer('crash');
    await running.log('a watch of rollouts has trouble');
    await cluster().startApiServer();
    const third = await stand.canary('shop', 'v3');
    const next = await eventually(() => running.run(idOf(third.status?.currentPodHash)), inFlight);
    expect(next.rollout.generation).toBe(4);
    expect((await running.run(id)).state).not.toBe('running');
    await stand.promoteFully('shop');
    await stand.healthy('shop', first.status?.stableRS);
    await running.runIn('aborted', idOf(third.status?.currentPodHash));
  });
});
