/** The exactness of the block e-values, against Fisher's noncentral hypergeometric distribution summed term by term. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  betTable,
  expectedBad,
  HARM_BETS,
  harmEvidence,
  logMgfBound,
  SAFE_BETS,
  safeEvidence,
  temper,
} from '../../../src/evaluate/canary/block-evidence.ts';
import { logSumExp } from '../../../src/evaluate/canary/log-sum.ts';

const LOG_FACTORIAL = new Float64Array(1001);
for (let n = 1; n <= 1000; n++) LOG_FACTORIAL[n] = (LOG_FACTORIAL[n - 1] as number) + Math.log(n);

function logChoose(n: number, k: number): number {
  return (LOG_FACTORIAL[n] as number) - (LOG_FACTORIAL[k] as number) - (LOG_FACTORIAL[n - k] as number);
}

/** ln P(xc) for every possible xc, given k bad among nc + nb and the canary's odds psi times the baseline's. */
function noncentral(k: number, nc: number, nb: number, psi: number): { readonly xc: number; readonly logP: number }[] {
  const terms: { xc: number; logP: number }[] = [];
  for (let xc = Math.max(0, k - nb); xc <= Math.min(k, nc); xc++) {
    terms.push({ xc, logP: logChoose(nc, xc) + logChoose(nb, k - xc) + xc * Math.log(psi) });
  }
  const total = logSumExp(terms.map(({ logP }) => logP));
  return terms.map(({ xc, logP }) => ({ xc, logP: logP - total }));
}

const margins = fc
  .record({ nb: fc.integer({ min: 1, max: 400 }), nc: fc.integer({ min: 1, max: 200 }), part: fc.double({ min: 0, max: 1, noNaN: true }) })
  .map(({ nb, nc, part }) => ({ nb, nc, k: Math.round(part * (nb + nc)) }));
const psi0 = fc.constantFrom(1, 1.1, 1.5, 3);

