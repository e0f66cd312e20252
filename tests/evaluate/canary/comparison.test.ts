/** What a comparison says of traffic that is missing, scarce, sick on both sides, late in coming, or more than it can take. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ArmSlot } from '../../../src/evaluate/canary/arm-slot.ts';
import { CanaryComparison } from '../../../src/evaluate/canary/comparison.ts';
import { MAX_ENDPOINTS } from '../../../src/evaluate/canary/endpoint-book.ts';
import { PROCESS_LIMITS } from '../../../src/evaluate/canary/process-rules.ts';
import type { ComparisonEvidence } from '../../../src/model/judgement.ts';
import { OVERFLOW_ENDPOINT } from '../../../src/model/series.ts';
import { canaryPolicy } from '../policy.ts';
import { armSlot, counted, LAYOUT, NOTHING, roll, START, seeded } from '../world.ts';

function comparison(changes: Parameters<typeof canaryPolicy>[0] = {}, limits = PROCESS_LIMITS): CanaryComparison {
  return new CanaryComparison(canaryPolicy(changes), LAYOUT, START, limits);
}

/** Feeds the same two slots of one endpoint for some seconds. */
function feed(to: CanaryComparison, seconds: number, baseline: ArmSlot, canary: ArmSlot, endpoint = 'GET /', from = 0): CanaryComparison {
  for (let second = from; second < from + seconds; second++) {
    to.feed(endpoint, START + second, baseline, canary);
    to.endSlot(START + second);
  }
  return to;
}

describe('a comparison is inconclusive', () => {
  const sick = counted(100, 100);
  it.each([
    ['before anything happened', 'no_canary', comparison()],
    ['without canary traffic', 'no_canary', feed(comparison(), 30, counted(100, 100), NOTHING)],
    ['without baseline traffic, however sick the canary', 'no_baseline', feed(comparison(), 30, NOTHING, sick)],
    [
      'below the least number of requests, however sick the canary',
      'too_few_samples',
      feed(comparison({ minRequests: 9000 }), 30, sick, sick),
    ],
    ['while the canary warms up', 'warming_up', feed(comparison({ warmupMs: 60_000 }), 30, counted(100, 0), counted(10, 0))],
    ['while evidence gathers', 'accumulating', feed(comparison(), 30, counted(100, 0), counted(10, 0))],
    ['at the horizon', 'horizon_reached', feed(comparison({ horizonMs: 30_000 }), 30, counted(100, 0), counted(10, 0))],
    ['when all its canary’s endpoints overflowed', 'overflow', feed(comparison(), 30, counted(100, 0), counted(10, 10), OVERFLOW_ENDPOINT)],
  ])('%s', (_, reason, judged) => {
    expect(judged.judge()).toMatchObject({ outcome: 'inconclusive', reason });
  });
});

