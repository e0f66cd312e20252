/** Prometheus, built from its Go module without service discovery, which tests do not need. */
import { join } from 'node:path';
import { goBuildAsMain, goModule, missingGo } from './go.ts';
import type { Toolset } from './toolset.ts';

const PROMETHEUS = { module: 'github.com/prometheus/prometheus', version: 'v0.315.0', tags: 'remove_all_sd' } as const;

export const PROMETHEUS_TOOLS: Toolset = {
  name: 'prometheus',
  versions: PROMETHEUS,
  takes: 'about 3 minutes on two cores',
  missing: missingGo,
  build: async (directory, say) => {
    const { module, version, tags } = PROMETHEUS;
    const downloaded = await goModule(module, version, directory);
    const file = prometheusIn(directory);
    await goBuildAsMain({ file, downloaded, command: './cmd/prometheus', tags, title: `Prometheus ${version} built`, say });
  },
};

export function prometheusIn(directory: string): string {
  return join(directory, 'prometheus');
}