describe('block evidence', () => {
  it('bounds the exact log moment generating function from above', () => {
    fc.assert(
      fc.property(margins, psi0, fc.constantFrom(...HARM_BETS, 1.01, 200), ({ nb, nc, k }, psi, g) => {
        const exact = logSumExp(noncentral(k, nc, nb, psi).map(({ xc, logP }) => logP + xc * Math.log(g)));
        return logMgfBound(g, k, nc, nb, psi) >= exact - 1e-9;
      }),
      { numRuns: 2500 },
    );
  });

  it('bounds the exact log moment generating function for bets on health too', () => {
    fc.assert(
      fc.property(margins, fc.constantFrom(...SAFE_BETS), ({ nb, nc, k }, g) => {
        const exact = logSumExp(noncentral(k, nc, nb, 1).map(({ xc, logP }) => logP + xc * Math.log(g)));
        return logMgfBound(g, k, nc, nb, 1) >= exact - 1e-9;
      }),
      { numRuns: 1000 },
    );
  });

  it('pays at most 1 on average to a canary at the limit of what is tolerated', () => {
    fc.assert(
      fc.property(margins, psi0, ({ nb, nc, k }, psi) => {
        const table = betTable(HARM_BETS, psi, 0);
        const paid = new Float64Array(HARM_BETS.length);
        const out = new Float64Array(HARM_BETS.length);
        for (const { xc, logP } of noncentral(k, nc, nb, psi)) {
          harmEvidence(table, { nb, nc, xc, xb: k - xc }, out);
          out.forEach((logE, j) => {
            paid[j] = (paid[j] as number) + Math.exp(logP + logE);
          });
        }
        return paid.every((mean) => mean <= 1 + 1e-9);
      }),
      { numRuns: 2000 },
    );
  });

  it('pays at most 1 on average with an additional probability within the tolerance', () => {
    const table = betTable(HARM_BETS, 1.1, 0.02);
    const out = new Float64Array(HARM_BETS.length);
    const logBinomial = (n: number, x: number, p: number) => logChoose(n, x) + x * Math.log(p) + (n - x) * Math.log(1 - p);
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 40 }),
        fc.integer({ min: 1, max: 25 }),
        fc.double({ min: 0.001, max: 0.6, noNaN: true }),
        (nb, nc, p) => {
          const canary = (1.1 * p) / (1 - p + 1.1 * p) + 0.02;
          const paid = new Float64Array(HARM_BETS.length);
          for (let xb = 0; xb <= nb; xb++) {
            for (let xc = 0; xc <= nc; xc++) {
              const logP = logBinomial(nb, xb, p) + logBinomial(nc, xc, canary);
              harmEvidence(table, { nb, nc, xb, xc }, out);
              out.forEach((logE, j) => {
                paid[j] = (paid[j] as number) + Math.exp(logP + logE);
              });
            }
          }
          return paid.every((mean) => mean <= 1 + 1e-9);
        },
      ),
      { numRuns: 60 },
    );
  });

  it('grows with the canary’s share of the bad requests, and with every further one', () => {
    const table = betTable(HARM_BETS, 1.1, 0.0005);
    const said = (nb: number, nc: number, xb: number, xc: number) => {
      const out = new Float64Array(HARM_BETS.length);
      harmEvidence(table, { nb, nc, xb, xc }, out);
      return out;
    };
    fc.assert(
      fc.property(margins, fc.double({ min: 0, max: 1, noNaN: true }), ({ nb, nc, k }, part) => {
        const least = Math.max(0, k - nb);
        const most = Math.min(k, nc);
        const xc = least + Math.floor(part * (most - least));
        const now = said(nb, nc, k - xc, xc);
        const shifted = xc < most ? said(nb, nc, k - xc - 1, xc + 1) : now;
        const more = xc < nc ? said(nb, nc, k - xc, xc + 1) : now;
        return now.every((logE, j) => (shifted[j] as number) >= logE && (more[j] as number) >= logE - 1e-9);
      }),
      { numRuns: 2000 },
    );
  });

  it('lowers the evidence for health with every further bad canary request', () => {
    const table = betTable(SAFE_BETS, 1, 0.005);
    const plain = betTable(SAFE_BETS, 1, 0);
    fc.assert(
      fc.property(margins, ({ nb, nc, k }) => {
        const xc = Math.min(k, nc) >> 1;
        const xb = Math.min(nb, k - xc);
        const [before, after] = [new Float64Array(SAFE_BETS.length), new Float64Array(SAFE_BETS.length)];
        if (xc >= nc) return true;
        return [table, plain].every((bets) => {
          safeEvidence(bets, { nb, nc, xb, xc }, before);
          safeEvidence(bets, { nb, nc, xb, xc: xc + 1 }, after);
          return before.every((logE, j) => (after[j] as number) <= logE + 1e-9);
        });
      }),
      { numRuns: 1000 },
    );
  });

  it.each([
    ['no canary', { nb: 100, nc: 0, xb: 5, xc: 0 }],
    ['no baseline', { nb: 0, nc: 100, xb: 0, xc: 100 }],
  ])('says nothing about a block with %s', (_, block) => {
    for (const [bets, evidence] of [
      [betTable(HARM_BETS, 1.1, 0.0005), harmEvidence],
      [betTable(SAFE_BETS, 1, 0.005), safeEvidence],
    ] as const) {
      const out = new Float64Array(bets.bets.length).fill(9);
      evidence(bets, block, out);
      expect([...out]).toEqual(bets.logBets.reduce<number[]>((zeros) => [...zeros, 0], []));
    }
  });

  it('stays finite for a thousand million requests', () => {
    const out = new Float64Array(HARM_BETS.length);
    harmEvidence(betTable(HARM_BETS, 1.1, 0.0005), { nb: 1e9, nc: 1e9, xb: 0, xc: 1e9 }, out);
    expect(out.every(Number.isFinite)).toBe(true);
    expect(expectedBad(1e9, 1e9, 1e9, 1)).toBe(5e8);
  });

  it('is divided by the dispersion and then capped', () => {
    const evidence = Float64Array.of(-4, 1, 8);
    temper(evidence, 2, 2.3);
    expect([...evidence]).toEqual([-2, 0.5, 2.3]);
  });
});
