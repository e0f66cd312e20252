/** The README of the chart, its values and their schema say the same, and what the README shows is taken. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { ran } from '../cli/streams.ts';
import { chartValues, isGroup } from '../generated/chart-values.ts';
import { describeWithTools } from '../tools/describe-with-tools.ts';
import { HELM_TOOLS, helmIn } from '../tools/helm.ts';
import { CHART, chartFile, renderChart } from './helm.ts';

const README = await chartFile('README.md');
const VALUES = chartValues();
const EXAMPLES = [...README.matchAll(/```yaml\n([\s\S]*?)```/g)].map((match) => match[1] ?? '');

describe('values.yaml', () => {
  it('has every value that the schema knows, but the one for parents', () => {
    expect(VALUES.filter(({ fallback }) => fallback === undefined).map(({ path }) => path)).toEqual(['enabled']);
  });

  it('has none that the schema does not describe', () => {
    expect(VALUES.filter(({ schema }) => (schema.description ?? '') === '').map(({ path }) => path)).toEqual([]);
  });

  it('says of each value what the schema says', () => {
    const commented = VALUES.filter(({ comment }) => comment !== null);
    expect(commented.length).toBeGreaterThan(50);
    expect(commented.filter(({ comment, schema }) => comment !== schema.description).map(({ path }) => path)).toEqual([]);
  });

  it('says it by a comment of each `# --` line', async () => {
    const lines = (await chartFile('values.yaml')).split('\n').filter((line) => /^ *# -- /.test(line));
    expect(VALUES.filter(({ comment }) => comment !== null)).toHaveLength(lines.length);
  });
});

describe('the README of the chart', () => {
  it('has a row for each value', () => {
    const rows = new Set([...README.matchAll(/^\| `([\w.]+)` \|/gm)].map((match) => match[1]));
    expect(VALUES.filter((value) => !isGroup(value) && !rows.has(value.path)).map(({ path }) => path)).toEqual([]);
  });

  it('names values that there are', () => {
    const named = [...README.matchAll(/`([a-z]\w*(?:\.\w+)+)`/gi)].map((match) => match[1] ?? '').filter((name) => !name.includes('/'));
    const paths = new Set([...VALUES.map(({ path }) => path), 'ca.crt', 'tls.crt', 'tls.key']);
    expect(named.filter((name) => !paths.has(name) && !/\.(yaml|com)$/.test(name))).toEqual([]);
  });

  it('links to files that exist', () => {
    const links = [...README.matchAll(/\]\((?!https?:)([^)#]+)/g)].map((match) => match[1] ?? '');
    expect(links.length).toBeGreaterThan(3);
    expect(links.filter((link) => !existsSync(join(CHART, link)))).toEqual([]);
  });
});

describe('slipstream schema --chart', () => {
  it('prints the schema that helm checks values by', async () => {
    expect((await ran(['schema', '--chart'])).stdout).toBe(await chartFile('values.schema.json'));
  });
});

describeWithTools('what the README of the chart shows', [HELM_TOOLS], (directory) => {
  it.each(EXAMPLES.filter((text) => !text.includes('dependencies:')).map((text) => [text.split('\n').slice(0, 2).join(' '), text]))(
    'is taken: %s …',
    async (_, text) => {
      const values = parse(text) as { mode?: string };
      expect((await renderChart(helmIn(directory(HELM_TOOLS)), { values })).length).toBeGreaterThan(4);
    },
  );

  it('is enough together', async () => {
    const values = Object.assign({}, ...EXAMPLES.filter((text) => !/dependencies:|mode:/.test(text)).map((text) => parse(text))) as object;
    expect((await renderChart(helmIn(directory(HELM_TOOLS)), { values })).length).toBeGreaterThan(10);
  });
});
