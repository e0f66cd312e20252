/** The whole of it: spans in, the Deployment seen by the watch, a verdict after all its pods are replaced, and the real controller puts the release before back. */
import { afterEach, expect, it } from 'vitest';
import { APPS_API, type ReplicaSet, revisionOf, rolloutStatus } from '../../src/kubernetes/deployment-object.ts';
import { processDocument, shopDocument } from '../service/config.ts';
import { eventually, killAll, Running } from '../service/running.ts';
import { send, thisSecond } from '../service/traffic.ts';
import { TemporaryFolders } from '../store/temporary-folder.ts';
import { DeploymentStand } from './deployment-stand.ts';
import { describeCluster } from './rig/describe-cluster.ts';

const folders = new TemporaryFolders();
afterEach(async () => {
  await killAll();
  folders.clean();
});

/** Releases are told apart by what the spans of this shop carry. */
const RELEASE = 'service.version';

describeCluster('slipstream beside plain Deployments', {}, (cluster) => {
  it('takes back a bad release that serves all already, against what served before it', async () => {
    const stand = await DeploymentStand.make(cluster());
    await stand.rolledOut('v1');
    const setOf = async (revision: number): Promise<string> => {
      const { items } = await cluster().must('GET', `${APPS_API}/namespaces/${stand.namespace}/replicasets`);
      return items.find((set: ReplicaSet) => revisionOf(set) === revision).metadata.name;
    };
    const { kubernetes } = await cluster().admin();
    const { server, tokenFile, caFile } = kubernetes;
    const document = {
      ...processDocument(),
      kubernetes: { server, tokenFile, caFile },
      watches: [{ type: 'deployments', namespaces: [stand.namespace], releaseAttribute: RELEASE }],
      sinks: [{ type: 'kubernetes', name: 'deployments' }],
    };
    const running = await Running.start({ folder: folders.make(), config: [document, shopDocument(undefined, { baseline: 'previous' })] });
    const before = thisSecond();
    await send(running, before - 100_000, before, [{ release: await setOf(1), perSecond: 100, failEvery: 0 }]);

    await stand.setImage('v2');
    await stand.until((deployment) => revisionOf(deployment) === 2 && rolloutStatus(deployment).isDone);
    const id = `deployment~${stand.namespace}~shop~2`;
    // The run goes on although the rollout is through: what all traffic went to can still be taken back.
    await running.log('rollout ended by the deploy system', { rollout: id, how: 'through' });
    expect(['pending', 'running']).toContain((await running.run(id)).state);
    const canary = await setOf(2);
    for (let second = 0; second < 60 && (await running.run(id)).state !== 'rolled_back'; second++) {
      const now = thisSecond();
      await send(running, now - 1_000, now, [
        { release: canary, perSecond: 70, failEvery: 0 },
        { release: canary, perSecond: 30, failEvery: 1 },
      ]);
      await new Promise((next) => setTimeout(next, 1_000));
    }
    const after = await stand.until((deployment) => revisionOf(deployment) === 3 && rolloutStatus(deployment).isDone);
    expect(after.spec?.template).toMatchObject({ spec: { containers: [{ image: 'example.test/shop:v1' }] } });
    const told = await eventually(
      async () => (await running.json('/v1/signals')) as { signals: { state: string; action: string; target: object }[] },
      ({ signals }) => signals[0]?.state === 'confirmed',
    );
    expect(told.signals).toMatchObject([{ action: 'rollback', target: { kind: 'Deployment', name: 'shop', fence: '2', previous: '1' } }]);
    // Our own way back is no release to judge.
    expect(((await running.json('/v1/rollouts')) as { total: number }).total).toBe(1);
  });
});
