/** An OpenTelemetry Collector with the parts that stand before Slipstream, put together by its builder. */
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { cp, mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { goBuild, goCommand, goInstall, missingGo } from './go.ts';
import { exists, type Toolset } from './toolset.ts';

const run = promisify(execFile);

const BUILDER = { command: 'go.opentelemetry.io/collector/cmd/builder', version: 'v0.159.0' } as const;
const MANIFEST = join(import.meta.dirname, 'collector/manifest.yaml');

export const COLLECTOR_TOOLS: Toolset = {
  name: 'collector',
  versions: [BUILDER, readFileSync(MANIFEST, 'utf8')],
  takes: 'about 3 minutes on two cores',
  missing: missingGo,
  build: async (directory, say) => {
    const builder = join(directory, 'builder');
    await goInstall({ ...BUILDER, file: builder, say });
    const folder = join(directory, 'source');
    await mkdir(folder, { recursive: true });
    await cp(MANIFEST, join(folder, 'manifest.yaml'));
    const path = `${dirname(goCommand() ?? 'go')}:${process.env.PATH ?? ''}`;
    if (!(await exists(join(folder, 'main.go')))) {
      const args = ['--config', 'manifest.yaml', '--skip-compilation'];
      await run(builder, args, { cwd: folder, env: { ...process.env, PATH: path }, maxBuffer: 16 * 2 ** 20 });
    }
    await goBuild({ file: collectorIn(directory), command: '.', folder, title: 'OpenTelemetry Collector built', say });
  },
};

export function collectorIn(directory: string): string {
  return join(directory, 'otelcol');
}
