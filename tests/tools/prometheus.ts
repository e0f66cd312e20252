/** Prometheus, and promtool, which tries alert rules in a time of its own: built without service discovery, which tests do not need. */
import { join } from 'node:path';
import { goBuildAsMain, goModule, missingGo } from './go.ts';
import type { Toolset } from './toolset.ts';

const PROMETHEUS = { module: 'github.com/prometheus/prometheus', version: 'v0.315.0', tags: 'remove_all_sd' } as const;

export const PROMETHEUS_TOOLS = oneOf('prometheus', 'about 3 minutes on two cores');
export const PROMTOOL_TOOLS = oneOf('promtool', 'about 2 minutes on two cores, less after Prometheus');

export function prometheusIn(directory: string): string {
  return join(directory, 'prometheus');
}

export function promtoolIn(directory: string): string {
  return join(directory, 'promtool');
}

function oneOf(name: 'prometheus' | 'promtool', takes: string): Toolset {
  return {
    name,
    versions: PROMETHEUS,
    takes,
    missing: missingGo,
    build: async (directory, say) => {
      const { module, version, tags } = PROMETHEUS;
      const downloaded = await goModule(module, version, directory);
      const file = join(directory, name);
      await goBuildAsMain({ file, downloaded, command: `./cmd/${name}`, tags, title: `${name} ${version} built`, say });
    },
  };
}
