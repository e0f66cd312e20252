/** The faded reference against a naive recount. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { edgeAtOrAbove, edgesAt } from '../../../src/evaluate/canary/edges.ts';
import { ReferenceHistogram } from '../../../src/evaluate/canary/reference-histogram.ts';
import { LAYOUT, sparse } from '../world.ts';

const slots = fc.array(fc.array(fc.integer({ min: 0, max: LAYOUT.size - 1 }), { maxLength: 40 }), { minLength: 1, maxLength: 12 });

describe('the reference', () => {
  it('finds the lowest edge that leaves at most 1 - q above it', () => {
    fc.assert(
      fc.property(slots, fc.constantFrom(0.5, 0.95, 0.99), (filled, q) => {
        const reference = new ReferenceHistogram(LAYOUT.size);
        const naive = new Float64Array(LAYOUT.size);
        filled.forEach((buckets, index) => {
          const slot = sparse(0, Uint16Array.from(buckets).sort());
          reference.add(index * 60_000, slot);
          for (let i = 0; i < slot.size; i++) {
            const bucket = slot.buckets[i] as number;
            naive[bucket] = (naive[bucket] as number) + (slot.counts[i] as number) * Math.round(1024 * 2 ** (index / 10));
          }
        });
        const mass = naive.reduce((sum, count) => sum + count, 0);
        const above = (edge: number) => naive.subarray(edge).reduce((sum, count) => sum + count, 0);
        const edge = reference.edge(q);
        expect(above(edge)).toBeLessThanOrEqual((1 - q) * mass);
        if (edge > 0) expect(above(edge - 1)).toBeGreaterThan((1 - q) * mass);
      }),
      { numRuns: 300 },
    );
  });

  it('forgets half of its requests in ten minutes', () => {
    const reference = new ReferenceHistogram(LAYOUT.size);
    reference.add(0, sparse(0, new Uint16Array(64).fill(300)));
    expect(reference.requests(600_000)).toBe(32);
    expect(reference.requests(1_200_000)).toBe(16);
  });

  it('still knows the last minutes after two weeks', () => {
    const reference = new ReferenceHistogram(LAYOUT.size);
    for (let hour = 0; hour < 336; hour++) reference.add(hour * 3_600_000, sparse(0, new Uint16Array(100).fill(hour < 335 ? 200 : 900)));
    expect(reference.requests(335 * 3_600_000)).toBeCloseTo(100 / (1 - 2 ** -6), 1);
    expect(reference.edge(0.5)).toBe(901);
  });

  it('is the same after a snapshot', () => {
    const reference = new ReferenceHistogram(LAYOUT.size);
    reference.add(-300_000, sparse(0, Uint16Array.of(5, 5, 128, 2000)));
    const restored = ReferenceHistogram.restore(LAYOUT.size, JSON.parse(JSON.stringify(reference.snapshot())));
    for (const each of [reference, restored]) each.add(1000, sparse(0, Uint16Array.of(5, 700)));
    expect(restored.snapshot()).toEqual(reference.snapshot());
  });
});

describe('edges', () => {
  const tolerance = { ratio: 0.1, addUs: 2000, passRatio: 0.25, passAddUs: 5000 };
  const filled = (requests: number, valueUs: number) => {
    const reference = new ReferenceHistogram(LAYOUT.size);
    reference.add(0, sparse(0, new Uint16Array(requests).fill(LAYOUT.index(valueUs))));
    return reference;
  };

  it.each([
    [0.5, 19, 20],
    [0.95, 199, 200],
    [0.99, 999, 1000],
  ])('wait for ten requests above quantile %d', (q, few, enough) => {
    expect(edgesAt(filled(few, 50_000), LAYOUT, { q, tolerance }, 0, false)).toBeNull();
    expect(edgesAt(filled(enough, 50_000), LAYOUT, { q, tolerance }, 0, false)).not.toBeNull();
  });

  it('push the canary’s edge up by the ratio where that is more than the addition', () => {
    const edges = edgesAt(filled(100, 50_000), LAYOUT, { q: 0.5, tolerance }, 0, false);
    const v = LAYOUT.lowestUs(edges?.baseline ?? -1);
    expect(v).toBeGreaterThan(50_000);
    expect(LAYOUT.lowestUs(edges?.canary ?? -1)).toBeGreaterThanOrEqual(v * 1.1);
    expect(LAYOUT.lowestUs((edges?.canary ?? -1) - 1)).toBeLessThan(v * 1.1);
    expect(LAYOUT.lowestUs(edges?.pass ?? -1)).toBeGreaterThanOrEqual(v * 1.25);
  });

  it('push it up by the addition for fast endpoints, and to two and a half times while the canary warms up', () => {
    const fast = edgesAt(filled(100, 1000), LAYOUT, { q: 0.5, tolerance }, 0, false);
    expect(LAYOUT.lowestUs(fast?.canary ?? -1)).toBeGreaterThanOrEqual(3000);
    const warm = edgesAt(filled(100, 50_000), LAYOUT, { q: 0.5, tolerance }, 0, true);
    expect(LAYOUT.lowestUs(warm?.canary ?? -1)).toBeGreaterThanOrEqual(125_000);
    expect(warm?.pass).toBe(edgesAt(filled(100, 50_000), LAYOUT, { q: 0.5, tolerance }, 0, false)?.pass);
  });

  it('lie beyond all buckets when nothing can be slower than the scale', () => {
    expect(edgeAtOrAbove(LAYOUT, 1e9)).toBeGreaterThan(LAYOUT.index(60_000_000));
  });
});
