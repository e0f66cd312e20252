/** An upgrade never changes what Kubernetes refuses to change, whatever values it brings, and finds the objects that are there. */
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { describeWithTools } from '../tools/describe-with-tools.ts';
import { HELM_TOOLS, helmIn } from '../tools/helm.ts';
import { CHART, type Render, renderChart } from './helm.ts';
import { type Manifest, titleOf, workloadsOf } from './manifests.ts';

/** What may change of a StatefulSet: kubernetes 1.37, pkg/apis/apps/validation, ValidateStatefulSetUpdate. Of a Deployment: all but the selector. */
const CHANGEABLE = [
  'replicas',
  'template',
  'updateStrategy',
  'persistentVolumeClaimRetentionPolicy',
  'minReadySeconds',
  'ordinals',
  'revisionHistoryLimit',
];

/** By its title, what of each workload can never change. */
function fixedParts(manifests: readonly Manifest[]): Readonly<Record<string, unknown>> {
  return Object.fromEntries(
    workloadsOf(manifests).map((workload) => {
      const { selector, ...rest } = workload.spec;
      const others = workload.kind === 'Deployment' ? [] : Object.entries(rest).filter(([key]) => !CHANGEABLE.includes(key));
      return [titleOf(workload), { selector, ...Object.fromEntries(others) }];
    }),
  );
}

describeWithTools('an upgrade of the chart', [HELM_TOOLS], (directory) => {
  const rendered = (render: Render) => renderChart(helmIn(directory(HELM_TOOLS)), render);

  it.each([
    [
      'labels and annotations',
      { commonLabels: { team: 'a' }, commonAnnotations: { a: 'b' }, podLabels: { a: 'b' }, podAnnotations: { a: 'b' } },
    ],
    ['objectives and configuration', { config: { telemetry: { logLevel: 'debug' } }, sloConfigMaps: ['teams'] }],
    ['sinks and rights', { config: { sinks: [{ type: 'kubernetes', name: 'a' }] }, serviceAccount: { name: 'other' } }],
    ['tokens and TLS', { auth: { api: { existingSecret: 'a' } }, tls: { api: { secretName: 'b' }, otlp: { secretName: 'c' } } }],
    ['another image', { image: { repository: 'other', tag: '9.9.9' }, global: { imageRegistry: 'example.com' } }],
    [
      'what else is switched on',
      {
        networkPolicy: { enabled: true },
        serviceMonitor: { enabled: true },
        prometheusRule: { enabled: true },
        dashboards: { enabled: true },
      },
    ],
    ['ports and the Service', { service: { type: 'NodePort', ports: { http: 80 } }, config: { api: { port: 9090 } } }],
    ['where pods run', { nodeSelector: { a: 'b' }, resources: { requests: { cpu: '2' } }, terminationGracePeriodSeconds: 60 }],
    ['what becomes of the volume', { persistence: { whenDeleted: 'Delete' } }],
  ])('that brings %s changes nothing that is fixed', async (_, values) => {
    expect(fixedParts(await rendered({ values, isUpgrade: true }))).toEqual(fixedParts(await rendered({})));
  });

  it.each([
    ['the number of members', { ingest: { autoscaling: { enabled: false }, replicas: 5 }, evaluate: { replicas: 3, scratchSize: '9Gi' } }],
    ['labels', { commonLabels: { team: 'a' }, podLabels: { a: 'b' } }],
    ['tokens taken away', { auth: { otlp: { existingSecret: '' } }, tls: { otlp: { secretName: '', clientCertificates: false } } }],
  ])('of members that brings %s changes nothing that is fixed', async (_, values) => {
    const before = fixedParts(await rendered({ set: 'distributed' }));
    expect(Object.keys(before)).toHaveLength(2);
    expect(fixedParts(await rendered({ set: 'distributed', values, isUpgrade: true }))).toEqual(before);
  });

  it.each(['single', 'distributed', 'everything'])(
    'to another version of chart and program changes nothing that is fixed with the values of %s',
    async (set) => {
      const chart = await mkdtemp(join(tmpdir(), 'slipstream-chart-'));
      onTestFinished(() => rm(chart, { recursive: true }));
      await cp(CHART, chart, { recursive: true });
      const file = join(chart, 'Chart.yaml');
      const text = await readFile(file, 'utf8');
      await writeFile(
        file,
        text.replace(/^version: .*$/m, 'version: 7.8.9-rc.1+build.5').replace(/^appVersion: .*$/m, 'appVersion: 7.8.9'),
      );
      const before = await rendered({ set });
      const after = await rendered({ set, chart, isUpgrade: true });
      expect(after).not.toEqual(before);
      expect(fixedParts(after)).toEqual(fixedParts(before));
      expect(after.map(titleOf).sort()).toEqual(before.map(titleOf).sort());
    },
  );

  it('from one mode to the other shares no name with what is there, so that nothing is taken for another', async () => {
    const single = Object.keys(fixedParts(await rendered({ set: 'single' })));
    const members = Object.keys(fixedParts(await rendered({ set: 'distributed' })));
    expect(members.filter((title) => single.includes(title))).toEqual([]);
  });
});