describe('a comparison', () => {
  it('proves a failing canary within four seconds and names the check', () => {
    const judged = feed(comparison(), 4, counted(900, 1), counted(100, 60)).judge();
    expect(judged).toMatchObject({ outcome: 'fail', reason: 'harm_proven', decidedBy: 'errorsSevere GET /', elapsedMs: 4000 });
    expect(judged.logWealth).toBeGreaterThanOrEqual(judged.logLimit);
    expect(judged.judgements.find(({ check }) => check === 'errorsSevere GET /')).toMatchObject({
      outcome: 'fail',
      reason: 'harm_proven',
      evidence: { baseline: { bad: 4, total: 3600 }, canary: { bad: 240, total: 400 }, incidentWindows: 1 },
    });
  });

  it('says that the canary went silent, until it is back', () => {
    const judged = feed(comparison(), 60, counted(100, 1), counted(10, 0));
    expect(judged.judge().reason).toBe('accumulating');
    feed(judged, 60, counted(100, 1), NOTHING, 'GET /', 60);
    expect(judged.judge()).toMatchObject({ outcome: 'inconclusive', reason: 'no_canary' });
    feed(judged, 1, counted(100, 1), counted(10, 0), 'GET /', 120);
    expect(judged.judge().reason).toBe('accumulating');
  });

  it('keeps to harm once proven', () => {
    const judged = feed(feed(comparison(), 4, counted(900, 1), counted(100, 60)), 300, counted(900, 1), counted(100, 0), 'GET /', 4);
    expect(judged.judge().outcome).toBe('fail');
  });

  it('waits for the least number of requests and then says what it has seen', () => {
    const judged = comparison({ minRequests: 1000 });
    expect(feed(judged, 9, counted(900, 1), counted(100, 60)).judge().reason).toBe('too_few_samples');
    expect(judged.judge().judgements.some(({ outcome }) => outcome === 'fail')).toBe(false);
    expect(feed(judged, 1, counted(900, 1), counted(100, 60), 'GET /', 9).judge().outcome).toBe('fail');
  });

  it('promotes no canary that has fallen silent', () => {
    const judged = comparison();
    roll(judged, { rate: 100 }, 290, 3);
    feed(judged, 60, armSlot(seeded(9), 1900, 0.001), NOTHING, 'GET /', 290);
    expect(judged.judge()).toMatchObject({ outcome: 'inconclusive', reason: 'no_canary' });
  });

  it('promotes no canary while its baseline is silent, unless that is planned', () => {
    const judged = comparison();
    roll(judged, { rate: 100 }, 290, 3);
    feed(judged, 60, NOTHING, armSlot(seeded(9), 100, 0.001), 'GET /', 290);
    expect(judged.judge()).toMatchObject({ outcome: 'inconclusive', reason: 'no_baseline' });
    judged.plan(1);
    expect(judged.judge().outcome).toBe('pass');
  });

  it('does not roll back when both releases are equally sick', () => {
    const outage = (second: number) => (second > 60 && second < 180 ? { errorRatio: 0.4, slowdown: 4 } : {});
    expect(roll(comparison(), { rate: 50, baseline: outage, canary: outage }, 250, 4).outcome).toBe('inconclusive');
  });

  it('finds neither of two like releases worse than the other, whichever is the canary', () => {
    const random = seeded(21);
    const slots = Array.from({ length: 240 }, () => [armSlot(random, 50, 0.02), armSlot(random, 50, 0.02)] as const);
    for (const canary of [0, 1] as const) {
      const judged = comparison();
      slots.forEach((slot, second) => {
        feed(judged, 1, slot[1 - canary] as ArmSlot, slot[canary], 'GET /', second);
        expect(judged.judge().outcome).toBe('inconclusive');
      });
    }
  });

  it('finds no harm in a release compared with itself', () => {
    const random = seeded(22);
    const judged = comparison();
    for (let second = 0; second < 120; second++) {
      const slot = armSlot(random, 50, 0.02);
      feed(judged, 1, slot, slot, 'GET /', second);
    }
    expect(judged.judge().logWealth).toBeLessThan(0);
  });

  it('bets while the canary warms up only on what is severe', () => {
    const warm = (slowdown: number) => roll(comparison({ warmupMs: 120_000 }), { rate: 100, canary: () => ({ slowdown }) }, 100, 5).outcome;
    expect(warm(1.8)).toBe('inconclusive');
    expect(warm(4)).toBe('fail');
    expect(roll(comparison(), { rate: 100, canary: () => ({ slowdown: 1.8 }) }, 100, 5).outcome).toBe('fail');
  });

  it('warms up from the first canary request, not from the begin of the run', () => {
    const judged = feed(comparison({ warmupMs: 60_000 }), 300, counted(100, 0), NOTHING);
    expect(feed(judged, 1, counted(100, 0), counted(10, 0), 'GET /', 300).judge().reason).toBe('warming_up');
  });

  it('treats a gap as missing time, not as silence or zeros', () => {
    const gap = comparison();
    roll(gap, { rate: 100, canary: () => ({ errorRatio: 0.01 }) }, 8, 6);
    const before = gap.judge().logWealth;
    gap.skipTo(START + 3000);
    gap.endSlot(START + 3000);
    expect(gap.judge()).toMatchObject({ logWealth: before, elapsedMs: 3_001_000, reason: 'accumulating' });
    expect(() => gap.feed('GET /', START + 10, NOTHING, counted(1, 0))).toThrow('feeding slot');
  });
});

