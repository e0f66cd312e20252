/** JSON Schemas of Kubernetes' kinds, by version, as a package on PyPI has them (kubernetes-validate, Apache-2.0). */
import { execFile, spawnSync } from 'node:child_process';
import { rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Toolset } from './toolset.ts';

const run = promisify(execFile);
const PACKAGE = 'kubernetes-validate==1.37.0';

/** The versions that the chart promises to work with, and that this package knows. */
export const KUBERNETES_VERSIONS = ['1.28', '1.29', '1.30', '1.31', '1.32', '1.33', '1.34', '1.35', '1.36', '1.37'] as const;

export const KUBERNETES_SCHEMAS: Toolset = {
  name: 'kubernetes-schemas',
  versions: PACKAGE,
  takes: 'about 20 seconds',
  missing: () => (pip() === null ? 'there is no pip for Python' : null),
  build: async (directory) => {
    const part = join(directory, 'schemas.part');
    await rm(part, { recursive: true, force: true });
    const [command = '', ...args] = [...(pip() ?? []), 'install', '--quiet', '--no-deps', '--target', part, PACKAGE];
    await run(command, args, { maxBuffer: 16 * 2 ** 20 });
    await rename(part, join(directory, 'schemas'));
  },
};

/** File with the definitions of one minor version; unknown fields are errors in it. */
export function kubernetesSchemaIn(directory: string, minor: string): string {
  return join(directory, `schemas/kubernetes_validate/kubernetes-json-schema/v${minor}.0-local-strict/_definitions.json`);
}

function pip(): readonly string[] | null {
  const ways = [['pip3'], ['pip'], ['python3', '-m', 'pip']];
  return ways.find(([command = '', ...args]) => spawnSync(command, [...args, '--version'], { stdio: 'ignore' }).status === 0) ?? null;
}
