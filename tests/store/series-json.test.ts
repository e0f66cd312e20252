/** Series as text: what was saved comes back, and so does what a version without event rules saved. */
import { expect, it } from 'vitest';
import { seriesFromJson, seriesToJson } from '../../src/store/series-json.ts';
import { sampleSeries } from './samples.ts';

it('a series comes back as it was, odd attributes and event rules included', () => {
  const series = { ...sampleSeries(3, new Map([['__proto__', 'x']])), rules: ['limited', 'gold'] };
  expect(seriesFromJson(seriesToJson(series))).toEqual(series);
});

it('a series that was saved before there were event rules has none', () => {
  const { rules: _, ...old } = JSON.parse(seriesToJson(sampleSeries(3))) as Record<string, unknown>;
  expect(seriesFromJson(JSON.stringify(old))).toEqual({ ...sampleSeries(3), rules: [] });
});
