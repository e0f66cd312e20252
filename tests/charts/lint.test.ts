/** `helm lint --strict` finds nothing to say about the chart with any of its sets of values. */
import { readdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { describeWithTools } from '../tools/describe-with-tools.ts';
import { HELM_TOOLS, helmIn } from '../tools/helm.ts';
import { KUBERNETES_VERSIONS } from '../tools/kubernetes-schemas.ts';
import { lint, VALUE_SETS, valueSets } from './helm.ts';

const SETS = await valueSets();
const ENDS = [KUBERNETES_VERSIONS[0], KUBERNETES_VERSIONS.at(-1) ?? ''];

describe('the sets of values', () => {
  it('are all named so that they are found', () => {
    expect(readdirSync(VALUE_SETS).filter((file) => !SETS.includes(file.replace('-values.yaml', '')))).toEqual([]);
    expect(SETS).toEqual(expect.arrayContaining(['distributed', 'ephemeral', 'single']));
  });
});

describeWithTools('helm lint --strict', [HELM_TOOLS], (directory) => {
  it.each(ENDS)('is content with the default values for Kubernetes %s', async (kubernetes) => {
    expect(await lint(helmIn(directory(HELM_TOOLS)), { kubernetes })).toContain('0 chart(s) failed');
  });

  it.each(SETS)('is content with the values of %s', async (set) => {
    const said = await lint(helmIn(directory(HELM_TOOLS)), { set });
    expect(said.split('\n').filter((line) => /^\[(WARNING|ERROR)\]/.test(line))).toEqual([]);
  });
});
