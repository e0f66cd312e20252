/** How pods of the chart are reached: by senders, by members, by people who run a command in them; and what asking costs. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { describeWithTools } from '../tools/describe-with-tools.ts';
import { HELM_TOOLS, helmIn } from '../tools/helm.ts';
import { type Render, renderChart } from './helm.ts';
import { objectOf, ofKind, workloadsOf } from './manifests.ts';

const MAIN = join(import.meta.dirname, '../../src/main.ts');

describeWithTools('pods of the chart', [HELM_TOOLS], (directory) => {
  const rendered = (render: Render) => renderChart(helmIn(directory(HELM_TOOLS)), render);
  const commandUrl = async (render: Render): Promise<Readonly<Record<string, string>>> => {
    const [workload] = workloadsOf(await rendered(render));
    const variables: readonly { name: string; value?: string }[] = workload?.spec.template.spec.containers[0].env;
    return Object.fromEntries(variables.filter(({ name }) => name.startsWith('SLIPSTREAM_')).map(({ name, value }) => [name, value ?? '']));
  };

  it('that are the only one are reached while their state cannot be written, since nobody else counts and answers', async () => {
    const { spec } = objectOf(await rendered({ set: 'single', release: 'slipstream' }), 'Service', 'slipstream');
    expect(spec.publishNotReadyAddresses).toBe(true);
  });

  it('that are one of several are reached only while they are ready, but by other members', async () => {
    const services = ofKind(await rendered({ set: 'distributed', release: 'slipstream' }), 'Service');
    const unready = services.filter(({ spec }) => spec.publishNotReadyAddresses === true).map(({ metadata }) => metadata.name);
    expect(unready).toEqual(['slipstream-evaluate-headless']);
  });

  it('that answer for all services are reached from every node, whatever is said of the Service that takes spans', async () => {
    const values = { service: { type: 'LoadBalancer', internalTrafficPolicy: 'Local', annotations: { 'example.com/name': 'spans' } } };
    const services = ofKind(await rendered({ set: 'distributed', values, release: 'slipstream' }), 'Service');
    const [api, spans] = ['slipstream', 'slipstream-ingest'].map((name) => objectOf(services, 'Service', name));
    expect(api?.spec).toMatchObject({ type: 'ClusterIP', internalTrafficPolicy: 'Cluster' });
    expect(api?.metadata.annotations).toBeUndefined();
    expect(spans?.spec).toMatchObject({ type: 'LoadBalancer', internalTrafficPolicy: 'Local' });
    expect(spans?.metadata.annotations).toEqual({ 'example.com/name': 'spans' });
  });

  it('that count are as many as their own container needs, whatever runs beside it', async () => {
    const values = { extraContainers: [{ name: 'beside', image: 'example.com/beside:1' }] };
    const manifests = await rendered({ set: 'distributed', values, release: 'slipstream' });
    const [metric, ...others] = objectOf(manifests, 'HorizontalPodAutoscaler', 'slipstream-ingest').spec.metrics;
    expect(others).toEqual([]);
    const target = { type: 'Utilization', averageUtilization: 60 };
    expect(metric).toEqual({ type: 'ContainerResource', containerResource: { name: 'cpu', container: 'slipstream', target } });
    const [own] = objectOf(manifests, 'Deployment', 'slipstream-ingest').spec.template.spec.containers;
    expect(own).toMatchObject({ name: 'slipstream', resources: { requests: { cpu: expect.anything() } } });
  });

  it.each([
    ['at the usual port', {}, {}],
    ['at another port', { config: { api: { port: 9090 } } }, { SLIPSTREAM_URL: 'http://127.0.0.1:9090' }],
    [
      'by TLS of the chart',
      { tls: { api: { secretName: 'a' } } },
      { SLIPSTREAM_URL: 'https://demo-slipstream.slo.svc:8080', SLIPSTREAM_CA_FILE: '/etc/slipstream/tls/api/ca.crt' },
    ],
    [
      'by TLS of its own',
      { config: { api: { tls: { certFile: '/a/crt', keyFile: '/a/key', caFile: '/a/ca' } } } },
      { SLIPSTREAM_URL: 'https://demo-slipstream.slo.svc:8080', SLIPSTREAM_CA_FILE: '/a/ca' },
    ],
  ])('tell commands that people run in them where the API is %s', async (_, values, told) => {
    expect(await commandUrl({ values })).toEqual(told);
  });

  it('of helm test may take more memory than asking takes', async () => {
    // What a process took at most is in its own books only.
    const told = 'process.on("exit", () => process.stderr.write(String(process.resourceUsage().maxRSS)))';
    const hook = `data:text/javascript,${encodeURIComponent(told)}`;
    const address = '127.0.0.1:1';
    const command = ['--max-semi-space-size=4', '--import', hook, MAIN, 'health', '--url', `http://${address}`, '--otlp-grpc', address];
    const { stderr } = spawnSync(process.execPath, command, { encoding: 'utf8' });
    const takenKib = Number(/\d+$/.exec(stderr)?.[0]);
    const pod = ofKind(await rendered({}), 'Pod')[0];
    expect(pod?.spec.containers[0].resources.limits.memory).toBe('256Mi');
    expect(takenKib).toBeGreaterThan(20 * 1024);
    expect(takenKib).toBeLessThan(256 * 1024);
  });
});
