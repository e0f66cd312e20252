/**
 * What the chart makes of the main sets of values, word for word, so that a change of a template is read as what it changes in a cluster. Written
 * anew by `UPDATE_GOLDENS=1 npx vitest run tests/charts/golden.test.ts`.
 */
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { describeWithTools } from '../tools/describe-with-tools.ts';
import { HELM_TOOLS, helmIn } from '../tools/helm.ts';
import { renderChart, valueSets } from './helm.ts';
import { type Manifest, withoutChance } from './manifests.ts';

const GOLDENS = join(import.meta.dirname, 'golden');
const SETS = await valueSets();
const isUpdate = process.env.UPDATE_GOLDENS !== undefined;

/** Dashboards and rules are files of their own, with tests of their own: of them only the names are kept. */
function shortened(manifest: Manifest): object {
  if (manifest.kind === 'PrometheusRule') {
    const groups: readonly { name: string; rules: readonly { alert?: string; record?: string }[] }[] = manifest.spec.groups;
    return {
      ...manifest,
      spec: { groups: groups.map(({ name, rules }) => ({ name, rules: rules.map(({ alert, record }) => alert ?? record) })) },
    };
  }
  if (manifest.kind !== 'ConfigMap' || manifest.metadata.labels?.grafana_dashboard === undefined) return withoutChance(manifest);
  return { ...manifest, data: Object.keys(manifest.data) };
}

describeWithTools('the chart with the values of', [HELM_TOOLS], (directory) => {
  it.each(SETS)('%s makes the very objects of its golden file', async (set) => {
    const manifests = await renderChart(helmIn(directory(HELM_TOOLS)), { set });
    const text = manifests.map((manifest) => stringify(shortened(manifest), { lineWidth: 0 })).join('---\n');
    const file = join(GOLDENS, `${set}.yaml`);
    if (isUpdate) {
      await mkdir(GOLDENS, { recursive: true });
      await writeFile(file, text);
    }
    expect(text).toBe(existsSync(file) ? await readFile(file, 'utf8') : '');
  });
});

describe('the golden files', () => {
  it('are of sets of values that are there', async () => {
    expect((await readdir(GOLDENS)).filter((file) => !SETS.includes(file.replace('.yaml', '')))).toEqual([]);
  });
});
