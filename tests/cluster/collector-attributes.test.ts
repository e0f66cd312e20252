/** Spans that say nothing of their release get it from a Collector that sees the pods: real labels and owners, with the rights that are shown, judged as the watch's run. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, expect, it } from 'vitest';
import { CONFIGURATIONS, Collector } from '../collector/rig/collector.ts';
import { Sender } from '../collector/rig/sender.ts';
import { processDocument, shopDocument } from '../service/config.ts';
import { eventually, killAll, Running } from '../service/running.ts';
import { TemporaryFolders } from '../store/temporary-folder.ts';
import { COLLECTOR_TOOLS, collectorIn } from '../tools/collector.ts';
import { DeploymentStand } from './deployment-stand.ts';
import type { Cluster } from './rig/cluster.ts';
import { describeCluster } from './rig/describe-cluster.ts';

const folders = new TemporaryFolders();
afterEach(async () => {
  await killAll();
  folders.clean();
});

const ACCOUNT = { namespace: 'slipstream', name: 'slipstream-collector' };
const USER = `system:serviceaccount:${ACCOUNT.namespace}:${ACCOUNT.name}`;
const SERVICE = 'shop';

/** Of the account, with what `kubernetes-account.yaml` binds to it, or with nothing. */
async function kubeconfig(cluster: Cluster, isBound: boolean): Promise<string> {
  await cluster.apply(JSON.stringify({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: ACCOUNT.namespace } }));
  const manifests = isBound ? await readFile(join(CONFIGURATIONS, 'kubernetes-account.yaml'), 'utf8') : '';
  const { token } = await cluster.account(ACCOUNT.namespace, isBound ? ACCOUNT.name : 'nobody', manifests);
  const file = join(folders.make(), 'kubeconfig');
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'test', cluster: { server: cluster.url, 'certificate-authority': cluster.caFile } }],
    users: [{ name: 'collector', user: { token } }],
    contexts: [{ name: 'test', context: { cluster: 'test', user: 'collector' } }],
    'current-context': 'test',
  };
  await writeFile(file, JSON.stringify(config), { mode: 0o600 });
  return file;
}

/** Gives each pod of the namespace that has none an address of loopback, as its network would; returns them by image. */
async function addressed(cluster: Cluster, namespace: string, third: number): Promise<ReadonlyMap<string, string>> {
  const { items } = await cluster.must('GET', `/api/v1/namespaces/${namespace}/pods`);
  const addresses = new Map<string, string>();
  for (const [index, { metadata, spec }] of items.entries()) {
    const ip = `127.0.${third}.${index + 1}`;
    const status = { status: { podIP: ip, podIPs: [{ ip }] } };
    const path = `/api/v1/namespaces/${namespace}/pods/${metadata.name}/status`;
    await cluster.must('PATCH', path, status, 'application/strategic-merge-patch+json');
    addresses.set(spec.containers[0].image, ip);
  }
  return addresses;
}

