/** When the slots of an endpoint become a block, and when they are thrown away. */
import { describe, expect, it } from 'vitest';
import { HARM_BETS, SAFE_BETS } from '../../../src/evaluate/canary/block-evidence.ts';
import { Check } from '../../../src/evaluate/canary/check.ts';
import { checkRules } from '../../../src/evaluate/canary/check-rule.ts';
import { EndpointComparison, type FedSlot } from '../../../src/evaluate/canary/endpoint-comparison.ts';
import { PodPresence } from '../../../src/evaluate/canary/pod-presence.ts';
import { canaryPolicy } from '../policy.ts';
import { counted, LAYOUT } from '../world.ts';

const RULES = checkRules(canaryPolicy());
const SCRATCH = { harm: new Float64Array(HARM_BETS.length), safe: new Float64Array(SAFE_BETS.length) };

function endpoint(): EndpointComparison {
  return new EndpointComparison(
    'GET /',
    RULES.map((rule) => new Check(rule)),
    LAYOUT,
  );
}

function at(slot: number): FedSlot {
  return { slot, atMs: (slot + 1) * 1000, isWarmup: false, presence: new PodPresence() };
}

/** Slots after which a block closed, when slot `s` brings the requests `traffic(s)`. */
function closings(traffic: (slot: number) => readonly [baseline: number, canary: number], slots: number): number[] {
  const fed = endpoint();
  const closed: number[] = [];
  for (let slot = 0; slot < slots; slot++) {
    const [baseline, canary] = traffic(slot);
    if (baseline + canary > 0) fed.feed(at(slot), counted(baseline, 0), counted(canary, 0));
    if (fed.closeBlock(slot, (slot + 1) * 1000, () => {}, SCRATCH)) closed.push(slot);
  }
  return closed;
}

describe('a block', () => {
  it.each<[string, (slot: number) => readonly [number, number], number[]]>([
    ['closes every second with ten baseline requests and one of the canary', () => [10, 1], [0, 1, 2, 3, 4, 5]],
    ['gathers until there are ten baseline requests', () => [4, 1], [2, 5]],
    ['gathers until the canary has one', (slot) => [50, slot % 3 === 2 ? 1 : 0], [2, 5]],
    ['needs a baseline request, however busy the canary', () => [0, 90], []],
  ])('%s', (_, traffic, closed) => {
    expect(closings(traffic, 6)).toEqual(closed);
  });

  it('closes after ten seconds with one request of each, though nothing more comes', () => {
    expect(closings((slot) => (slot === 3 ? [1, 1] : [0, 0]), 40)).toEqual([12]);
  });

  it('that lacks a release for a minute is void, so that nothing is compared across the gap', () => {
    const fed = endpoint();
    for (let slot = 0; slot < 59; slot++) fed.feed(at(slot), counted(10, 10), counted(0, 0));
    expect(fed.closeBlock(59, 60_000, () => {}, SCRATCH)).toBe(false);
    fed.feed(at(60), counted(10, 0), counted(1, 0));
    expect(fed.closeBlock(60, 61_000, () => {}, SCRATCH)).toBe(true);
    expect(fed.checks.find((check) => check.rule.metric === 'errors')?.baseline).toEqual({ bad: 0, total: 10 });
    expect(fed.baselineRequests).toBe(600);
  });
});

describe('the rules', () => {
  it('split an endpoint’s money without remainder', () => {
    expect(RULES.reduce((sum, rule) => sum + rule.weight, 0)).toBeCloseTo(1, 12);
  });

  it('let nothing severe begin below the tolerance of its plain sibling', () => {
    const lax = checkRules(
      canaryPolicy({
        latency: { ...canaryPolicy().latency, p50: { ratio: 3, addUs: 50_000, passRatio: 4, passAddUs: 90_000 } },
        errors: { oddsRatio: 4, addRatio: 0.1, passAddRatio: 0.2 },
      }),
    );
    const severe = lax.filter((rule) => rule.isSevere);
    expect(severe.map(({ latency }) => latency?.tolerance.ratio)).toEqual([3, undefined]);
    expect(severe.map(({ latency }) => latency?.tolerance.addUs)).toEqual([50_000, undefined]);
    const tolerated = (rate: number) => (4 * rate) / (1 - rate + 4 * rate) + 0.1;
    for (let rate = 0; rate <= 0.9; rate += 0.01)
      expect(rate + (severe[1]?.harm.delta ?? 0)).toBeGreaterThanOrEqual(tolerated(rate) - 1e-12);
  });

  it('are the published ones by default', () => {
    const errors = RULES.find((rule) => rule.metric === 'errors');
    const severe = RULES.find((rule) => rule.metric === 'errorsSevere');
    expect([errors?.harm.psi0, errors?.harm.delta, severe?.harm.psi0, severe?.harm.delta]).toEqual([1.1, 0.0005, 1, 0.03]);
    expect(errors?.harmRules.windowCap).toBeCloseTo(2.649158683, 9);
    expect(severe?.harmRules.windowCap).toBe(Infinity);
    expect(errors?.harmRules.instalment).toBeCloseTo((0.5 * 5) / 3600, 12);
  });
});
