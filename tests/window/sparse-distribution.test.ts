import { fc, it as property } from '@fast-check/vitest';
import { build, decodeFromCompressedBase64, encodeIntoCompressedBase64, type Histogram } from 'hdr-histogram-js';
import { describe, expect, it } from 'vitest';
import { HistogramLayout } from '../../src/model/histogram-layout.ts';
import { cellOf } from '../../src/model/slot-deltas.ts';
import { CellSum } from '../../src/window/cell-sum.ts';
import { drainDistribution, toHdr } from '../../src/window/sparse-distribution.ts';

function libraryHistogram(layout: HistogramLayout): Histogram & { countsArrayIndex(value: number): number; countsArrayLength: number } {
  return build({
    bitBucketSize: 64,
    autoResize: false,
    lowestDiscernibleValue: 1,
    highestTrackableValue: layout.highestUs,
    numberOfSignificantValueDigits: layout.digits as 1 | 2 | 3,
  }) as ReturnType<typeof libraryHistogram>;
}

function distributionOf(layout: HistogramLayout, values: readonly number[], which: 'all' | 'ok' = 'all', failed: readonly number[] = []) {
  const sum = new CellSum(layout.size * 2);
  for (const value of values) sum.add(cellOf(layout.index(value), false), 1);
  for (const value of failed) sum.add(cellOf(layout.index(value), true), 1);
  return drainDistribution(layout, sum, which);
}

const layouts = fc
  .tuple(fc.constantFrom(1, 2, 3), fc.constantFrom(2, 1000, 60_000_000, 3_600_000_000 / 2, 0x7fffffff))
  .map(([digits, highestUs]) => new HistogramLayout(digits, highestUs));
const valuesIn = (layout: HistogramLayout) =>
  fc.oneof(fc.integer({ min: 0, max: Math.min(5000, layout.highestUs) }), fc.integer({ min: 0, max: layout.highestUs }));

describe('HistogramLayout beside hdr-histogram-js', () => {
  it.each(
    [1, 2, 3].flatMap((digits) => [2, 255, 256, 1000, 60_000_000, 1_800_000_000, 0x7fffffff].map((highest) => [digits, highest] as const)),
  )('has as many buckets with %i digits up to %i µs', (digits, highestUs) => {
    const layout = new HistogramLayout(digits, highestUs);
    expect(layout.size).toBe(libraryHistogram(layout).countsArrayLength);
  });

  property.prop({ choice: layouts.chain((layout) => fc.tuple(fc.constant(layout), valuesIn(layout))) })(
    'puts every value into the same bucket with the same ends',
    ({ choice: [layout, value] }) => {
      const library = libraryHistogram(layout) as ReturnType<typeof libraryHistogram> & {
        lowestEquivalentValue(value: number): number;
        highestEquivalentValue(value: number): number;
      };
      const bucket = layout.index(value);
      expect(bucket).toBe(library.countsArrayIndex(value));
      expect(layout.lowestUs(bucket)).toBe(library.lowestEquivalentValue(value));
      expect(layout.highestEquivalentUs(bucket)).toBe(library.highestEquivalentValue(value));
    },
  );

  it.each([
    [-1, 0],
    [0.9, 0],
    [255.9, 255],
    [60_000_001, 60_000_000],
    [1e15, 60_000_000],
    [Number.POSITIVE_INFINITY, 60_000_000],
  ])('counts %d µs as %i µs', (value, as) => {
    const layout = new HistogramLayout();
    expect(layout.index(value)).toBe(layout.index(as));
  });
});

describe('SparseDistribution', () => {
  property.prop({
    choice: layouts.chain((layout) => fc.tuple(fc.constant(layout), fc.array(valuesIn(layout), { minLength: 1, maxLength: 300 }))),
    percentile: fc.oneof(fc.constantFrom(0, 1, 50, 90, 95, 99, 99.9, 100), fc.double({ min: 1e-9, max: 100, noNaN: true })),
  })('has the quantiles of hdr-histogram-js', ({ choice: [layout, values], percentile }) => {
    const library = libraryHistogram(layout);
    for (const value of values) library.recordValue(value);
    expect(distributionOf(layout, values).quantile(percentile / 100)).toBe(library.getValueAtPercentile(percentile));
  });

  property.prop({
    values: fc.array(fc.integer({ min: 1, max: 60_000_000 }), { minLength: 1, maxLength: 200 }),
    q: fc.double({ min: 0.001, max: 1, noNaN: true }),
  })('is at most 1 % above the exact quantile with two digits, and never below', ({ values, q }) => {
    const exact = values.toSorted((a, b) => a - b)[Math.max(1, Math.ceil(q * values.length - 1e-9)) - 1] as number;
    const quantile = distributionOf(new HistogramLayout(), values).quantile(q);
    expect(quantile).toBeGreaterThanOrEqual(exact);
    expect(quantile).toBeLessThanOrEqual(exact * 1.01 + 1);
  });

  property.prop({ values: fc.array(fc.integer({ min: 0, max: 100_000 }), { maxLength: 100 }), edge: fc.integer({ min: 0, max: 100_000 }) })(
    'counts at or below a value only what surely is',
    ({ values, edge }) => {
      const layout = new HistogramLayout();
      const distribution = distributionOf(layout, values);
      const whole = values.filter((value) => layout.highestEquivalentUs(layout.index(value)) <= edge).length;
      expect(distribution.countAtOrBelow(edge)).toBe(whole);
      expect(distribution.countAtOrBelow(layout.highestUs * 2)).toBe(values.length);
    },
  );

  it('is empty without spans: no quantile, no buckets', () => {
    const distribution = distributionOf(new HistogramLayout(), []);
    expect([distribution.total, distribution.failed, distribution.quantile(0.5), distribution.countAtOrBelow(1e9)]).toEqual([
      0,
      0,
      Number.NaN,
      0,
    ]);
    expect([...distribution.buckets()]).toEqual([]);
  });

  it('holds failed spans or leaves them out, as asked', () => {
    const all = distributionOf(new HistogramLayout(), [5, 5, 7], 'all', [5, 9]);
    expect([all.total, all.failed]).toEqual([5, 2]);
    expect([...all.buckets()].map(({ lowUs, count }) => [lowUs, count])).toEqual([
      [5, 3],
      [7, 1],
      [9, 1],
    ]);
    const ok = distributionOf(new HistogramLayout(), [5, 5, 7], 'ok', [5, 9]);
    expect([ok.total, ok.failed]).toEqual([3, 0]);
    expect([...ok.buckets()].map(({ lowUs, count }) => [lowUs, count])).toEqual([
      [5, 2],
      [7, 1],
    ]);
  });

  property.prop({
    choice: layouts.chain((layout) => fc.tuple(fc.constant(layout), fc.array(valuesIn(layout), { minLength: 1, maxLength: 60 }))),
  })('survives the V2 encoding of hdr-histogram-js', ({ choice: [layout, values] }) => {
    const distribution = distributionOf(layout, values);
    const decoded = decodeFromCompressedBase64(encodeIntoCompressedBase64(toHdr(distribution, layout)));
    expect(decoded.totalCount).toBe(values.length);
    for (const percentile of [1, 50, 95, 99, 100]) {
      expect(decoded.getValueAtPercentile(percentile)).toBe(distribution.quantile(percentile / 100));
    }
  });
});
