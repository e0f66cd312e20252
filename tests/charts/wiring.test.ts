/** The objects of the chart find each other: Services select pods, ports have names, volumes are there, and names fit, whatever the release is called. */
import { expect, it } from 'vitest';
import { ran } from '../cli/streams.ts';
import { describeWithTools } from '../tools/describe-with-tools.ts';
import { HELM_TOOLS, helmIn } from '../tools/helm.ts';
import { type Render, renderChart, valueSets } from './helm.ts';
import { type Manifest, ofKind, titleOf, workloadsOf } from './manifests.ts';

const SETS = await valueSets();
const NAMESPACE = 'slo';

type Labels = Readonly<Record<string, string>>;

/** Containers of all pods, with the pod of `helm test`. */
function podsOf(
  manifests: readonly Manifest[],
): readonly { readonly title: string; readonly labels: Labels; readonly spec: Manifest['spec'] }[] {
  const templates = workloadsOf(manifests).map((workload) => ({ title: titleOf(workload), ...workload.spec.template }));
  const bare = ofKind(manifests, 'Pod').map((pod) => ({ title: titleOf(pod), metadata: pod.metadata, spec: pod.spec }));
  return [...templates, ...bare].map(({ title, metadata, spec }) => ({ title, labels: metadata.labels, spec }));
}

function isSelected(labels: Labels, selector: Labels): boolean {
  return Object.entries(selector).every(([key, value]) => labels[key] === value);
}

/** Everything that refers to something that is not there. */
function looseEnds(manifests: readonly Manifest[]): readonly string[] {
  const pods = podsOf(manifests);
  const loose: string[] = [];
  for (const service of ofKind(manifests, 'Service')) {
    const selected = pods.filter(({ labels }) => isSelected(labels, service.spec.selector));
    if (selected.length !== 1) loose.push(`${titleOf(service)} selects ${selected.map(({ title }) => title).join(', ') || 'nothing'}`);
    const names = selected.flatMap(({ spec }) => spec.containers[0].ports.map((port: { name: string }) => port.name));
    for (const { targetPort } of service.spec.ports)
      if (!names.includes(targetPort)) loose.push(`${titleOf(service)} sends to the port ${targetPort}`);
    if (service.spec.ports.length === 0) loose.push(`${titleOf(service)} has no port`);
  }
  for (const policy of [...ofKind(manifests, 'PodDisruptionBudget'), ...ofKind(manifests, 'NetworkPolicy')]) {
    const { matchLabels } = policy.spec.selector ?? policy.spec.podSelector;
    if (!pods.some(({ labels }) => isSelected(labels, matchLabels))) loose.push(`${titleOf(policy)} selects nothing`);
  }
  for (const scaler of ofKind(manifests, 'HorizontalPodAutoscaler')) {
    const { kind, name } = scaler.spec.scaleTargetRef;
    const target = manifests.find((manifest) => manifest.kind === kind && manifest.metadata.name === name);
    if (target === undefined) loose.push(`${titleOf(scaler)} scales nothing`);
    if (target?.spec.replicas !== undefined) loose.push(`${titleOf(scaler)} and ${titleOf(target)} both say how many`);
  }
  for (const set of ofKind(manifests, 'StatefulSet')) {
    const service = ofKind(manifests, 'Service').find(({ metadata }) => metadata.name === set.spec.serviceName);
    if (service?.spec.clusterIP !== 'None') loose.push(`${titleOf(set)} has no headless Service`);
  }
  for (const ingress of ofKind(manifests, 'Ingress')) {
    for (const { http } of ingress.spec.rules) {
      for (const { backend } of http.paths) {
        const service = ofKind(manifests, 'Service').find(({ metadata }) => metadata.name === backend.service.name);
        const ports: readonly { name: string }[] = service?.spec.ports ?? [];
        if (!ports.some(({ name }) => name === backend.service.port.name)) loose.push(`${titleOf(ingress)} leads nowhere`);
      }
    }
  }
  for (const monitor of ofKind(manifests, 'ServiceMonitor')) {
    const scraped = ofKind(manifests, 'Service').filter(({ metadata }) =>
      isSelected(metadata.labels ?? {}, monitor.spec.selector.matchLabels),
    );
    const found = scraped.flatMap((service) => pods.filter(({ labels }) => isSelected(labels, service.spec.selector)));
    if (
      found
        .map(({ title }) => title)
        .sort()
        .join() !== workloadsOf(manifests).map(titleOf).sort().join()
    ) {
      loose.push(`${titleOf(monitor)} scrapes ${found.map(({ title }) => title).join(', ')}`);
    }
  }
  return [...loose, ...pods.flatMap(({ title, spec }) => looseVolumes(title, spec))];
}

