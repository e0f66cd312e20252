/** Intervals of changes: published examples, and how often they hold where the truth is known. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { errorChange, quantileChange, wilson } from '../../../src/evaluate/recorded/change.ts';
import { seeded } from '../world.ts';

/** The sample itself, as exact as it is. */
function sample(values: readonly number[]) {
  const sorted = [...values].sort((a, b) => a - b);
  return {
    total: sorted.length,
    quantile: (q: number) => sorted[Math.min(sorted.length - 1, Math.max(0, Math.ceil(q * sorted.length) - 1))] ?? Number.NaN,
  };
}

describe('the interval of a proportion', () => {
  // Newcombe 1998, Statistics in Medicine 17:857, table I, method 3.
  it.each([
    [81, 263, 0.2553, 0.3662],
    [15, 148, 0.0624, 0.1605],
    [0, 20, 0, 0.1611],
    [1, 29, 0.0061, 0.1718],
  ])('of %d of %d is as published', (bad, of, low, high) => {
    const [below, above] = wilson(bad / of, of);
    expect(below).toBeCloseTo(low, 4);
    expect(above).toBeCloseTo(high, 4);
  });

  it('of nothing is everything', () => {
    expect(wilson(0, 0)).toEqual([0, 1]);
  });
});

describe('the change of an error ratio', () => {
  // Newcombe 1998, Statistics in Medicine 17:873, table II, method 10: 56/70 − 48/80 and others.
  it.each([
    [48, 80, 56, 70, 0.2, 0.0524, 0.3339],
    [3, 10, 9, 10, 0.6, 0.1705, 0.809],
    [0, 29, 5, 56, 0.0893, -0.0381, 0.1926],
  ])('from %d of %d to %d of %d is as published', (bBad, b, cBad, c, estimate, low, high) => {
    const change = errorChange({ requests: b, failed: bBad }, { requests: c, failed: cBad }, 1);
    expect(change?.estimate).toBeCloseTo(estimate, 4);
    expect(change?.low).toBeCloseTo(low, 3);
    expect(change?.high).toBeCloseTo(high, 3);
  });

  it('is not known of an empty side', () => {
    expect(errorChange({ requests: 0, failed: 0 }, { requests: 5, failed: 1 }, 1)).toBeNull();
  });
});

describe('the change of a quantile', () => {
  const latencies = fc.array(fc.integer({ min: 1, max: 1_000_000 }), { minLength: 1, maxLength: 200 });
  const q = fc.constantFrom(0.5, 0.95, 0.99);

  it('encloses its estimate, and the other way round is its inverse', () => {
    fc.assert(
      fc.property(latencies, latencies, q, fc.double({ min: 1, max: 5, noNaN: true }), (one, two, at, phi) => {
        const there = quantileChange(sample(one), sample(two), at, phi);
        const back = quantileChange(sample(two), sample(one), at, phi);
        if (there === null || back === null) throw new Error('both have values');
        expect(there.low).toBeLessThanOrEqual(there.estimate + 1e-12);
        expect(there.high).toBeGreaterThanOrEqual(there.estimate - 1e-12);
        expect((1 + there.estimate) * (1 + back.estimate)).toBeCloseTo(1, 9);
        expect((1 + there.low) * (1 + back.high)).toBeCloseTo(1, 9);
      }),
    );
  });

  it.each([0.5, 0.95, 0.99])('holds in about 95 of 100 load tests of 2,000 requests, for the quantile %d', (at) => {
    const random = seeded(5);
    const drawn = (slowdown: number) => sample(Array.from({ length: 2000 }, () => -Math.log(1 - random()) * 40_000 * slowdown));
    let held = 0;
    const rounds = 300;
    for (let round = 0; round < rounds; round++) {
      const change = quantileChange(drawn(1), drawn(1.2), at, 1);
      if (change !== null && change.low <= 0.2 && change.high >= 0.2) held++;
    }
    // Three standard deviations of chance.
    expect(held / rounds).toBeGreaterThan(0.95 - 3 * Math.sqrt((0.95 * 0.05) / rounds));
  });

  it('is not known of an empty side', () => {
    expect(quantileChange(sample([]), sample([1]), 0.5, 1)).toBeNull();
  });
});
