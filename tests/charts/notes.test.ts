/** What `helm install` prints: what runs, where spans go, what is open; the truth for each set of values. */
import { expect, it } from 'vitest';
import { describeWithTools } from '../tools/describe-with-tools.ts';
import { HELM_TOOLS, helmIn } from '../tools/helm.ts';
import { notesOf, type Render, renderChart, valueSets } from './helm.ts';
import { ofKind, workloadsOf } from './manifests.ts';

const SETS = await valueSets();

describeWithTools('the notes of helm install', [HELM_TOOLS], (directory) => {
  const notes = (render: Render) => notesOf(helmIn(directory(HELM_TOOLS)), render);

  it.each([undefined, ...SETS])('name workloads, Services and ports that are there with the values of %s', async (set) => {
    const render = set === undefined ? {} : { set };
    const text = await notes(render);
    expect(text).not.toMatch(/<no value>|<nil>|%!|map\[/);
    const manifests = await renderChart(helmIn(directory(HELM_TOOLS)), render);
    const workloads = workloadsOf(manifests).map(({ kind, metadata }) => `${kind.toLowerCase()}/${metadata.name}`);
    const named = text.match(/(?:statefulset|deployment)\/[a-z0-9-]+/g) ?? [];
    expect(new Set(named)).toEqual(new Set(workloads));
    const services = ofKind(manifests, 'Service').flatMap(({ metadata, spec }) =>
      spec.ports.map(({ port }: { port: number }) => `${metadata.name}.${metadata.namespace}.svc:${port}`),
    );
    const addresses = text.match(/[a-z0-9-]+\.[a-z0-9-]+\.svc:\d+/g) ?? [];
    expect(addresses.length).toBeGreaterThan(0);
    expect(addresses.filter((address) => !services.includes(address))).toEqual([]);
  });

  it.each([
    ['that strangers may send spans', {}, 'may send spans'],
    ['that a token travels in the clear', { auth: { otlp: { existingSecret: 'a' } } }, 'The token of senders travels in the clear'],
    ['that nothing is kept', { persistence: { enabled: false } }, 'a restart forgets error budgets'],
    ['that GitOps tools make a new token each time', {}, 'name a Secret in auth.api.existingSecret'],
    ['that rights hold everywhere', { config: { sinks: [{ type: 'kubernetes', name: 'a' }] } }, 'set rbac.namespaces'],
    [
      'that the API server is out of reach',
      {
        config: { sinks: [{ type: 'argo-rollouts', name: 'argo' }] },
        networkPolicy: { enabled: true, egress: [{ ports: [{ protocol: 'TCP', port: 9092 }] }] },
      },
      'networkPolicy.egress lets nobody out to the API server',
    ],
    ['that strangers may read the API', { service: { type: 'LoadBalancer' } }, 'service.type: LoadBalancer opens the API as well'],
    ['that nothing rolls back yet', {}, 'Signals go nowhere yet'],
    ['that there are no objectives yet', {}, 'No objectives yet'],
  ])('warn %s', async (_, values, words) => {
    expect(await notes({ values })).toContain(words);
  });

  it.each([
    ['by its port', [{ ports: [{ protocol: 'TCP', port: 6443 }] }]],
    ['as everything is', [{ to: [{ ipBlock: { cidr: '10.0.0.0/8' } }] }]],
  ])('are silent about the API server where it is reached %s', async (_, egress) => {
    const values = { config: { sinks: [{ type: 'argo-rollouts', name: 'argo' }] }, networkPolicy: { enabled: true, egress } };
    expect(await notes({ values })).not.toContain('API server');
  });

  it('warn of nothing where nothing is open', async () => {
    const values = {
      sloConfigMaps: ['objectives'],
      auth: { api: { existingSecret: 'a' }, otlp: { existingSecret: 'b' } },
      tls: { otlp: { secretName: 'c' }, api: { secretName: 'd' } },
      rbac: { namespaces: ['shop'] },
      config: { watches: [{ type: 'argo-rollouts', namespaces: ['shop'] }], sinks: [{ type: 'argo-rollouts', name: 'argo' }] },
      serviceMonitor: { enabled: true },
    };
    const text = await notes({ values });
    expect(text).not.toContain('LOOK AT');
    expect(text).not.toContain('NEXT');
  });
});