function looseVolumes(title: string, spec: Manifest['spec']): readonly string[] {
  const volumes = ((spec.volumes ?? []) as readonly { name: string }[]).map(({ name }) => name);
  const claims = title.startsWith('StatefulSet/') ? ['state'] : [];
  const mounts = (spec.containers as readonly { volumeMounts?: readonly { name: string; mountPath: string }[] }[]).flatMap(
    (container) => container.volumeMounts ?? [],
  );
  const names = mounts.map(({ name }) => name);
  const paths = mounts.map(({ mountPath }) => mountPath);
  return [
    ...names.filter((name) => ![...volumes, ...claims].includes(name)).map((name) => `${title} mounts ${name}, which is no volume`),
    ...volumes.filter((name) => !names.includes(name)).map((name) => `${title} has the volume ${name}, which nothing mounts`),
    ...volumes.filter((name, index) => volumes.indexOf(name) !== index).map((name) => `${title} has two volumes ${name}`),
    ...paths.filter((path, index) => paths.indexOf(path) !== index).map((path) => `${title} mounts two volumes at ${path}`),
  ];
}

/** Longer than Kubernetes takes, or not as it takes them. */
function badNames(manifests: readonly Manifest[]): readonly string[] {
  const bad = manifests.filter(({ kind, metadata }) => !(NAMES[kind] ?? /^[a-z0-9]([-.a-z0-9]{0,251}[a-z0-9])?$/).test(metadata.name));
  const labels = manifests.flatMap(({ metadata }) => Object.entries(metadata.labels ?? {}));
  return [...bad.map(titleOf), ...labels.filter(([, value]) => typeof value !== 'string' || value.length > 63).map(([key]) => key)];
}

/** Where a name is more than that of an object: of a DNS record, or in labels of pods, to which controllers add `-` and ten letters. */
const NAMES: Readonly<Record<string, RegExp>> = {
  Service: /^[a-z]([-a-z0-9]{0,61}[a-z0-9])?$/,
  StatefulSet: /^[a-z0-9]([-a-z0-9]{0,50}[a-z0-9])?$/,
  Deployment: /^[a-z0-9]([-a-z0-9]{0,50}[a-z0-9])?$/,
  Pod: /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/,
};

