/** What an installed pod may do in the cluster with its own account: enough to take a bad release back, and nothing else. */
import { expect, it } from 'vitest';
import type { ExplainedRunWire } from '../../src/api/schemas.ts';
import { APPS_API, type ReplicaSet, revisionOf, rolloutStatus } from '../../src/kubernetes/deployment-object.ts';
import { shopDocument } from '../service/config.ts';
import { type Stream, thisSecond } from '../service/traffic.ts';
import { HELM_TOOLS } from '../tools/helm.ts';
import { ArgoStand, rolloutYaml } from './argo-rollouts.ts';
import { DeploymentStand } from './deployment-stand.ts';
import { describePods, type Pods } from './rig/pods/describe-pods.ts';
import { HelmRelease } from './rig/pods/release.ts';

interface Rule {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly resourceNames?: readonly string[];
  readonly verbs: readonly string[];
}

/** Asks the server, with the account of the process that runs it, what that may do in a namespace. */
const ASK = `
  const { readFileSync } = require('node:fs');
  const folder = '/var/run/secrets/kubernetes.io/serviceaccount';
  const body = JSON.stringify({ apiVersion: 'authorization.k8s.io/v1', kind: 'SelfSubjectRulesReview', spec: { namespace: process.argv[1] } });
  const headers = { authorization: 'Bearer ' + readFileSync(folder + '/token', 'utf8'), 'content-type': 'application/json', 'content-length': body.length };
  const options = { host: 'kubernetes.default.svc', method: 'POST', path: '/apis/authorization.k8s.io/v1/selfsubjectrulesreviews', headers, ca: readFileSync(folder + '/ca.crt') };
  require('node:https').request(options, (response) => response.pipe(process.stdout)).end(body);
`;

/** Without what every account may do: to ask what it may do. */
async function rulesIn(pods: Pods, release: HelmRelease, namespace: string): Promise<readonly string[]> {
  const { process } = pods.kubelet.pod(release.namespace, `${release.fullName}-0`);
  const answer = JSON.parse(await process.exec(['node', '-e', ASK, namespace], 20_000)) as { status: { resourceRules: readonly Rule[] } };
  return answer.status.resourceRules
    .filter(({ apiGroups }) => !['authorization.k8s.io', 'authentication.k8s.io'].includes(apiGroups[0] ?? ''))
    .flatMap(({ apiGroups, resources, resourceNames = [], verbs }) =>
      resources.map((resource) => [apiGroups.join(), resource, ...resourceNames, [...verbs].sort().join()].join(' ')),
    )
    .sort();
}

/** Sends what happens as it happens until the run has been rolled back, for 45 s at most. */
async function sendUntil(release: HelmRelease, id: string, streams: readonly Stream[]): Promise<void> {
  const state = async () => ((await release.json(`/v1/rollouts/${id}`).catch(() => ({ state: 'unknown' }))) as ExplainedRunWire).state;
  for (let second = 0; second < 45 && (await state()) !== 'rolled_back'; second++) {
    const now = thisSecond();
    await release.send(now - 1_000, now, streams);
    await new Promise((next) => setTimeout(next, 1_000));
  }
}

