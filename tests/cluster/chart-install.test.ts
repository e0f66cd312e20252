/** The chart's life in a cluster whose pods run the real image: installed, tested, changed, taken back, removed, installed again. */
import { expect, it } from 'vitest';
import { BASELINE, SERVICE, shopDocument } from '../service/config.ts';
import { thisSecond } from '../service/traffic.ts';
import { HELM_TOOLS } from '../tools/helm.ts';
import { describePods } from './rig/pods/describe-pods.ts';
import { HelmRelease } from './rig/pods/release.ts';

const PER_SECOND = 20;
const TRAFFIC = [{ release: BASELINE, perSecond: PER_SECOND, failEvery: 10 }];

const values = ({ availability = '99%', checkpointInterval = '1s' } = {}) => ({
  slos: { 'shop.yaml': shopDocument([{ availability }]) },
  config: {
    spans: { releaseBy: ['service.version'] },
    state: { checkpointInterval },
    sinks: [{ type: 'print', name: 'print' }],
  },
});

interface Status {
  readonly policyRevision: string;
  readonly services: readonly {
    readonly service: string;
    readonly objectives: readonly { readonly judgement: { readonly evidence: { readonly valid: number } } }[];
  }[];
}

describePods('the chart', { tools: [HELM_TOOLS] }, (pods, directory) => {
  it('is installed without a warning, tested, changed with nothing forgotten, taken back, and leaves its volume', async () => {
    const { cluster, kubelet, until } = pods();
    const release = await HelmRelease.prepare(pods(), directory);
    const name = `${release.fullName}-0`;
    const status = async () => (await release.json('/v1/status?window=1h')) as Status;
    /** Requests behind the error budget. */
    const counted = async () => {
      const found = (await status()).services.find(({ service }) => service === SERVICE);
      return found?.objectives[0]?.judgement.evidence.valid ?? 0;
    };
    const pod = () => kubelet.pod(release.namespace, name).pod.metadata.uid;

    const installed = await release.install(values());
    // The server's warnings would be there: of fields that it does not know, or that are going away.
    expect(installed.stderr).toBe('');
    expect(installed.stdout).toContain('STATUS: deployed');
    expect((await release.helm('test', release.name)).stdout).toMatch(/Phase:\s+Succeeded/);

    const before = thisSecond() - 30_000;
    expect(await release.send(before, before + 20_000, TRAFFIC)).toBe(true);
    await until('the spans are counted', async () => (await counted()) === 20 * PER_SECOND);

    // Another objective: the same process takes it up.
    const [first, { policyRevision }] = [pod(), await status()];
    expect((await release.upgrade(values({ availability: '95%' }))).stderr).toBe('');
    await until('the new objective is in use', async () => (await status()).policyRevision !== policyRevision);
    expect(pod()).toBe(first);
    expect(await counted()).toBe(20 * PER_SECOND);

    // Another configuration: another pod, while spans come. What was acknowledged counts, what was not is sent again, as senders do.
    let isOver = false;
    let sent = 20;
    const sender = (async () => {
      for (let at = before + 20_000; !isOver || sent < 23; at += 1_000) {
        while (!(await release.send(at, at + 1_000, TRAFFIC).catch(() => false))) await new Promise((again) => setTimeout(again, 50));
        sent += 1;
        // Event time must not overtake the clock.
        await new Promise((next) => setTimeout(next, Math.max(0, at + 2_000 - Date.now())));
      }
    })();
    const changed = await release.upgrade(values({ availability: '95%', checkpointInterval: '2s' })).finally(() => {
      isOver = true;
    });
    await sender;
    expect(changed.stderr).toBe('');
    expect(pod()).not.toBe(first);
    // It was asked to end and did so in its time, with everything saved.
    expect(await kubelet.log(release.namespace, name)).toContain('"msg":"stopped"');
    await until(`all of ${sent * PER_SECOND} are counted once`, async () => (await counted()) === sent * PER_SECOND);

    expect((await release.helm('rollback', release.name, '1', '--wait')).stderr).toBe('');
    await until('the first objective is in use', async () => (await status()).policyRevision === policyRevision);
    expect(await counted()).toBe(sent * PER_SECOND);

    // A crash costs what came since the last checkpoint, and that is long ago.
    kubelet.pod(release.namespace, name).process.kill('SIGKILL');
    await until('it is started again', async () => {
      const { ready, restartCount } = (await cluster.must('GET', `${release.root}/pods/${name}`)).status.containerStatuses[0];
      return ready && restartCount === 1;
    });
    expect(await counted()).toBe(sent * PER_SECOND);

    const [{ data: token }, claims] = [
      await cluster.must('GET', `${release.root}/secrets/${release.fullName}-api-token`),
      'persistentvolumeclaims',
    ];
    await release.helm('uninstall', release.name, '--wait');
    const left = async (kind: string): Promise<readonly string[]> => {
      const { items } = await cluster.must('GET', `${release.root}/${kind}?labelSelector=app.kubernetes.io/instance=${release.name}`);
      return items.map(({ metadata }: { metadata: { name: string } }) => metadata.name);
    };
    // Helm leaves what its tests made.
    await until('its pod is gone', async () => (await left('pods')).every((each) => each.endsWith('-test-health')));
    for (const kind of ['services', 'secrets', 'serviceaccounts', 'configmaps']) expect(await left(kind)).toEqual([]);
    expect((await cluster.must('GET', `${release.root}/${claims}`)).items).toHaveLength(1);

    await release.install(values());
    expect(await counted()).toBe(sent * PER_SECOND);
    expect((await cluster.must('GET', `${release.root}/secrets/${release.fullName}-api-token`)).data).not.toEqual(token);
  });
});
