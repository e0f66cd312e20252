/** Runs helm on our chart: renders it with values, and says what it refuses. */
import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type Manifest, manifestsOf } from './manifests.ts';

const run = promisify(execFile);

export const CHART = join(import.meta.dirname, '../../charts/slipstream');
/** Each is linted, rendered and held against schemas: one for each way in which people install it. */
export const VALUE_SETS = join(CHART, 'ci');

export interface Render {
  /** One of `ci/*-values.yaml`, by its name without the end. */
  readonly set?: string;
  /** Over it. */
  readonly values?: object;
  readonly release?: string;
  readonly namespace?: string;
  /** Such as `1.28`; left out: the newest that this helm knows. */
  readonly kubernetes?: string;
  /** Resources that the cluster is said to serve, such as `monitoring.coreos.com/v1`. */
  readonly apiVersions?: readonly string[];
  readonly isUpgrade?: boolean;
  /** Another chart than ours. */
  readonly chart?: string;
  /** Twice as fast; for values that were checked before. */
  readonly isUnchecked?: boolean;
}

/** Thrown with what helm said. */
export class HelmRefusal extends Error {}

/** Names of all sets of values, ascending. */
export async function valueSets(): Promise<readonly string[]> {
  const files = await readdir(VALUE_SETS);
  return files.flatMap((file) => /^(.+)-values\.yaml$/.exec(file)?.[1] ?? []).sort();
}

export async function renderText(helm: string, render: Render = {}): Promise<string> {
  const {
    kubernetes,
    apiVersions = [],
    isUpgrade = false,
    isUnchecked = false,
    chart = CHART,
    release = 'demo',
    namespace = 'slo',
  } = render;
  return withValues(render, (files) =>
    helmOutput(helm, [
      ...['template', release, chart, '--namespace', namespace, ...files],
      ...(kubernetes === undefined ? [] : ['--kube-version', `${kubernetes}.0`]),
      ...apiVersions.flatMap((version) => ['--api-versions', version]),
      ...(isUpgrade ? ['--is-upgrade'] : []),
      ...(isUnchecked ? ['--skip-schema-validation'] : []),
    ]),
  );
}

export async function renderChart(helm: string, render: Render = {}): Promise<readonly Manifest[]> {
  return manifestsOf(await renderText(helm, render));
}

/** What `helm install` would print; it asks no cluster. */
export async function notesOf(helm: string, render: Render): Promise<string> {
  const { release = 'demo', namespace = 'slo' } = render;
  const text = await withValues(render, (files) =>
    helmOutput(helm, ['install', release, CHART, '--namespace', namespace, '--dry-run=client', ...files]),
  );
  return text.slice(text.indexOf('NOTES:'));
}

/** What helm says against these values; empty: nothing. */
export async function refusalOf(helm: string, render: Render): Promise<string> {
  try {
    await renderText(helm, render);
    return '';
  } catch (error) {
    if (error instanceof HelmRefusal) return error.message;
    throw error;
  }
}

/** What `helm lint --strict` prints. Throws HelmRefusal when it finds fault. */
export async function lint(helm: string, render: Render): Promise<string> {
  return withValues(render, (files) => {
    const version = render.kubernetes === undefined ? [] : ['--kube-version', `${render.kubernetes}.0`];
    return helmOutput(helm, ['lint', '--strict', render.chart ?? CHART, ...files, ...version]);
  });
}

export async function helmOutput(helm: string, args: readonly string[]): Promise<string> {
  try {
    const { stdout } = await run(helm, args, {
      maxBuffer: 64 * 2 ** 20,
      env: { PATH: process.env.PATH, HOME: tmpdir(), HELM_PLUGINS: '/nonexistent' },
    });
    return stdout;
  } catch (error) {
    const { stderr = '', stdout = '' } = error as { stderr?: string; stdout?: string };
    throw new HelmRefusal(`${stderr}${stdout}`.trim() || String(error));
  }
}

/** Text of a file of the chart. */
export function chartFile(path: string): Promise<string> {
  return readFile(join(CHART, path), 'utf8');
}

async function withValues<T>({ set, values }: Render, use: (files: readonly string[]) => Promise<T>): Promise<T> {
  const sets = set === undefined ? [] : ['--values', join(VALUE_SETS, `${set}-values.yaml`)];
  if (values === undefined) return use(sets);
  const folder = await mkdtemp(join(tmpdir(), 'slipstream-values-'));
  try {
    const file = join(folder, 'values.json');
    await writeFile(file, JSON.stringify(values));
    return await use([...sets, '--values', file]);
  } finally {
    await rm(folder, { recursive: true });
  }
}
