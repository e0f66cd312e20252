/** The chart as part of another: under its name, twice under aliases, with the parent's registry, and switched off. */
import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { describeWithTools } from '../tools/describe-with-tools.ts';
import { HELM_TOOLS, helmIn } from '../tools/helm.ts';
import { CHART, lint, refusalOf, renderChart } from './helm.ts';
import { type Manifest, titleOf, workloadsOf } from './manifests.ts';

interface Dependency {
  readonly alias?: string;
  readonly condition?: string;
}

/** A chart `shop` with ours in it. */
async function parentChart(dependencies: readonly Dependency[] = [{}]): Promise<string> {
  const chart = await mkdtemp(join(tmpdir(), 'slipstream-parent-'));
  onTestFinished(() => rm(chart, { recursive: true }));
  await mkdir(join(chart, 'templates'));
  await cp(CHART, join(chart, 'charts/slipstream'), { recursive: true });
  const entries = dependencies.map((dependency) => ({ name: 'slipstream', version: '*', repository: '', ...dependency }));
  await writeFile(join(chart, 'Chart.yaml'), JSON.stringify({ apiVersion: 'v2', name: 'shop', version: '1.0.0', dependencies: entries }));
  await writeFile(join(chart, 'values.yaml'), JSON.stringify({ replicas: 1, tags: { judges: true } }));
  await writeFile(join(chart, 'templates/config.yaml'), 'apiVersion: v1\nkind: ConfigMap\nmetadata: { name: {{ .Release.Name }}-shop }\n');
  return chart;
}

function imagesOf(manifests: readonly Manifest[]): readonly string[] {
  return workloadsOf(manifests).map(({ spec }) => spec.template.spec.containers[0].image);
}

describeWithTools('the chart in another chart', [HELM_TOOLS], (directory) => {
  const helm = () => helmIn(directory(HELM_TOOLS));

  it('takes its values below its name, and the registry and pull secrets of the parent', async () => {
    const chart = await parentChart();
    const values = {
      global: { imageRegistry: 'registry.example.com', imagePullSecrets: [{ name: 'pull' }], other: { anything: true } },
      slipstream: { sloConfigMaps: ['objectives'], image: { tag: '2.0.0' } },
    };
    const manifests = await renderChart(helm(), { chart, values });
    expect(imagesOf(manifests)).toEqual(['registry.example.com/slipstream:2.0.0']);
    expect(workloadsOf(manifests).map(({ spec }) => spec.template.spec.imagePullSecrets)).toEqual([[{ name: 'pull' }]]);
    expect(manifests.map(titleOf)).toContain('ConfigMap/demo-shop');
    expect(manifests.map(titleOf)).toContain('StatefulSet/demo-slipstream');
  });

  it.each([true, false])('is there or not as its condition says (%s)', async (enabled) => {
    const chart = await parentChart([{ condition: 'slipstream.enabled' }]);
    const manifests = await renderChart(helm(), { chart, values: { slipstream: { enabled } } });
    expect(workloadsOf(manifests)).toHaveLength(enabled ? 1 : 0);
  });

  it('stands twice in a namespace without anything in common', async () => {
    const chart = await parentChart([{ alias: 'left' }, { alias: 'right' }]);
    const extras = {
      serviceMonitor: { enabled: true },
      networkPolicy: { enabled: true },
      dashboards: { enabled: true },
      prometheusRule: { enabled: true },
    };
    const config = { watches: [{ type: 'deployments' }], kubernetes: { lease: { namespace: 'slo' } } };
    const values = { left: { ...extras, config }, right: { ...extras, config } };
    const titles = (await renderChart(helm(), { chart, values })).map(titleOf);
    expect(titles.length).toBeGreaterThan(20);
    expect(titles.filter((title, index) => titles.indexOf(title) !== index)).toEqual([]);
  });

  it('refuses there what it refuses alone, and says where', async () => {
    const chart = await parentChart();
    const said = await refusalOf(helm(), { chart, values: { slipstream: { persistance: { enabled: false } } } });
    expect(said).toContain("additional properties 'persistance' not allowed");
  });

  it('is content with a strict look at the whole', async () => {
    expect(await lint(helm(), { chart: await parentChart() })).toContain('0 chart(s) failed');
  });
});
