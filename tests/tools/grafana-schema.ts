/** Types of Grafana's dashboards and panels, from the package that Grafana publishes them in (Apache-2.0). */
import { execFile, spawnSync } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Toolset } from './toolset.ts';

const run = promisify(execFile);
const PACKAGE = '@grafana/schema@13.2.3';

export const GRAFANA_SCHEMA: Toolset = {
  name: 'grafana-schema',
  versions: PACKAGE,
  takes: 'a few seconds',
  missing: () => (spawnSync('npm', ['--version'], { stdio: 'ignore' }).status === 0 ? null : 'there is no npm'),
  build: async (directory) => {
    await mkdir(directory, { recursive: true });
    await writeFile(join(directory, 'package.json'), '{"private":true}');
    await run('npm', ['install', '--ignore-scripts', '--no-audit', '--no-fund', PACKAGE], { cwd: directory, maxBuffer: 16 * 2 ** 20 });
  },
};

/** Types of the dashboard, or of the options and fields of a kind of panel (`timeseries`, …): a module to import. */
export function grafanaTypesIn(directory: string, of: 'dashboard' | { readonly panel: string }): string {
  const folder = join(directory, 'node_modules/@grafana/schema/dist/types/raw');
  return join(folder, of === 'dashboard' ? 'dashboard' : `composable/${of.panel}/panelcfg`, 'x/types.gen');
}