describeWithTools('the objects of the chart', [HELM_TOOLS], (directory) => {
  const rendered = (render: Render) => renderChart(helmIn(directory(HELM_TOOLS)), { namespace: NAMESPACE, ...render });

  it.each([undefined, ...SETS])('find each other with the values of %s', async (set) => {
    const manifests = await rendered(set === undefined ? {} : { set });
    expect(looseEnds(manifests)).toEqual([]);
    expect(badNames(manifests)).toEqual([]);
    const titles = manifests.map((manifest) => `${manifest.apiVersion} ${titleOf(manifest)} in ${manifest.metadata.namespace}`);
    expect(new Set(titles).size).toBe(titles.length);
  });

  it.each([
    ['of the longest name', { release: `a${'b'.repeat(51)}c` }],
    ['of the longest name, in mode: distributed', { release: `a${'b'.repeat(51)}c`, set: 'distributed-otlp' }],
    ['with a long name of its own', { values: { fullnameOverride: `x${'-y'.repeat(31)}` }, set: 'everything' }],
    ['of a name that ends in a dash where it is cut', { release: `a${'-b'.repeat(26)}`, set: 'distributed' }],
    ...['on', 'no', 'y', 'null', 'true', 'x10'].map((release) => [`called ${release}`, { release }] as const),
  ] satisfies readonly (readonly [string, Render])[])('find each other in a release %s', async (_, render) => {
    const manifests = await rendered(render);
    expect(looseEnds(manifests)).toEqual([]);
    expect(badNames(manifests)).toEqual([]);
  });

  it('call the program with commands and options that it has', async () => {
    const pods = (await Promise.all(SETS.map((set) => rendered({ set })))).flatMap(podsOf);
    const calls = new Map<string, Set<string>>();
    for (const { spec } of pods) {
      const [command, ...rest] = spec.containers[0].args as readonly [string, ...string[]];
      calls.set(command, new Set([...(calls.get(command) ?? []), ...rest.filter((argument) => argument.startsWith('--'))]));
    }
    expect([...calls.keys()].sort()).toEqual(['health', 'serve']);
    for (const [command, options] of calls) {
      const { stdout } = await ran([command, '--help']);
      for (const option of options) expect(stdout).toMatch(new RegExp(`${option}\\b`));
    }
  });

  it('are all in one namespace, but those that others look for elsewhere', async () => {
    const manifests = await rendered({ set: 'everything' });
    const elsewhere = manifests
      .filter(({ metadata }) => metadata.namespace !== undefined && metadata.namespace !== 'observability')
      .map(titleOf);
    expect(new Set(elsewhere.map((title) => title.split('/')[0]))).toEqual(new Set(['Role', 'RoleBinding', 'ConfigMap', 'MetricTemplate']));
  });

  it('carry the labels that are asked for, and selectors none of them', async () => {
    const manifests = await rendered({ set: 'everything' });
    const own = manifests.filter(({ metadata }) => metadata.labels?.['helm.sh/chart'] !== undefined);
    expect(own.length).toBeGreaterThan(15);
    expect(own.filter(({ metadata }) => metadata.labels?.team !== 'platform').map(titleOf)).toEqual([]);
    expect(own.filter(({ metadata }) => metadata.annotations?.['example.com/owner'] !== 'platform').map(titleOf)).toEqual([]);
    for (const { spec } of workloadsOf(manifests)) {
      expect(Object.keys(spec.selector.matchLabels).sort()).toEqual([
        'app.kubernetes.io/component',
        'app.kubernetes.io/instance',
        'app.kubernetes.io/name',
      ]);
    }
  });

  it('are the same at each rendering, where no token is made', async () => {
    const first = await rendered({ set: 'everything' });
    expect(await rendered({ set: 'everything' })).toEqual(first);
  });

  it('hold no secret but the token that the chart made', async () => {
    for (const set of SETS) {
      const secrets = ofKind(await rendered({ set }), 'Secret');
      expect(
        secrets.filter(({ metadata, data }) => !metadata.name.endsWith('-api-token') || Object.keys(data).join() !== 'token').map(titleOf),
      ).toEqual([]);
    }
  });

  it('run as nobody, write nothing but state, and may do nothing', async () => {
    const pods = (await Promise.all(SETS.map((set) => rendered({ set })))).flatMap(podsOf);
    expect(pods.length).toBeGreaterThan(SETS.length);
    for (const { spec } of pods) {
      expect(spec.securityContext).toMatchObject({ runAsNonRoot: true, runAsUser: 65532, seccompProfile: { type: 'RuntimeDefault' } });
      const [container] = spec.containers;
      expect(container.securityContext).toMatchObject({
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
        capabilities: { drop: ['ALL'] },
      });
      expect(container.resources.requests.memory).toBe(container.resources.limits.memory);
      expect(container.resources.limits.cpu).toBeUndefined();
      for (const field of ['hostNetwork', 'hostPID', 'hostIPC']) expect(spec[field]).toBeUndefined();
    }
  });
});
