/** No value is there for nothing: each is set by one of the sets of values, and without it the chart makes something else. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { expect, it } from 'vitest';
import { parse } from 'yaml';
import { type ChartValue, chartValues, isGroup } from '../generated/chart-values.ts';
import { describeWithTools } from '../tools/describe-with-tools.ts';
import { HELM_TOOLS, helmIn } from '../tools/helm.ts';
import { HelmRefusal, renderChart, VALUE_SETS, valueSets } from './helm.ts';
import { type Manifest, withoutChance } from './manifests.ts';

type Values = { readonly [key: string]: unknown };

const SETS: readonly Values[] = (await valueSets()).map((set) => parse(readFileSync(join(VALUE_SETS, `${set}-values.yaml`), 'utf8')));
/** `enabled` is for parents alone, see the tests of subcharts. */
const VALUES = chartValues().filter((value) => !isGroup(value) && value.path !== 'enabled');

function valueAt(values: unknown, path: readonly string[]): unknown {
  const [key, ...rest] = path;
  if (key === undefined || typeof values !== 'object' || values === null) return key === undefined ? values : undefined;
  return valueAt((values as Values)[key], rest);
}

function without(values: Values, [key = '', ...rest]: readonly string[]): Values {
  const { [key]: inner, ...others } = values;
  return rest.length === 0 ? others : { ...others, [key]: without(inner as Values, rest) };
}

/** Those that say something else than the chart. */
function setsThatSet({ path, fallback }: ChartValue): readonly Values[] {
  return SETS.filter((values) => {
    const value = valueAt(values, path.split('.'));
    return value !== undefined && !isDeepStrictEqual(value, fallback);
  });
}

describeWithTools('a value of the chart', [HELM_TOOLS], (directory) => {
  const rendered = async (values: Values): Promise<readonly Manifest[] | string> => {
    try {
      return (await renderChart(helmIn(directory(HELM_TOOLS)), { values, isUnchecked: true })).map(withoutChance);
    } catch (error) {
      // A template that refuses has looked at it, too.
      if (error instanceof HelmRefusal) return error.message;
      throw error;
    }
  };

  it('is set by one of the sets of values', () => {
    expect(VALUES.filter((value) => setsThatSet(value).length === 0).map(({ path }) => path)).toEqual([]);
  });

  it('is used by the templates', async () => {
    const whole = new Map<Values, readonly Manifest[] | string>();
    for (const values of SETS) whole.set(values, await rendered(values));
    const isUsed = async (value: ChartValue): Promise<boolean> => {
      for (const values of setsThatSet(value)) {
        if (!isDeepStrictEqual(await rendered(without(values, value.path.split('.'))), whole.get(values))) return true;
      }
      return false;
    };
    const queue = VALUES.filter((value) => setsThatSet(value).length > 0);
    const unused: string[] = [];
    const worker = async (): Promise<void> => {
      for (let next = queue.pop(); next !== undefined; next = queue.pop()) if (!(await isUsed(next))) unused.push(next.path);
    };
    await Promise.all([worker(), worker()]);
    expect(unused).toEqual([]);
  });
});
