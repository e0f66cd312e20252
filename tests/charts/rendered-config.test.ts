/** What the chart writes into the ConfigMap of the process file is what the process itself takes, with every set of values. */
import { expect, it } from 'vitest';
import type { Config } from '../../src/config/config.ts';
import { loadConfig } from '../../src/config/load-config.ts';
import { renderProblems } from '../../src/config/problem.ts';
import { describeWithTools } from '../tools/describe-with-tools.ts';
import { HELM_TOOLS, helmIn } from '../tools/helm.ts';
import { type Render, renderChart, valueSets } from './helm.ts';
import { workloadsOf } from './manifests.ts';
import { podFiles } from './pod-files.ts';

const SETS = await valueSets();

describeWithTools('the process file of the chart', [HELM_TOOLS], (directory) => {
  /** What each workload's pods would load. */
  const configsOf = async (render: Render): Promise<readonly Config[]> => {
    const manifests = await renderChart(helmIn(directory(HELM_TOOLS)), render);
    return workloadsOf(manifests).map((workload) => {
      const result = loadConfig(podFiles(manifests, workload), {}, Date.UTC(2026, 10, 1));
      if ('problems' in result) throw new Error(renderProblems(result.problems));
      return result.config;
    });
  };

  it.each([undefined, ...SETS])('is taken with the values of %s', async (set) => {
    const configs = await configsOf(set === undefined ? {} : { set });
    expect(configs.length).toBeGreaterThan(0);
    for (const config of configs) {
      const hosts = [config.receivers.otlpGrpc?.host, config.receivers.otlpHttp?.host, config.api.host];
      expect(hosts).toEqual(['0.0.0.0', '0.0.0.0', '0.0.0.0']);
    }
  });

  it('keeps state in the volume, asks for the token that the chart made, and takes spans of the cluster', async () => {
    const [config] = await configsOf({});
    expect(config).toMatchObject({
      state: { directory: '/var/lib/slipstream' },
      receivers: { tokens: null, tls: null },
      api: { publicUrl: null },
    });
    expect(config?.api.token).not.toBeNull();
  });

  it('says what values say over what the chart says', async () => {
    const receivers = { otlpGrpc: { enabled: false }, otlpHttp: { port: 14318 } };
    const [config] = await configsOf({ values: { config: { receivers, api: { port: 18080 }, state: { directory: '/data' } } } });
    expect(config).toMatchObject({
      receivers: { otlpGrpc: null, otlpHttp: { host: '0.0.0.0', port: 14318 } },
      api: { host: '0.0.0.0', port: 18080 },
      state: { directory: '/data' },
    });
  });

  it.each([
    ['a token of senders', { auth: { otlp: { existingSecret: 'senders' } } }, { tokens: [expect.anything()], tls: null }],
    ['TLS', { tls: { otlp: { secretName: 'tls' } } }, { tokens: null, tls: { caFile: null } }],
    [
      'certificates of senders',
      { tls: { otlp: { secretName: 'tls', clientCertificates: true } } },
      {
        tokens: null,
        tls: { certFile: expect.stringMatching(/tls\/otlp\/tls.crt$/), caFile: expect.stringMatching(/tls\/otlp\/ca.crt$/) },
      },
    ],
  ])('has %s', async (_, values, receivers) => {
    const [config] = await configsOf({ values });
    expect(config?.receivers).toMatchObject(receivers);
  });

  it('keeps large numbers whole, though helm counts in floating point', async () => {
    const [config] = await configsOf({
      values: { config: { series: { maxTotal: 1_000_000 }, receivers: { maxRequest: '1GiB', maxInFlight: '16GiB' } } },
    });
    expect(config).toMatchObject({ series: { maxTotal: 1_000_000 }, receivers: { maxRequestBytes: 2 ** 30, maxInFlightBytes: 2 ** 34 } });
  });

  it('reads SLO files as one document, as a list, as text, and from ConfigMaps of others', async () => {
    const document = (service: string) => ({
      apiVersion: 'slipstream.dev/v1',
      kind: 'ServiceObjectives',
      metadata: { name: service },
      spec: { service, objectives: 'p95 < 500ms, 99.9% available' },
    });
    const slos = {
      'one.yaml': document('cart'),
      'list.yml': [document('search'), document('checkout')],
      'text.yaml': `# As a team wrote it.\n---\n${JSON.stringify(document('login'))}\n---\n${JSON.stringify(document('mail'))}`,
    };
    const [config] = await configsOf({ values: { slos, sloConfigMaps: ['of-payments'] } });
    expect([...(config?.policies.services.keys() ?? [])].sort()).toEqual(['cart', 'checkout', 'login', 'mail', 'payments', 'search']);
  });

  it('gives each of two releases on one Kafka topics and groups of its own, and those of the docs to one called slipstream', async () => {
    const namesOf = async (render: Render) => {
      const [config] = await configsOf({ set: 'distributed', ...render });
      const { topics, groups } = config?.kafka ?? {};
      return [...Object.values(topics ?? {}), ...Object.values(groups ?? {})];
    };
    const usual = await namesOf({ release: 'slipstream' });
    expect(usual).toEqual(expect.arrayContaining(['slipstream.deltas', 'slipstream.state', 'slipstream-ingest', 'slipstream-evaluate']));
    const others = await namesOf({ release: 'staging' });
    expect(others).toHaveLength(usual.length);
    expect(new Set([...usual, ...others]).size).toBe(2 * usual.length);
    const named = { config: { kafka: { topics: { deltas: 'a' }, groups: { ingest: 'b' } } } };
    expect(await namesOf({ release: 'staging', values: named })).toEqual(expect.arrayContaining(['a', 'b', 'staging-slipstream.state']));
  });

  it('listens in a cluster of IPv6, where values say so', async () => {
    const host = '::';
    const [config] = await configsOf({ values: { config: { receivers: { otlpGrpc: { host }, otlpHttp: { host } }, api: { host } } } });
    expect(config).toMatchObject({ receivers: { otlpGrpc: { host }, otlpHttp: { host } }, api: { host } });
  });

  it('is the same for each member of mode: distributed', async () => {
    const manifests = await renderChart(helmIn(directory(HELM_TOOLS)), { set: 'distributed' });
    const [first, ...others] = workloadsOf(manifests).map(({ spec }) => spec.template.metadata.annotations['checksum/config']);
    expect(others).toEqual([first]);
  });

  it('restarts pods when it changes, and does not when SLO files do', async () => {
    const hash = async (values: object) => {
      const [workload] = workloadsOf(await renderChart(helmIn(directory(HELM_TOOLS)), { values }));
      return workload?.spec.template;
    };
    const slo = {
      apiVersion: 'slipstream.dev/v1',
      kind: 'ServiceObjectives',
      metadata: { name: 'a' },
      spec: { service: 'a', objectives: '99%' },
    };
    const before = await hash({ slos: { 'a.yaml': slo } });
    expect(await hash({ slos: { 'a.yaml': { ...slo, metadata: { name: 'b' } } } })).toEqual(before);
    expect(await hash({ slos: { 'a.yaml': slo }, config: { telemetry: { logLevel: 'debug' } } })).not.toEqual(before);
  });
});
