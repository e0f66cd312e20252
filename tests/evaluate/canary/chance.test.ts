/** How often chance alone proves something, at the very limit of what is tolerated: no more often than promised, by any second. */
import { describe, expect, it } from 'vitest';
import { betTable, HARM_BETS, harmEvidence, SAFE_BETS, safeEvidence } from '../../../src/evaluate/canary/block-evidence.ts';
import { HarmProcess } from '../../../src/evaluate/canary/harm-process.ts';
import { PROCESS_LIMITS, processRules } from '../../../src/evaluate/canary/process-rules.ts';
import { SafeProcess } from '../../../src/evaluate/canary/safe-process.ts';
import { canaryPolicy } from '../policy.ts';
import { seeded } from '../world.ts';

const RUNS = 400;
const BLOCKS = 300;
/** Without caps nothing but the e-values themselves keeps the promise. */
const UNCAPPED = processRules(canaryPolicy(), { ...PROCESS_LIMITS, windowCap: Infinity }, false);

function binomial(random: () => number, n: number, p: number): number {
  let count = 0;
  for (let i = 0; i < n; i++) if (random() < p) count++;
  return count;
}

/** Runs in which `play` ever returned true within the blocks. */
function everProven(play: (random: () => number) => (block: number, nb: number, nc: number) => boolean): number {
  let proven = 0;
  for (let run = 0; run < RUNS; run++) {
    const random = seeded(run);
    const next = play(random);
    for (let block = 1; block <= BLOCKS; block++) {
      // The share of the canary grows on the way, as in a real rollout.
      if (!next(block, 90, 2 + Math.floor(block / 20))) continue;
      proven++;
      break;
    }
  }
  return proven / RUNS;
}

/** Three standard deviations above a promised chance. */
function atMost(chance: number): number {
  return chance + 3 * Math.sqrt((chance * (1 - chance)) / RUNS);
}

describe('chance alone', () => {
  it.each([0.02, 0.1, 0.4])('proves harm against at most a tenth of canaries at the limit, where a tenth was promised: bad %d', (p) => {
    const table = betTable(HARM_BETS, 1, 0);
    const share = everProven((random) => {
      const wealth = new HarmProcess(UNCAPPED, HARM_BETS.length, 0);
      const out = new Float64Array(HARM_BETS.length);
      return (block, nb, nc) => {
        harmEvidence(table, { nb, nc, xb: binomial(random, nb, p), xc: binomial(random, nc, p) }, out);
        wealth.update(block * 1000, out);
        return wealth.logE >= Math.log(10);
      };
    });
    expect(share).toBeLessThanOrEqual(atMost(0.1));
  });

  it.each([
    [0.02, 0],
    [0.3, 0],
    [0.01, 0.02],
  ])('proves health to at most a twentieth of canaries at their margin: bad %d, margin %d', (p, margin) => {
    const table = betTable(SAFE_BETS, 1, margin);
    const share = everProven((random) => {
      const process = new SafeProcess(UNCAPPED, SAFE_BETS.length, 0);
      const out = new Float64Array(SAFE_BETS.length);
      return (block, nb, nc) => {
        safeEvidence(table, { nb, nc, xb: binomial(random, nb, p), xc: binomial(random, nc, p + margin) }, out);
        process.update(block * 1000, out);
        return process.highestLogE >= Math.log(20);
      };
    });
    expect(share).toBeLessThanOrEqual(atMost(0.05));
  });

  it('is not what proves health: a canary well within its margin is cleared', () => {
    const table = betTable(SAFE_BETS, 1, 0.02);
    const share = everProven((random) => {
      const process = new SafeProcess(UNCAPPED, SAFE_BETS.length, 0);
      const out = new Float64Array(SAFE_BETS.length);
      return (block, nb, nc) => {
        safeEvidence(table, { nb, nc, xb: binomial(random, nb, 0.002), xc: binomial(random, nc, 0.002) }, out);
        process.update(block * 1000, out);
        return process.highestLogE >= Math.log(20);
      };
    });
    expect(share).toBeGreaterThan(0.95);
  });
});