describe('endpoints', () => {
  it('of one release only neither harm nor help', () => {
    const judged = comparison();
    for (let second = 0; second < 60; second++) {
      judged.feed('GET /old', START + second, counted(100, 0), NOTHING);
      judged.feed('GET /new', START + second, NOTHING, counted(100, 100));
      judged.feed('GET /', START + second, counted(100, 0), counted(10, 0));
      judged.endSlot(START + second);
    }
    const said = judged.judge();
    expect(said.outcome).toBe('inconclusive');
    const reasons = new Map(said.judgements.map(({ check, reason }) => [check, reason]));
    expect(reasons.get('errors GET /old')).toBe('no_canary');
    expect(reasons.get('errors GET /new')).toBe('no_baseline');
    expect(reasons.get('errors GET /')).toBe('accumulating');
    expect(reasons.get('p99 GET /')).toBe('too_few_samples');
    expect(said.judgements.find(({ check }) => check === 'errors GET /new')?.evidence).toMatchObject({ weight: 0, share: 0 });
  });

  it('share wealth and weight without remainder beyond the reserve and the guards’ money', () => {
    const judged = comparison();
    const random = seeded(8);
    for (let second = 0; second < 40; second++) {
      for (const endpoint of ['GET /a', 'GET /b', 'GET /c']) {
        judged.feed(endpoint, START + second, armSlot(random, 200, 0.01), armSlot(random, 20, 0.02));
      }
      judged.endSlot(START + second);
    }
    const { judgements, logWealth } = judged.judge();
    const evidence = judgements.map((judgement) => judgement.evidence as ComparisonEvidence);
    const reserve = 0.7 * 0.2;
    const guards = 0.1;
    expect(evidence.reduce((sum, { weight }) => sum + weight, 0)).toBeCloseTo((1 - guards) * (1 - reserve), 12);
    expect(evidence.reduce((sum, { share }) => sum + share, 0)).toBeCloseTo(1 - (guards + (1 - guards) * reserve) / Math.exp(logWealth), 9);
    expect(new Set(evidence.map(({ endpoint }) => endpoint))).toEqual(new Set(['GET /a', 'GET /b', 'GET /c', '(all)']));
  });

  it('that are sick are told from those that are not', () => {
    const judged = comparison();
    const random = seeded(10);
    let second = 0;
    for (; judged.judge().outcome === 'inconclusive' && second < 60; second++) {
      for (const endpoint of ['GET /a', 'GET /b', 'POST /sick']) {
        judged.feed(endpoint, START + second, armSlot(random, 200, 0.001), armSlot(random, 20, endpoint === 'POST /sick' ? 0.3 : 0.001));
      }
      judged.endSlot(START + second);
    }
    expect(second).toBeLessThan(20);
    const { judgements, decidedBy } = judged.judge();
    expect(decidedBy).toMatch(/POST \/sick|\(all\)/);
    const failing = judgements.filter(({ outcome }) => outcome === 'fail').map(({ check }) => check);
    expect(failing.filter((check) => / GET /.test(check))).toEqual([]);
  });

  it('beyond the limit, and the overflow endpoint, are counted and never judged', () => {
    const judged = comparison();
    for (let second = 0; second < 5; second++) {
      for (let index = 0; index < MAX_ENDPOINTS; index++) judged.feed(`GET /${index}`, START + second, counted(20, 0), counted(2, 0));
      judged.feed('GET /one-too-many', START + second, counted(100, 0), counted(100, 100));
      judged.feed(OVERFLOW_ENDPOINT, START + second, counted(100, 0), counted(100, 100));
      judged.endSlot(START + second);
    }
    const said = judged.judge();
    expect(said.outcome).toBe('inconclusive');
    expect(said.logWealth).toBeLessThan(0);
    expect(said.judgements.at(-1)).toMatchObject({
      check: 'errors (other)',
      outcome: 'inconclusive',
      reason: 'overflow',
      evidence: { canary: { bad: 1000, total: 1000 }, weight: 0 },
    });
    expect(said.canaryRequests).toBe(5 * (2 * MAX_ENDPOINTS + 200));
    expect(said.judgements).toHaveLength((MAX_ENDPOINTS + 1) * 6 + 1);
  });

  it('may be fed in any order', () => {
    const names = ['GET /a', 'GET /b', 'POST /c', 'GET /d'];
    const run = (order: readonly string[]) => {
      const judged = comparison({ warmupMs: 10_000 });
      for (let second = 0; second < 90; second++) {
        for (const name of order) {
          const random = seeded(names.indexOf(name) * 1000 + second);
          if (name === 'GET /d' && second < 40) continue;
          judged.feed(name, START + second, armSlot(random, 40, 0.01), armSlot(random, 4, 0.02));
        }
        judged.endSlot(START + second);
      }
      const { judgements, unproven, ...said } = judged.judge();
      return { ...said, judgements: [...judgements] };
    };
    expect(run([...names].reverse())).toEqual(run(names));
  });
});

