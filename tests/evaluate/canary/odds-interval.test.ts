/** The interval of the odds ratio, against published numbers, a plain recount, and chance. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Block } from '../../../src/evaluate/canary/block-evidence.ts';
import { OddsInterval } from '../../../src/evaluate/canary/odds-interval.ts';
import { expectVector, vectors } from '../vectors.ts';
import { poisson, seeded } from '../world.ts';

const { params, blocks, phi1, phi1_5 } = vectors.oddsRatioCS;

function intervalOf(all: readonly Block[]): OddsInterval {
  const odds = new OddsInterval();
  for (const block of all) odds.add(block);
  return odds;
}

/** All 41 sums over all blocks, as the formula has them. */
function recounted(all: readonly Block[], phi: number): { estimate: number; low: number; high: number } {
  const grid = Array.from({ length: params.G }, (_, index) => params.lo * (params.hi / params.lo) ** (index / (params.G - 1)));
  const logs = grid.map((psi) =>
    all.reduce((sum, { nb, nc, xb, xc }) => sum + xc * Math.log(psi) - (xb + xc) * Math.log((nc * psi + nb) / (nc + nb)), 0),
  );
  const top = Math.max(...logs);
  const mean = logs.reduce((sum, log) => sum + Math.exp((log - top) / phi), 0) / grid.length;
  const isKept = (index: number) => mean / Math.exp(((logs[index] as number) - top) / phi) < 1 / params.gamma;
  const best = logs.indexOf(top);
  let low = best;
  while (low > 0 && isKept(low)) low--;
  let high = best;
  while (high < grid.length - 1 && isKept(high)) high++;
  return { estimate: grid[best] as number, low: grid[low] as number, high: grid[high] as number };
}

/** Blocks of a canary with `odds` times the baseline's odds of bad. */
function drawn(seed: number, seconds: number, rate: number, share: (second: number) => number, odds: number, bad = 0.05): Block[] {
  const random = seeded(seed);
  const canaryBad = (odds * bad) / (1 - bad + odds * bad);
  return Array.from({ length: seconds }, (_, second) => {
    const [xc, xb] = [poisson(random, rate * share(second) * canaryBad), poisson(random, rate * (1 - share(second)) * bad)];
    const nc = xc + poisson(random, rate * share(second) * (1 - canaryBad));
    return { nb: xb + poisson(random, rate * (1 - share(second)) * (1 - bad)), nc, xb, xc };
  });
}

describe('the interval of the odds ratio', () => {
  it.each([
    [1, phi1],
    [1.5, phi1_5],
  ])('is as published at overdispersion %d', (phi, published) => {
    const interval = intervalOf(blocks).interval(phi);
    expectVector(interval?.estimate as number, published.est);
    expectVector(interval?.low as number, published.lo);
    expectVector(interval?.high as number, published.hi);
  });

  it('is null before anything was bad', () => {
    expect(new OddsInterval().interval(1)).toBeNull();
    expect(intervalOf([{ nb: 100, nc: 10, xb: 0, xc: 0 }]).interval(1)).toBeNull();
    expect(intervalOf([{ nb: 0, nc: 10, xb: 0, xc: 5 }]).interval(1)).toBeNull();
  });

  it.each([
    ['a constant split', () => 0.05, 1],
    ['a canary of three times the odds', () => 0.05, 3],
    ['a split that grows from 1 % to half', (second: number) => 0.01 + (0.49 * second) / 600, 1.5],
    ['little traffic', () => 0.1, 2],
  ])('is that of all sums, at most one grid point apart: %s', (name, share, odds) => {
    const step = (params.hi / params.lo) ** (1 / (params.G - 1)) + 1e-9;
    const all = drawn(name.length, 600, name === 'little traffic' ? 8 : 400, share, odds);
    for (const until of [5, 30, 200, 600]) {
      const quick = intervalOf(all.slice(0, until)).interval(1.2);
      const exact = recounted(all.slice(0, until), 1.2);
      if (quick === null) continue;
      for (const end of ['estimate', 'low', 'high'] as const) {
        expect(Math.max(quick[end] / exact[end], exact[end] / quick[end])).toBeLessThanOrEqual(step);
      }
    }
  });

  it.each([1, 1.6])('holds the truth at every second of nearly every run: odds %d', (odds) => {
    const missed = Array.from({ length: 60 }, (_, seed) => {
      const interval = new OddsInterval();
      return drawn(seed + 40, 300, 200, () => 0.1, odds).some((block) => {
        interval.add(block);
        const now = interval.interval(1);
        return now !== null && (now.low > odds || now.high < odds);
      });
    });
    expect(missed.filter(Boolean).length).toBeLessThanOrEqual(6);
  });

  it('turns round when baseline and canary are exchanged', () => {
    const block = fc
      .record({
        nb: fc.integer({ min: 1, max: 300 }),
        nc: fc.integer({ min: 1, max: 300 }),
        part: fc.double({ min: 0, max: 1, noNaN: true }),
      })
      .map(({ nb, nc, part }) => ({ nb, nc, xb: Math.floor(nb * part * 0.3), xc: Math.floor(nc * (1 - part) * 0.3) }));
    fc.assert(
      fc.property(fc.array(block, { minLength: 1, maxLength: 20 }), (all) => {
        // Far from the ends of the grid, which are not each other's inverse.
        const own = recounted(all, 1);
        if (own.low <= 1 / 16 || own.high >= 16) return;
        const turned = recounted(
          all.map(({ nb, nc, xb, xc }) => ({ nb: nc, nc: nb, xb: xc, xc: xb })),
          1,
        );
        if (turned.high >= 16) return;
        const quick = intervalOf(all.map(({ nb, nc, xb, xc }) => ({ nb: nc, nc: nb, xb: xc, xc: xb }))).interval(1);
        expect(Math.abs(Math.log((quick?.estimate as number) * own.estimate))).toBeLessThan(0.36);
      }),
      { numRuns: 100 },
    );
  });

  it('goes on from a saved state to the bit', () => {
    const all = drawn(5, 200, 100, () => 0.1, 2);
    const through = intervalOf(all);
    const saved = OddsInterval.restore(JSON.parse(JSON.stringify(intervalOf(all.slice(0, 77)).snapshot())));
    for (const block of all.slice(77)) saved.add(block);
    expect(saved.snapshot()).toEqual(through.snapshot());
    expect(saved.interval(1.3)).toEqual(through.interval(1.3));
  });
});
