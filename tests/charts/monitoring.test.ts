/** Rules, dashboards and templates of deploy systems come out of the chart as they are in its files, with names and addresses filled in. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { OF_THE_CHART } from '../dashboards/rig/prometheus-server.ts';
import { describeWithTools } from '../tools/describe-with-tools.ts';
import { HELM_TOOLS, helmIn } from '../tools/helm.ts';
import { CHART, type Render, renderChart } from './helm.ts';
import { type Manifest, manifestsOf, objectOf, ofKind } from './manifests.ts';

const CONFIG = join(import.meta.dirname, '../../config');

interface Rule {
  readonly alert?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
}

function filesIn(folder: string): readonly { readonly name: string; readonly text: string }[] {
  return readdirSync(join(CHART, folder)).map((name) => ({ name, text: readFileSync(join(CHART, folder, name), 'utf8') }));
}

function groupsOf(manifests: readonly Manifest[]): readonly { readonly name: string; readonly rules: readonly Rule[] }[] {
  return ofKind(manifests, 'PrometheusRule').flatMap(({ spec }) => spec.groups);
}

const WRITTEN = filesIn('rules')
  .flatMap(({ text }) => manifestsOf(text))
  .flatMap(({ groups }) => groups as { name: string; rules: Rule[] }[]);
const ALERTS = WRITTEN.flatMap(({ rules }) => rules).flatMap(({ alert }) => alert ?? []);

describeWithTools('monitoring by the chart', [HELM_TOOLS], (directory) => {
  const rendered = (render: Render) => renderChart(helmIn(directory(HELM_TOOLS)), render);

  it('has every rule as it is written', async () => {
    expect(ALERTS.length).toBeGreaterThan(10);
    expect(groupsOf(await rendered({ values: { prometheusRule: { enabled: true } } }))).toEqual(WRITTEN);
  });

  it('keeps the label `service` for services that are judged, and adds relabelings of values', async () => {
    const own = { sourceLabels: ['__meta_kubernetes_pod_node_name'], targetLabel: 'node' };
    for (const relabelings of [[], [own]]) {
      const manifests = await rendered({ values: { serviceMonitor: { enabled: true, relabelings } } });
      const [endpoint] = ofKind(manifests, 'ServiceMonitor').flatMap(({ spec }) => spec.endpoints);
      expect(endpoint.relabelings).toEqual([...OF_THE_CHART, ...relabelings]);
    }
  });

  it('leaves out alerts that are not wanted, labels the others, and leads to where they are described', async () => {
    const [disabled = ''] = ALERTS;
    const values = {
      prometheusRule: { enabled: true, disabled: [disabled], alertLabels: { team: 'a' }, runbookUrl: 'https://wiki.example.com/alerts' },
    };
    const alerts = groupsOf(await rendered({ values }))
      .flatMap(({ rules }) => rules)
      .filter(({ alert }) => alert !== undefined);
    expect(alerts.map(({ alert }) => alert)).toEqual(ALERTS.slice(1));
    for (const { labels, annotations } of alerts) {
      expect(labels).toMatchObject({ team: 'a', severity: expect.stringMatching(/^(critical|warning|info)$/) });
      expect(annotations?.runbook_url).toMatch(/^https:\/\/wiki\.example\.com\/alerts#/);
    }
  });

  it('has every dashboard as it is written, each in a ConfigMap that the sidecar of Grafana finds', async () => {
    const manifests = await rendered({ values: { dashboards: { enabled: true } } });
    const maps = ofKind(manifests, 'ConfigMap').filter(({ metadata }) => metadata.labels?.grafana_dashboard === '1');
    const written = filesIn('dashboards').map(({ name, text }) => [name, JSON.parse(text)]);
    expect(written.length).toBeGreaterThan(0);
    expect(
      maps.flatMap(({ data }) => Object.entries(data as Record<string, string>)).map(([name, text]) => [name, JSON.parse(text)]),
    ).toEqual(written);
  });

  it('leaves templates of Grafana and Prometheus to them', async () => {
    const manifests = await rendered({ values: { prometheusRule: { enabled: true } } });
    expect(JSON.stringify(groupsOf(manifests))).toMatch(/\{\{ ?\$(labels|value)|\{\{ ?\$value/);
  });

  it.each([
    ['', 'http://demo-slipstream.slo.svc:8080', {}],
    [' with TLS', 'https://demo-slipstream.slo.svc:443', { tls: { api: { secretName: 'tls' } }, service: { ports: { http: 443 } } }],
  ])('gives Argo Rollouts the templates of config/argo-rollouts, which ask our API%s', async (_, url, values) => {
    const argo = { clusterAnalysisTemplates: { enabled: true, tokenSecret: { name: 'tokens', key: 'api' } } };
    const manifests = await rendered({ values: { ...values, argoRollouts: argo } });
    for (const file of ['cluster-analysis-template', 'prometheus-analysis-template']) {
      const [{ metadata, spec }] = manifestsOf(readFileSync(join(CONFIG, `argo-rollouts/${file}.yaml`), 'utf8')) as [Manifest];
      const made = objectOf(manifests, 'ClusterAnalysisTemplate', metadata.name);
      expect(made.spec.metrics).toEqual(spec.metrics);
      const args: readonly { name: string; value?: string; valueFrom?: unknown }[] = made.spec.args;
      expect(args.map(({ name }) => name)).toEqual((spec.args as typeof args).map(({ name }) => name));
      expect(args.find(({ name }) => name === 'url')?.value).toBe(url);
      const token = args.find(({ name }) => name === 'token');
      if (token !== undefined) expect(token.valueFrom).toEqual({ secretKeyRef: { name: 'tokens', key: 'api' } });
    }
  });

  it('gives Flagger the templates of config/flagger', async () => {
    const manifests = await rendered({ values: { flagger: { metricTemplates: { enabled: true, namespace: 'flagger-system' } } } });
    const written = manifestsOf(readFileSync(join(CONFIG, 'flagger/metric-templates.yaml'), 'utf8'));
    expect(written.length).toBeGreaterThan(1);
    for (const template of written) {
      const made = objectOf(manifests, 'MetricTemplate', template.metadata.name);
      expect(made.metadata.namespace).toBe('flagger-system');
      const { query, provider } = template.spec;
      expect(made.spec.query.trim()).toBe(query.trim());
      expect(made.spec.provider).toEqual({ ...provider, address: 'http://demo-slipstream.slo.svc:8080' });
    }
  });
});