describe('the saved state', () => {
  it('continues to the bit, over JSON and at any second', () => {
    const run = (restartAt: number | null) => {
      let judged = comparison({ warmupMs: 20_000 });
      const said: unknown[] = [];
      for (let second = 0; second < 100; second++) {
        if (second === restartAt) {
          judged = CanaryComparison.restore(canaryPolicy({ warmupMs: 20_000 }), LAYOUT, JSON.parse(JSON.stringify(judged.snapshot())));
        }
        const random = seeded(second);
        for (const [index, name] of ['GET /a', 'GET /b', 'GET /slow'].entries()) {
          if (second < 30 * index) continue;
          judged.feed(name, START + second, armSlot(random, index === 2 ? 0.4 : 60, 0.01), armSlot(random, index === 2 ? 0.2 : 6, 0.03));
        }
        judged.endSlot(START + second);
        if (second > 95) said.push(JSON.stringify(judged.judge()));
      }
      return { said, state: judged.snapshot() };
    };
    const through = run(null);
    for (const restartAt of [0, 1, 19, 33, 64, 99]) expect(run(restartAt)).toEqual(through);
  });

  it('holds only finite numbers', () => {
    const judged = comparison();
    roll(judged, { rate: 20, canary: () => ({ errorRatio: 1 }) }, 60, 12);
    const text = JSON.stringify(judged.snapshot(), (_, value) => (typeof value === 'number' && !Number.isFinite(value) ? 'broken' : value));
    expect(text).not.toContain('broken');
    expect(text.length).toBeLessThan(20_000);
  });

  it('of another layout is refused', () => {
    const state = { ...comparison().snapshot(), buckets: 17 };
    expect(() => CanaryComparison.restore(canaryPolicy(), LAYOUT, state)).toThrow(expect.objectContaining({ code: 'state_mismatch' }));
  });
});

