/** The simulated world is what it is said to be: its numbers, its pods, its seeds. */
import { describe, expect, it } from 'vitest';
import { Latencies } from '../bench/decisions/latencies.ts';
import { Random } from '../bench/decisions/random.ts';
import { binomialCdf, quantile, upperBound } from '../bench/decisions/statistics.ts';
import { Stream } from '../bench/decisions/stream.ts';
import { plainFleet, type Traffic, WORLD_NAMES } from '../bench/decisions/worlds.ts';

const calm: Traffic = { world: 'iid', rate: 100, fleet: plainFleet(100), degradation: null, onset: 0 };

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

describe('random numbers', () => {
  it.each([0.1, 3, 9.9, 10.1, 95, 1900])('of a Poisson mean of %d have that mean and variance', (expected) => {
    const random = new Random(1, expected);
    const drawn = Array.from({ length: 40_000 }, () => random.poisson(expected));
    const average = mean(drawn);
    const variance = mean(drawn.map((value) => (value - average) ** 2));
    expect(Math.abs(average - expected)).toBeLessThan(4 * Math.sqrt(expected / drawn.length));
    expect(variance / expected).toBeGreaterThan(0.95);
    expect(variance / expected).toBeLessThan(1.05);
  });

  it('are the same for the same seed and unrelated for the next', () => {
    const draw = (...seed: number[]) => {
      const random = new Random(...seed);
      return Array.from({ length: 1000 }, () => random.normal());
    };
    expect(draw(5, 1)).toEqual(draw(5, 1));
    const [a, b] = [draw(5, 1), draw(5, 2)];
    expect(Math.abs(mean(a.map((value, i) => value * (b[i] as number))))).toBeLessThan(0.15);
  });
});

describe('latencies', () => {
  it('have the published percentiles, and a tail factor moves p99 alone', () => {
    const usual = new Latencies();
    const slow = new Latencies(2);
    expect([0.5, 0.95, 0.99].map((q) => Math.round(usual.quantileUs(q) / 1000))).toEqual([47, 164, 469]);
    expect(slow.quantileUs(0.99) / usual.quantileUs(0.99)).toBeCloseTo(2, 1);
    expect(slow.quantileUs(0.5) / usual.quantileUs(0.5)).toBeCloseTo(1, 2);
  });
});

describe('a stream', () => {
  it.each(WORLD_NAMES)('of the world %s is the same whenever it is drawn', (world) => {
    const draw = () => {
      const stream = new Stream({ ...calm, world, rate: 10, fleet: plainFleet(10) }, 5, [3]);
      return Array.from({ length: 30 }, () => {
        stream.next();
        const { deltas } = stream;
        return [...deltas.count, ...deltas.failed, ...deltas.cells.slice(0, deltas.cellStart[deltas.size])];
      });
    };
    expect(draw()).toEqual(draw());
  });

  it.each([false, true])('has cells in order that add up to its rows (pods named: %s)', (isNamed) => {
    const stream = new Stream({ ...calm, world: 'pods', fleet: { canaryPods: 3, baselinePods: 57, isNamed } }, 5, [4]);
    for (let i = 0; i < 60; i++) {
      stream.next();
      const { deltas } = stream;
      for (let row = 0; row < deltas.size; row++) {
        const [from, to] = [deltas.cellStart[row] as number, deltas.cellStart[row + 1] as number];
        const cells = [...deltas.cells.slice(from, to)];
        expect(cells).toEqual([...new Set(cells)].sort((a, b) => a - b));
        const counts = [...deltas.cellCounts.slice(from, to)];
        expect(counts.reduce((sum, count) => sum + count, 0)).toBe(deltas.count[row]);
        expect(counts.filter((_, index) => (cells[index] as number) % 2 === 1).reduce((sum, count) => sum + count, 0)).toBe(
          deltas.failed[row],
        );
      }
      const { baseline } = stream;
      expect([...baseline.counts.slice(0, baseline.size)].reduce((sum, count) => sum + count, 0)).toBe(baseline.requests - baseline.failed);
    }
  });

  it('gives the canary nothing before its start and a twentieth of the requests after it', () => {
    const stream = new Stream(calm, 100, [5]);
    let [baseline, canary] = [0, 0];
    while (stream.second < 399) {
      stream.next();
      if (stream.second < 0) expect(stream.canary.requests).toBe(0);
      else {
        baseline += stream.baseline.requests;
        canary += stream.canary.requests;
      }
    }
    expect(canary / (canary + baseline)).toBeCloseTo(0.05, 2);
    expect(canary / 400).toBeGreaterThan(97);
    expect(canary / 400).toBeLessThan(103);
  });

  it('is sick from the onset on, and in the canary alone', () => {
    const stream = new Stream({ ...calm, degradation: { errorRatio: 0.3 }, onset: 20 }, 0, [6]);
    const failed = { before: 0, after: 0, baseline: 0 };
    for (let i = 0; i < 40; i++) {
      stream.next();
      failed.baseline += stream.baseline.failed;
      if (stream.second < 20) failed.before += stream.canary.failed;
      else failed.after += stream.canary.failed;
    }
    expect(failed.before).toBeLessThan(12);
    expect(failed.after).toBeGreaterThan(500);
    expect(failed.baseline).toBeLessThan(150);
  });
});

describe('the bound of a rate', () => {
  it.each([
    [0, 1000, 0.002991],
    [4, 1000, 0.009131],
    [8, 8000, 0.001804],
    [2, 300, 0.0208],
  ])('for %d of %d is exact', (hits, runs, expected) => {
    expect(upperBound(hits, runs)).toBeCloseTo(expected, 4);
    expect(binomialCdf(hits, runs, upperBound(hits, runs))).toBeCloseTo(0.05, 9);
  });

  it('is one when all were hits', () => {
    expect(upperBound(12, 12)).toBe(1);
  });
});

describe('a quantile', () => {
  it('counts what is missing as beyond all others', () => {
    expect(quantile([5, 1, 3], 4, 0.5)).toBe(3);
    expect(quantile([5, 1], 5, 0.5)).toBeNull();
    expect(quantile([], 5, 0.5)).toBeNull();
  });
});
