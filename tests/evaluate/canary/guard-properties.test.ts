/** What holds for all guards together, whatever comes: order, restarts, more failures, exchange of like releases, and how often chance alone speaks. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ArmSlot } from '../../../src/evaluate/canary/arm-slot.ts';
import { CanaryComparison } from '../../../src/evaluate/canary/comparison.ts';
import { PROCESS_LIMITS } from '../../../src/evaluate/canary/process-rules.ts';
import { canaryPolicy } from '../policy.ts';
import { armSlot, counted, LAYOUT, START, seeded } from '../world.ts';

/** Every guard is on. */
const GUARDED = canaryPolicy({
  maxErrorRatio: 0.0144,
  onSilence: 'rollback',
  warmupMs: 20_000,
  criteria: [
    { text: 'p95 < 500ms', endpoint: null, limitRatio: 0.05, edgeUs: 500_000 },
    { text: 'errors < 2%', endpoint: 'GET /**', limitRatio: 0.02, edgeUs: null },
  ],
});
const NAMES = ['GET /a', 'GET /b', 'POST /c'];

/** Seconds of three endpoints, now and then sick, silent or missing, with a plan that changes on the way. */
function play(judged: CanaryComparison, from: number, to: number, order: readonly string[] = NAMES): CanaryComparison {
  for (let second = from; second < to; second++) {
    if (second === 10) judged.plan(0.1);
    if (second === 70) judged.plan(0.3);
    if (second === 50) judged.skipTo(START + 500);
    const slot = START + second + (second >= 50 ? 450 : 0);
    for (const name of order) {
      const random = seeded(NAMES.indexOf(name) * 5000 + second);
      if (name === 'POST /c' && second < 30) continue;
      const isSick = second > 80 && name === 'GET /b';
      judged.feed(name, slot, armSlot(random, 60, 0.003), armSlot(random, second > 90 ? 0.5 : 8, isSick ? 0.03 : 0.003, isSick ? 1.4 : 1));
    }
    judged.endSlot(slot);
  }
  return judged;
}

const said = (judged: CanaryComparison): string => JSON.stringify(judged.judge());

describe('all guards together', () => {
  const through = play(new CanaryComparison(GUARDED, LAYOUT, START), 0, 110);

  it('are told of, each with its numbers', () => {
    const checks = through.judge().judgements.map(({ check }) => check);
    expect(checks).toEqual(
      expect.arrayContaining(['burn (all)', 'criterion p95 < 500ms (all)', 'criterion errors < 2% GET /**', 'silence (all)']),
    );
    const { trail, outlook, outcome } = through.judge();
    expect(trail.length).toBeGreaterThan(10);
    expect(outcome === 'inconclusive').toBe(outlook.length > 0);
  });

  it.each([1, 9, 11, 29, 49, 51, 71, 95, 109])('go on from a state saved at second %d to the bit', (second) => {
    const before = play(new CanaryComparison(GUARDED, LAYOUT, START), 0, second);
    const restored = CanaryComparison.restore(GUARDED, LAYOUT, JSON.parse(JSON.stringify(before.snapshot())));
    expect(said(restored)).toBe(said(before));
    const after = play(restored, second, 110);
    expect(said(after)).toBe(said(through));
    expect(after.snapshot()).toEqual(through.snapshot());
  });

  it('do not mind in which order endpoints are fed', () => {
    const turned = play(new CanaryComparison(GUARDED, LAYOUT, START), 0, 110, [...NAMES].reverse());
    expect(said(turned)).toBe(said(through));
  });

  it('share what money there is', () => {
    const shares = through.judge().judgements.flatMap(({ evidence }) => ('share' in evidence ? [evidence.share] : []));
    const weights = through.judge().judgements.flatMap(({ evidence }) => ('weight' in evidence ? [evidence.weight] : []));
    expect(shares.reduce((sum, share) => sum + share, 0)).toBeLessThanOrEqual(1 + 1e-9);
    expect(weights.reduce((sum, weight) => sum + weight, 0)).toBeLessThanOrEqual(1);
  });

  it('take a canary that is its own baseline for healthy, whichever of the two is called so', () => {
    const lax = { ...GUARDED, warmupMs: 0 };
    const random = seeded(31);
    const slots = Array.from({ length: 300 }, () => [armSlot(random, 60, 0.004), armSlot(random, 60, 0.004)] as const);
    for (const canary of [0, 1] as const) {
      const judged = new CanaryComparison(lax, LAYOUT, START);
      judged.plan(0.5);
      slots.forEach((slot, second) => {
        judged.feed('GET /', START + second, slot[1 - canary] as ArmSlot, slot[canary]);
        judged.endSlot(START + second);
      });
      expect(judged.judge().outcome).not.toBe('fail');
      expect(judged.judge().isSharedFailure).toBe(false);
    }
  });

  it('are finite whatever is planned and comes', () => {
    const second = fc.record({
      plan: fc.constantFrom(undefined, null, 0.001, 0.5, 1),
      baseline: fc.constantFrom(0, 1, 50, 1e9),
      canary: fc.constantFrom(0, 1, 50, 1e9),
      bad: fc.double({ min: 0, max: 1, noNaN: true }),
      gap: fc.constantFrom(0, 0, 0, 400),
    });
    fc.assert(
      fc.property(fc.array(second, { maxLength: 40 }), (seconds) => {
        const judged = new CanaryComparison(GUARDED, LAYOUT, START);
        let slot = START;
        for (const { plan, baseline, canary, bad, gap } of seconds) {
          if (plan !== undefined) judged.plan(plan);
          judged.skipTo(slot + gap);
          slot += gap;
          judged.feed('GET /', slot, counted(baseline, Math.floor(baseline * bad)), counted(canary, Math.floor(canary * bad)));
          judged.endSlot(slot++);
        }
        const broken = (_: string, value: unknown) => (typeof value === 'number' && !Number.isFinite(value) ? 'broken' : value);
        expect(JSON.stringify(judged.judge(), broken)).not.toContain('broken');
        expect(JSON.stringify(judged.snapshot(), broken)).not.toContain('broken');
      }),
      { numRuns: 150 },
    );
  });
});