describePods('pods of the chart', { tools: [HELM_TOOLS], controllers: { 'argo-rollouts': [] } }, (pods, directory) => {
  it('take a bad release of a Deployment back, with the rights for that and no others', async () => {
    const { cluster } = pods();
    const stand = await DeploymentStand.make(cluster);
    await stand.rolledOut('v1');
    const release = await HelmRelease.prepare(pods(), directory);
    const { stderr } = await release.install({
      slos: { 'shop.yaml': shopDocument(undefined, { baseline: 'previous' }) },
      config: {
        spans: { releaseBy: ['service.version'] },
        watches: [{ type: 'deployments', namespaces: [stand.namespace], releaseAttribute: 'service.version' }],
        sinks: [{ type: 'kubernetes', name: 'deployments' }],
        kubernetes: { lease: { namespace: release.namespace } },
      },
    });
    expect(stderr).toBe('');

    expect(await rulesIn(pods(), release, stand.namespace)).toEqual([
      'apps deployments get,list,patch,watch',
      'apps replicasets list,watch',
      'events.k8s.io events create',
    ]);
    const { items } = await cluster.must('GET', `/apis/coordination.k8s.io/v1/namespaces/${release.namespace}/leases`);
    const [lease] = items.map(({ metadata }: { metadata: { name: string } }) => metadata.name);
    expect(await rulesIn(pods(), release, release.namespace)).toEqual([
      'coordination.k8s.io leases create',
      `coordination.k8s.io leases ${lease} get,update`,
    ]);
    expect(await rulesIn(pods(), release, 'kube-system')).toEqual([]);

    const setOf = async (revision: number): Promise<string> => {
      const sets = await cluster.must('GET', `${APPS_API}/namespaces/${stand.namespace}/replicasets`);
      return sets.items.find((set: ReplicaSet) => revisionOf(set) === revision).metadata.name;
    };
    const before = thisSecond();
    expect(await release.send(before - 60_000, before, [{ release: await setOf(1), perSecond: 100, failEvery: 0 }])).toBe(true);
    await stand.setImage('v2');
    await stand.until((deployment) => revisionOf(deployment) === 2 && rolloutStatus(deployment).isDone);
    const canary = await setOf(2);
    const id = `deployment~${stand.namespace}~shop~2`;
    await sendUntil(release, id, [
      { release: canary, perSecond: 70, failEvery: 0 },
      { release: canary, perSecond: 30, failEvery: 1 },
    ]);
    const after = await stand.until((deployment) => revisionOf(deployment) === 3 && rolloutStatus(deployment).isDone);
    expect(after.spec?.template).toMatchObject({ spec: { containers: [{ image: 'example.test/shop:v1' }] } });
    expect(await stand.events()).not.toEqual([]);
  });

  it('abort a bad canary of a Rollout, with the rights to see it and to patch its status', async () => {
    const { cluster, until } = pods();
    const stand = await ArgoStand.make(cluster);
    await stand.apply(rolloutYaml('shop', 'v1'));
    await stand.healthy('shop');
    const release = await HelmRelease.prepare(pods(), directory);
    const { stderr } = await release.install({
      slos: { 'shop.yaml': shopDocument(undefined, { sinks: ['argo'] }) },
      config: {
        spans: { releaseBy: ['service.version'] },
        watches: [{ type: 'argo-rollouts', namespaces: [stand.namespace], releaseAttribute: 'service.version' }],
        sinks: [{ type: 'argo-rollouts', name: 'argo', onBadAfterPromotion: 'nothing' }],
      },
      argoRollouts: { clusterAnalysisTemplates: { enabled: true } },
    });
    // The templates are what their definition says, too.
    expect(stderr).toBe('');
    expect(await rulesIn(pods(), release, stand.namespace)).toEqual([
      'apps replicasets list',
      'argoproj.io rollouts get,list,watch',
      'argoproj.io rollouts/status patch',
      'events.k8s.io events create',
    ]);
    expect(await rulesIn(pods(), release, release.namespace)).toEqual([]);

    const { status } = await stand.canary('shop', 'v2');
    const [canary = '', stable = ''] = [status?.currentPodHash, status?.stableRS];
    const id = `rollout~${stand.namespace}~shop~${canary}`;
    await until('the canary is judged', async () => (await release.ask('http', `/v1/rollouts/${id}`)).ok);
    await sendUntil(release, id, [
      { release: stable, perSecond: 100, failEvery: 0 },
      { release: canary, perSecond: 70, failEvery: 0 },
      { release: canary, perSecond: 30, failEvery: 1 },
    ]);
    const after = await stand.until('shop', 'aborted', (now) => now.status?.abort === true && now.status.phase === 'Degraded');
    expect(after.status).toMatchObject({ stableRS: stable, currentPodHash: canary });
  });

  it('have no token where nothing needs one', async () => {
    const release = await HelmRelease.prepare(pods(), directory);
    await release.install({ persistence: { enabled: false } });
    const { process } = pods().kubelet.pod(release.namespace, `${release.fullName}-0`);
    const list = "console.log(require('node:fs').existsSync('/var/run/secrets'), process.getuid())";
    expect(await process.exec(['node', '-e', list], 20_000)).toBe('false 65532\n');
  });
});
