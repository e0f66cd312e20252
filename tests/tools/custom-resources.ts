/** Definitions of the custom resources that our chart makes, as the modules of those who own them have them. */
import { cp } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { CONTROLLERS } from '../cluster/rig/tools.ts';
import { goModule, missingGo } from './go.ts';
import type { Toolset } from './toolset.ts';

const PROMETHEUS_OPERATOR = {
  module: 'github.com/prometheus-operator/prometheus-operator',
  version: 'v0.93.1',
  crds: ['servicemonitors', 'prometheusrules'].map((kind) => `example/prometheus-operator-crd/monitoring.coreos.com_${kind}.yaml`),
} as const;

/** Kinds that the chart does not make are left out: some definitions are megabytes. */
const MODULES = [PROMETHEUS_OPERATOR, ...CONTROLLERS.map(({ module, version, crds }) => ({ module, version, crds: crds.filter(isMade) }))];

function isMade(crd: string): boolean {
  return /cluster-analysis-template|flagger/.test(crd);
}

export const CUSTOM_RESOURCES: Toolset = {
  name: 'custom-resources',
  versions: MODULES,
  takes: 'a few seconds',
  missing: missingGo,
  build: async (directory) => {
    for (const { module, version, crds } of MODULES) {
      const downloaded = await goModule(module, version, directory);
      for (const crd of crds) await cp(join(downloaded, crd), join(directory, fileOf(module, crd)));
    }
  },
};

export function customResourcesIn(directory: string): readonly string[] {
  return MODULES.flatMap(({ module, crds }) => crds.map((crd) => join(directory, fileOf(module, crd))));
}

function fileOf(module: string, crd: string): string {
  return `${basename(module)}-${basename(crd)}`;
}