describe('more failures of the canary', () => {
  it('never improve a verdict', () => {
    const seconds = fc.array(fc.tuple(fc.integer({ min: 0, max: 3 }), fc.integer({ min: 1, max: 40 }), fc.boolean()), {
      minLength: 1,
      maxLength: 60,
    });
    const policy = { ...GUARDED, warmupMs: 0 };
    fc.assert(
      fc.property(seconds, (drawn) => {
        const judged = (extra: number) => {
          const comparison = new CanaryComparison(policy, LAYOUT, START, { ...PROCESS_LIMITS, isTempered: false });
          comparison.plan(0.05);
          drawn.forEach(([failed, requests, isMore], second) => {
            const bad = Math.min(requests, Math.floor(failed / 2) + (isMore ? extra : 0));
            comparison.feed('GET /', START + second, counted(400, failed), counted(requests, bad));
            comparison.endSlot(START + second);
          });
          return comparison.judge();
        };
        const [fewer, more] = [judged(0), judged(3)];
        expect(more.logWealth).toBeGreaterThanOrEqual(fewer.logWealth - 1e-9);
        expect(fewer.outcome === 'fail' && more.outcome !== 'fail').toBe(false);
        expect(more.outcome === 'pass' && fewer.outcome !== 'pass').toBe(false);
      }),
      { numRuns: 150 },
    );
  });
});

describe('an incident shorter than a window', () => {
  it('proves nothing by itself, however bad: neither failures, nor slowness, nor silence', () => {
    const { checks } = canaryPolicy();
    // Severe checks need no more than four seconds, on purpose; here the guards are asked.
    const policy = {
      ...GUARDED,
      warmupMs: 0,
      checks: { ...checks, p50: { ...checks.p50, isMuted: true }, errors: { ...checks.errors, isMuted: true } },
    };
    const incident = fc.record({
      healthy: fc.integer({ min: 0, max: 120 }),
      rate: fc.constantFrom(2, 30, 400),
      seconds: fc.integer({ min: 1, max: 5 }),
      kind: fc.constantFrom('failing', 'slow', 'silent'),
      seed: fc.nat(1000),
    });
    fc.assert(
      fc.property(incident, ({ healthy, rate, seconds, kind, seed }) => {
        const random = seeded(seed);
        const judged = new CanaryComparison(policy, LAYOUT, START);
        judged.plan(0.1);
        for (let second = 0; second < healthy + seconds; second++) {
          const isOn = second >= healthy;
          // What healthy seconds happened to gain before may be finished by an incident: evidence adds up, as it is meant to.
          if (second === healthy) fc.pre(judged.judge().logWealth <= 0);
          const canary = armSlot(
            random,
            isOn && kind === 'silent' ? 0 : rate,
            isOn && kind === 'failing' ? 1 : 0.001,
            isOn && kind === 'slow' ? 30 : 1,
          );
          judged.feed('GET /', START + second, armSlot(random, rate * 9, 0.001), canary);
          judged.endSlot(START + second);
          const { outcome, reason } = judged.judge();
          expect(outcome === 'fail' || reason === 'silence_proven').toBe(false);
        }
      }),
      { numRuns: 200 },
    );
  });
});

describe('a healthy canary', () => {
  it('is taken for silent, burning or too slow in none of 240 runs', () => {
    const failed = Array.from({ length: 240 }, (_, seed) => {
      const random = seeded(seed + 900);
      const judged = new CanaryComparison({ ...GUARDED, warmupMs: 0 }, LAYOUT, START);
      judged.plan(0.1);
      // A pod's bursts of errors and a share that sways, in one of two rates.
      const rate = seed % 2 === 0 ? 3 : 30;
      const burst = Math.floor(random() * 200);
      for (let second = 0; second < 240; second++) {
        const sway = 0.7 + 0.6 * random();
        const errors = second >= burst && second < burst + 3 ? 0.12 : 0.002;
        judged.feed('GET /', START + second, armSlot(random, rate * 9, 0.002), armSlot(random, rate * sway, errors));
        judged.endSlot(START + second);
      }
      return judged.judge().outcome === 'fail';
    });
    expect(failed.filter(Boolean)).toEqual([]);
  });
});
