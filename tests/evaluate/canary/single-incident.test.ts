/** One incident of at most one window's length can never roll back by itself, whatever it does: fuzzed at random phases, loads and histories. */
import { describe, expect, it } from 'vitest';
import { type BetTable, harmEvidence, temper } from '../../../src/evaluate/canary/block-evidence.ts';
import { checkRules } from '../../../src/evaluate/canary/check-rule.ts';
import { HarmProcess, type HarmProcessState } from '../../../src/evaluate/canary/harm-process.ts';
import { logSumExp } from '../../../src/evaluate/canary/log-sum.ts';
import { PROCESS_LIMITS, type ProcessLimits } from '../../../src/evaluate/canary/process-rules.ts';
import { canaryPolicy } from '../policy.ts';
import { poisson, seeded } from '../world.ts';

const CASES = 20_000;
const HISTORIES = 40;
/** Share of bad requests of a healthy release, by metric. */
const BAD: Readonly<Record<string, number>> = { p50: 0.5, p95: 0.05, p99: 0.01, errors: 0.001 };

function fineRules(limits: ProcessLimits) {
  return checkRules(canaryPolicy(), limits).filter((rule) => !rule.isSevere);
}

/** Healthy processes after one to eleven minutes, one per fine metric. */
function histories(random: () => number) {
  const rules = fineRules(PROCESS_LIMITS);
  return Array.from({ length: HISTORIES }, (_, index) => {
    const seconds = index === 0 ? 0 : 60 + Math.floor(random() * 600);
    const [nb, nc] = [50 + Math.floor(random() * 2000), 1 + Math.floor(random() * 200)];
    const states = rules.map((rule) => {
      const wealth = new HarmProcess(rule.harmRules, rule.harm.bets.length, 0);
      const out = new Float64Array(rule.harm.bets.length);
      const bad = BAD[rule.metric] as number;
      for (let second = 1; second <= seconds; second++) {
        const block = { nb, nc, xb: Math.min(nb, poisson(random, nb * bad)), xc: Math.min(nc, poisson(random, nc * bad)) };
        play(wealth, rule.harm, out, second * 1000, block);
      }
      return wealth.snapshot();
    });
    return { seconds, states };
  });
}

function play(wealth: HarmProcess, table: BetTable, out: Float64Array, atMs: number, block: Parameters<typeof harmEvidence>[1]) {
  harmEvidence(table, block, out);
  temper(out, 1, PROCESS_LIMITS.blockCap);
  wealth.update(atMs, out);
}

/** Highest wealth over all cases that begin with no more invested wealth than the first stake. */
function worstCase(limits: ProcessLimits): { readonly highest: number; readonly admitted: number } {
  const random = seeded(31);
  const rules = fineRules(limits);
  const out = new Float64Array(rules[0]?.harm.bets.length ?? 0);
  const weights = rules.map((rule) => rule.weight);
  const severeWeight = 1 - weights.reduce((sum, weight) => sum + weight, 0);
  const past = histories(random);
  let highest = -Infinity;
  let admitted = 0;
  for (let index = 0; index < CASES; index++) {
    const { seconds, states } = past[Math.floor(random() * HISTORIES)] as { seconds: number; states: HarmProcessState[] };
    const wealths = states.map((state, rule) => HarmProcess.restore(rules[rule]?.harmRules as never, state));
    const invested = wealths.reduce((sum, wealth, rule) => sum + (weights[rule] as number) * (Math.exp(wealth.logE) - wealth.cash), 0);
    const stake = wealths.reduce((sum, _, rule) => sum + (weights[rule] as number) * 0.5, 0);
    if (invested > stake + 1e-12) continue;
    admitted++;
    const start = seconds * 1000 + Math.floor(random() * 5000);
    const requests = Math.round(10 * 8000 ** random());
    const share = 0.01 + 0.49 * random();
    const nc = Math.max(1, Math.round(requests * share));
    const nb = Math.max(1, requests - nc);
    const isTotal = random() < 0.3;
    const blocks = 1 + Math.floor(random() * 5);
    for (let block = 0; block < blocks; block++) {
      wealths.forEach((wealth, rule) => {
        const counts = isTotal ? { xb: 0, xc: nc } : { xb: Math.floor(nb * random() ** 3), xc: Math.floor(nc * random()) };
        play(wealth, rules[rule]?.harm as BetTable, out, start + block * 1000, { nb, nc, ...counts });
      });
    }
    const parts = wealths.map((wealth, rule) => Math.log(weights[rule] as number) + wealth.logE);
    highest = Math.max(highest, logSumExp([...parts, Math.log(severeWeight)]));
  }
  return { highest, admitted };
}

describe('a single incident', () => {
  it('never rolls back by itself', () => {
    const { highest, admitted } = worstCase(PROCESS_LIMITS);
    expect(admitted).toBeGreaterThan(CASES * 0.8);
    expect(highest).toBeLessThan(Math.log(100));
    expect(highest, 'the fuzz must come near the bound').toBeGreaterThan(4.3);
  });

  it('would roll back if windows were not capped', () => {
    expect(worstCase({ ...PROCESS_LIMITS, windowCap: Infinity }).highest).toBeGreaterThan(Math.log(100));
  });
});