describeCluster('a Collector in a cluster', { tools: [COLLECTOR_TOOLS] }, (cluster, directory) => {
  const options = async (isBound: boolean, slipstream: string) => {
    const env = { KUBECONFIG: await kubeconfig(cluster(), isBound), KUBERNETES_AUTH: 'kubeConfig', SLIPSTREAM_GRPC: slipstream };
    return { otelcol: collectorIn(directory(COLLECTOR_TOOLS)), configuration: 'kubernetes', env };
  };
  const collector = async (slipstream: string) => Collector.start(await options(true, slipstream));
  const pod = (collector: Collector, from: string, attributes: object = {}) =>
    new Sender({ address: collector.http, protocol: 'http', from, attributes: { 'service.name': SERVICE, ...attributes } });
  /** What releases are told by, once as many requests are counted. */
  const releases = async (running: Running, requests: number) => {
    const { services } = await eventually(
      () => running.state(),
      (state) => (state.services[0]?.endpoints ?? []).reduce((sum, each) => sum + each.requests, 0) >= requests,
    );
    return services[0]?.endpoints.map(({ releaseAttributes }) => releaseAttributes);
  };

  it('kubernetes.yaml: pods of a Deployment make the releases of the run that the watch began', async () => {
    const stand = await DeploymentStand.make(cluster());
    await stand.rolledOut('v1');
    const { server, tokenFile, caFile } = (await cluster().admin()).kubernetes;
    const document = {
      ...processDocument(),
      spans: {},
      kubernetes: { server, tokenFile, caFile },
      watches: [{ type: 'deployments', namespaces: [stand.namespace] }],
    };
    const running = await Running.start({ folder: folders.make(), config: [document, shopDocument()] });
    await using between = await collector(new URL(running.grpc).host);
    // Its pods never get ready, so the rollout goes on.
    await stand.setImage('v2-stuck');
    const id = `deployment~${stand.namespace}~${stand.name}~2`;
    const begun = await eventually(
      () => running.run(id),
      ({ state }) => state === 'pending' || state === 'running',
    );
    const addresses = await addressed(cluster(), stand.namespace, 1);
    const [old, young] = ['v1', 'v2-stuck'].map((tag) => addresses.get(`example.test/${stand.name}:${tag}`) ?? '');
    expect(addresses.size).toBe(2);
    await using baseline = pod(between, old ?? '');
    await using canary = pod(between, young ?? '');
    // The watch of the Collector hears of the addresses a moment later than the server does, and a second is judged once later ones are heard.
    await eventually(
      async () => {
        await Promise.all([baseline.serve(20), canary.serve(30)]);
        return running.run(id);
      },
      ({ canaryRequests, baselineRequests }) => canaryRequests >= 300 && baselineRequests >= 200,
    );
    const { baseline: was, canary: is } = begun.rollout;
    const told = await releases(running, 500);
    for (const side of [was, is]) {
      expect(told).toContainEqual({ ...side, 'k8s.deployment.name': stand.name });
      expect(Object.keys(side)).toEqual(['k8s.replicaset.name']);
    }
  });

  it('labels and annotations name the release, and what the application says itself stays', async () => {
    const namespace = await cluster().namespace();
    const labelled = (name: string, labels: object, annotations: object = {}) => {
      const spec = { containers: [{ name: 'main', image: `example.test/${name}:1` }] };
      return cluster().apply(JSON.stringify({ apiVersion: 'v1', kind: 'Pod', metadata: { name, labels, annotations }, spec }), namespace);
    };
    await labelled('argo', { 'rollouts-pod-template-hash': '6c45f8d6f6', 'app.kubernetes.io/version': '2.0.0' });
    await labelled('noted', { 'app.kubernetes.io/version': '2.0.0' }, { 'resource.opentelemetry.io/service.version': '3.0.0' });
    const addresses = await addressed(cluster(), namespace, 2);
    const running = await Running.start({ folder: folders.make(), config: [{ ...processDocument(), spans: {} }, shopDocument()] });
    // It knows all pods before it takes a span.
    await using between = await collector(new URL(running.grpc).host);
    const [argo, noted] = ['argo', 'noted'].map((name) => addresses.get(`example.test/${name}:1`) ?? '');
    await using silent = pod(between, argo ?? '');
    await using telling = pod(between, argo ?? '', { 'service.version': '1.9.9' });
    await using annotated = pod(between, noted ?? '');
    await using stranger = pod(between, '127.0.9.9');
    for (const sender of [silent, telling, annotated, stranger]) await sender.serve(10);
    const told = await releases(running, 40);
    const hash = { 'k8s.pod.label.rollouts-pod-template-hash': '6c45f8d6f6' };
    expect(told).toHaveLength(4);
    expect(told).toContainEqual({ 'service.version': '2.0.0', ...hash });
    expect(told).toContainEqual({ 'service.version': '1.9.9', ...hash });
    expect(told).toContainEqual({ 'service.version': '3.0.0' });
    expect(told).toContainEqual({});
  });

  it('its account sees pods and ReplicaSets and may do nothing else', async () => {
    await kubeconfig(cluster(), true);
    const may = async (verb: string, group: string, resource: string) => {
      const review = {
        apiVersion: 'authorization.k8s.io/v1',
        kind: 'SubjectAccessReview',
        spec: { user: USER, groups: ['system:serviceaccounts'], resourceAttributes: { verb, group, resource } },
      };
      return (await cluster().must('POST', '/apis/authorization.k8s.io/v1/subjectaccessreviews', review)).status.allowed as boolean;
    };
    const granted: string[] = [];
    for (const [group, resource] of [
      ['', 'pods'],
      ['apps', 'replicasets'],
      ['apps', 'deployments'],
      ['', 'secrets'],
      ['', 'configmaps'],
      ['', 'nodes'],
    ] as const) {
      for (const verb of ['get', 'list', 'watch', 'create', 'update', 'patch', 'delete']) {
        if (await may(verb, group, resource)) granted.push(`${verb} ${resource}`);
      }
    }
    expect(granted).toEqual(['pods', 'replicasets'].flatMap((resource) => ['get', 'list', 'watch'].map((verb) => `${verb} ${resource}`)));
  });

  it('without its rights it takes no spans, rather than passing them on without a release', async () => {
    await using between = await Collector.launch(await options(false, '127.0.0.1:1'));
    await eventually(
      () => between.log(),
      (log) => log.split('pods is forbidden').length > 2,
    );
    expect(await between.takesSpans()).toBe(false);
  });
});
