/** Money is split once, newcomers are paid from the reserve, and no arrival changes the wealth. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { individuallyProven } from '../../../src/evaluate/canary/individually-proven.ts';
import { type Candidate, Portfolio } from '../../../src/evaluate/canary/portfolio.ts';

const candidate = (traffic: number, weight = 1): Candidate => ({ traffic, weight, share: 0 });
const holding = (candidates: readonly Candidate[], logWealth: number) => candidates.map(({ share }) => ({ share, logWealth }));

describe('the portfolio', () => {
  it('has wealth 1 before and after the first split', () => {
    const portfolio = new Portfolio();
    expect(portfolio.logWealth([], 0)).toBe(0);
    const all = [candidate(100), candidate(400), candidate(0)];
    portfolio.admit(all);
    expect(portfolio.logWealth(holding(all, 0), 0)).toBeCloseTo(0, 12);
  });

  it('gives several endpoints 56 % of the money by the square root of traffic, 30 % to the pool and keeps 14 %', () => {
    const portfolio = new Portfolio();
    const all = [candidate(100), candidate(400), candidate(0)];
    portfolio.admit(all);
    expect(portfolio.pool).toBe(0.3);
    expect(all[1]?.share).toBeCloseTo(2 * (all[0]?.share as number), 12);
    expect(all[2]?.share, 'no traffic counts as one request').toBeCloseTo((all[0]?.share as number) / 10, 12);
    expect(all.reduce((sum, { share }) => sum + share, 0)).toBeCloseTo(0.56, 12);
    expect(portfolio.snapshot().reserve).toBeCloseTo(0.14, 12);
  });

  it('gives a single endpoint 80 % of the money and no pool', () => {
    const portfolio = new Portfolio();
    const only = candidate(5);
    portfolio.admit([only]);
    expect(only.share).toBeCloseTo(0.8, 12);
    expect(portfolio.pool).toBe(0);
  });

  it('does not change the wealth when one endpoint becomes several', () => {
    const portfolio = new Portfolio();
    const first = [candidate(5)];
    portfolio.admit(first);
    const before = portfolio.logWealth(holding(first, 3), 0);
    const later = [candidate(7), candidate(900)];
    portfolio.admit(later);
    expect(portfolio.logWealth([...holding(first, 3), ...holding(later, 0)], 0)).toBeCloseTo(before, 12);
    expect(later[0]?.share).toBe(later[1]?.share);
    expect(portfolio.pool).toBe(0);
  });

  it('gives money by weight, to newcomers too, and as usual to those of weight 1', () => {
    const portfolio = new Portfolio();
    const all = [candidate(100, 3), candidate(100)];
    portfolio.admit(all);
    expect(all[0]?.share).toBeCloseTo(3 * (all[1]?.share as number), 12);
    const { reserve } = portfolio.snapshot();
    const later = [candidate(1), candidate(1, 2)];
    portfolio.admit(later);
    expect(later[1]?.share).toBeCloseTo(2 * (later[0]?.share as number), 12);
    expect(portfolio.snapshot().reserve).toBeCloseTo(reserve * 0.9 ** 3, 12);
  });

  it('splits all of its money and never more, whatever weights and traffic', () => {
    const crowd = fc.array(fc.record({ traffic: fc.nat(1_000_000), weight: fc.double({ min: 0.01, max: 100, noNaN: true }) }), {
      maxLength: 20,
    });
    fc.assert(
      fc.property(fc.array(crowd, { maxLength: 10 }), (arrivals) => {
        const portfolio = new Portfolio();
        const all: Candidate[] = [];
        for (const arriving of arrivals) {
          const candidates = arriving.map(({ traffic, weight }) => candidate(traffic, weight));
          portfolio.admit(candidates);
          all.push(...candidates);
        }
        const { pool, reserve } = portfolio.snapshot();
        expect(Math.min(reserve, ...all.map(({ share }) => share))).toBeGreaterThanOrEqual(0);
        expect(all.reduce((sum, { share }) => sum + share, pool + reserve)).toBeCloseTo(1, 9);
      }),
      { numRuns: 300 },
    );
  });

  it('never gives away more than there is, however many come', () => {
    const portfolio = new Portfolio();
    const all = Array.from({ length: 1000 }, () => candidate(1));
    for (const newcomer of all) portfolio.admit([newcomer]);
    expect(portfolio.logWealth(holding(all, 0), 0)).toBeCloseTo(0, 9);
    expect(portfolio.snapshot().reserve).toBeGreaterThanOrEqual(0);
  });
});

describe('individual proof', () => {
  it('asks that every set of checks with this one in it has a mean wealth beyond the limit', () => {
    const entry = fc.record({ weight: fc.double({ min: 0.01, max: 1, noNaN: true }), logE: fc.double({ min: -6, max: 12, noNaN: true }) });
    fc.assert(
      fc.property(fc.array(entry, { minLength: 1, maxLength: 9 }), (all) => {
        const limit = Math.log(100);
        const proven = individuallyProven(all, limit);
        all.forEach((_, index) => {
          let least = Infinity;
          for (let set = 0; set < 1 << all.length; set++) {
            if ((set & (1 << index)) === 0) continue;
            let [money, weight] = [0, 0];
            all.forEach((check, other) => {
              if ((set & (1 << other)) === 0) return;
              money += check.weight * Math.exp(check.logE);
              weight += check.weight;
            });
            least = Math.min(least, money / weight);
          }
          if (Math.abs(least - 100) > 1e-6) expect(proven.has(index)).toBe(least >= 100);
        });
      }),
      { numRuns: 300 },
    );
  });

  it('singles out the one check that is bad', () => {
    const all = Array.from({ length: 60 }, (_, index) => ({ weight: 1 / 60, logE: index === 17 ? 12 : -0.5 }));
    expect([...individuallyProven(all, Math.log(100))]).toEqual([17]);
  });
});
