/** promtool, which tries alert rules in a time of its own, built from Prometheus' Go module. */
import { join } from 'node:path';
import { goBuildAsMain, goModule, missingGo } from './go.ts';
import type { Toolset } from './toolset.ts';

const PROMTOOL = { module: 'github.com/prometheus/prometheus', version: 'v0.315.0', tags: 'remove_all_sd' } as const;

export const PROMTOOL_TOOLS: Toolset = {
  name: 'promtool',
  versions: PROMTOOL,
  takes: 'about 2 minutes on two cores, less after Prometheus',
  missing: missingGo,
  build: async (directory, say) => {
    const { module, version, tags } = PROMTOOL;
    const downloaded = await goModule(module, version, directory);
    const file = promtoolIn(directory);
    await goBuildAsMain({ file, downloaded, command: './cmd/promtool', tags, title: `promtool ${version} built`, say });
  },
};

export function promtoolIn(directory: string): string {
  return join(directory, 'promtool');
}
