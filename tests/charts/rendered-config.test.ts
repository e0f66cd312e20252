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
      expect([config.receivers.otlpGrpc.host, config.receivers.otlpHttp.host, config.api.host]).toEqual(['0.0.0.0', '0.0.0.0', '0.0.0.0']);
    }
  });
});
