/** Evidence as bars. */
import { expect, it } from 'vitest';
import { sparkline } from '../../src/model/sparkline.ts';

const trail = (...values: number[]) => values.map((logE, index) => ({ at: index * 1000, logE }));

it.each<[string, number[], number, number, string]>([
  ['nothing', [], 4, 10, ''],
  ['evidence that grows to the limit', [0, 1, 2, 3, 4], 4, 10, '▁▂▄▆█'],
  ['evidence just below the limit as no full bar', [3.999], 4, 10, '▇'],
  ['evidence for the canary, or none, as the lowest bar', [-5, 0, Number.NEGATIVE_INFINITY, Number.NaN], 4, 10, '▁▁▁▁'],
  ['the highest of what one bar stands for', [0, 4, 0, 0, 1, 2], 4, 3, '█▁▄'],
  ['without a limit, the highest point as full', [1, 2], 0, 10, '▄█'],
  ['nothing but rest without a limit', [0, -1], Number.NaN, 10, '▁▁'],
])('draws %s', (_name, values, limit, width, line) => {
  expect(sparkline(trail(...values), limit, width)).toBe(line);
});