describe('whatever the counts are', () => {
  const arm = fc
    .record({
      scale: fc.constantFrom(0, 1, 30, 1e6, 1e9),
      failedPart: fc.double({ min: 0, max: 1, noNaN: true }),
      bucket: fc.nat(LAYOUT.size - 2),
    })
    .map(({ scale, failedPart, bucket }): ArmSlot => {
      const failed = Math.floor(scale * failedPart);
      const left = scale - failed;
      return {
        requests: scale,
        failed,
        size: left > 0 ? 2 : 0,
        buckets: [bucket, bucket + 1],
        counts: [Math.floor(left / 2), Math.ceil(left / 2)],
      };
    });

  it('the numbers stay finite and the wealth accounts for every check', () => {
    const second = fc.record({
      endpoint: fc.constantFrom('GET /a', 'GET /b', 'POST /c'),
      baseline: arm,
      canary: arm,
      gap: fc.constantFrom(0, 0, 0, 90),
    });
    fc.assert(
      fc.property(fc.array(second, { maxLength: 60 }), (seconds) => {
        const judged = comparison({ warmupMs: 5000 });
        let slot = START;
        for (const { endpoint, baseline, canary, gap } of seconds) {
          judged.skipTo(slot + gap);
          slot += gap;
          judged.feed(endpoint, slot, baseline, canary);
          judged.endSlot(slot++);
        }
        const { logWealth, judgements } = judged.judge();
        expect(Number.isFinite(logWealth)).toBe(true);
        let shares = 0;
        for (const { evidence } of judgements) {
          if (evidence.kind !== 'comparison') continue;
          const { share, logE, phi } = evidence;
          expect(Number.isFinite(logE) && phi >= 1 && Number.isFinite(phi) && share >= 0).toBe(true);
          shares += share;
        }
        expect(shares).toBeLessThanOrEqual(1 + 1e-9);
      }),
      { numRuns: 150 },
    );
  });
});

describe('more failures', () => {
  it('never lower the wealth', () => {
    const slots = fc.array(fc.tuple(fc.integer({ min: 0, max: 20 }), fc.integer({ min: 0, max: 30 }), fc.boolean()), {
      minLength: 1,
      maxLength: 60,
    });
    fc.assert(
      fc.property(slots, (drawn) => {
        const wealth = (extra: number) => {
          const judged = comparison({}, { ...PROCESS_LIMITS, isTempered: false });
          drawn.forEach(([failed, requests, isMore], second) => {
            const canary = Math.min(requests, Math.floor(failed / 3) + (isMore ? extra : 0));
            feed(judged, 1, counted(100, failed), counted(requests, canary), 'GET /', second);
          });
          return judged.judge();
        };
        const [fewer, more] = [wealth(0), wealth(2)];
        expect(more.logWealth).toBeGreaterThanOrEqual(fewer.logWealth - 1e-9);
        expect(fewer.outcome === 'fail' && more.outcome !== 'fail').toBe(false);
      }),
      { numRuns: 200 },
    );
  });

  it('never turn a canary that could not be promoted into one that is', () => {
    const outcomes = [0.001, 0.01, 0.03, 0.1].map(
      (errorRatio) => roll(comparison(), { rate: 50, canary: () => ({ errorRatio }) }, 320, 14).outcome,
    );
    expect(outcomes).toEqual(['pass', 'fail', 'fail', 'fail']);
  });
});

it('an endpoint that is known to come has its share of the money however late its first request is', () => {
  const weightOfLate = (isExpected: boolean): number => {
    const said = comparison();
    if (isExpected) for (const endpoint of ['GET /', 'GET /late']) said.expect(endpoint, 1000);
    feed(said, 10, counted(100, 1), counted(100, 1));
    feed(said, 10, counted(100, 1), counted(100, 1), 'GET /late', 10);
    const found = said.judge().judgements.find(({ check }) => check === 'errors GET /late')?.evidence as ComparisonEvidence | undefined;
    return found?.weight ?? Number.NaN;
  };
  const errors = 0.25;
  const guards = 0.9;
  // Half of what is left beside the pool (30 %) and the reserve (20 % of the rest), against a tenth of the reserve, there being no pool.
  expect(weightOfLate(true)).toBeCloseTo((guards * errors * 0.7 * 0.8) / 2, 9);
  expect(weightOfLate(false)).toBeCloseTo(guards * errors * 0.2 * 0.1, 9);
});
