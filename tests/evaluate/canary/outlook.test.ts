/** What planning promises, against what simulated runs then take. */
import { describe, expect, it } from 'vitest';
import { CanaryComparison } from '../../../src/evaluate/canary/comparison.ts';
import { type PlannedEndpoint, planOutlook } from '../../../src/evaluate/canary/plan-outlook.ts';
import type { Outlook } from '../../../src/model/outlook.ts';
import type { CanaryPolicy, CheckName } from '../../../src/model/policy.ts';
import { canaryPolicy } from '../policy.ts';
import { armSlot, LAYOUT, roll, START, seeded, type World } from '../world.ts';

const CANARY_SHARE = 0.05;

/** Today's traffic as `roll` makes it: five minutes of latencies, one failure in a thousand. */
function planned(canaryRate: number, endpoint = 'GET /'): PlannedEndpoint {
  const baselineRate = canaryRate / CANARY_SHARE;
  const slot = armSlot(seeded(1), baselineRate * 300, 0.001);
  const total = Array.from(slot.counts).reduce((sum, count) => sum + count, 0);
  const latency = {
    total,
    countAtOrBelow: (us: number) => {
      let below = 0;
      for (let i = 0; i < slot.size; i++)
        if (LAYOUT.highestEquivalentUs(slot.buckets[i] as number) <= us) below += slot.counts[i] as number;
      return below;
    },
    quantile: (q: number) => {
      let below = 0;
      for (let i = 0; i < slot.size; i++) {
        below += slot.counts[i] as number;
        if (below >= q * total) return LAYOUT.highestEquivalentUs(slot.buckets[i] as number);
      }
      return Number.NaN;
    },
  };
  return { endpoint, baselineRate, errorRatio: 0.001, latency };
}

/** A policy that judges one check alone, so that no other can be quicker. */
function only(check: CheckName): CanaryPolicy {
  const { checks } = canaryPolicy();
  const muted = { weight: 1, isCritical: false, isMuted: true };
  return canaryPolicy({ checks: { p50: muted, p95: muted, p99: muted, errors: muted, [check]: checks[check] } });
}

function plan(canaryRate: number, check: CheckName, policy = canaryPolicy()): Outlook {
  const all = planOutlook({ policy, endpoints: [planned(canaryRate)], canaryShare: CANARY_SHARE });
  const found = all.find((each) => each.metric === check);
  if (found === undefined) throw new Error(`nothing planned for ${check}`);
  return found;
}

/** Median milliseconds in which runs of this world are decided. */
function taken(policy: CanaryPolicy, world: World): number {
  const seconds = Array.from({ length: 11 }, (_, seed) => roll(new CanaryComparison(policy, LAYOUT, START), world, 3600, seed).second);
  return 1000 * (seconds.sort((a, b) => a - b)[5] as number);
}

describe('the planned time', () => {
  it.each([
    ['errors', 3, { errorRatio: 0.011 }],
    ['errors', 10, { errorRatio: 0.011 }],
    ['errors', 100, { errorRatio: 0.011 }],
    ['p50', 3, { slowdown: 1.25 }],
    ['p50', 10, { slowdown: 1.25 }],
    ['p50', 100, { slowdown: 1.25 }],
    ['p95', 10, { slowdown: 1.3 }],
    ['p95', 100, { slowdown: 1.3 }],
    ['p99', 30, { slowdown: 1.5 }],
    ['p99', 100, { slowdown: 1.5 }],
  ] as const)('until %s are found at %d requests a second is what it takes, within a factor of two', (check, rate, sickness) => {
    const policy = only(check);
    const { neededMs } = plan(rate, check, policy);
    const simulated = taken(policy, { rate, canary: () => sickness });
    expect(neededMs).toBeGreaterThan(simulated / 2);
    expect(neededMs).toBeLessThan(simulated * 2);
  });

  it('shrinks with traffic', () => {
    for (const check of ['p50', 'p95', 'p99', 'errors'] as const) {
      const times = [1, 3, 10, 30, 100].map((rate) => plan(rate, check).neededMs ?? Infinity);
      expect(times).toEqual([...times].sort((a, b) => b - a));
    }
  });

  it('is never where there is no traffic, or nothing is known of the quantile', () => {
    const known = planned(10);
    const unknown = { ...known, latency: { total: 0, countAtOrBelow: () => 0, quantile: () => Number.NaN } };
    const idle = { ...known, endpoint: 'GET /idle', baselineRate: 0 };
    const all = planOutlook({ policy: canaryPolicy(), endpoints: [unknown, idle], canaryShare: CANARY_SHARE });
    expect(all.map(({ check, neededMs, smallest, isJudgeable }) => [check, neededMs === null, smallest === null, isJudgeable])).toEqual([
      ['p50 GET /', true, true, false],
      ['p95 GET /', true, true, false],
      ['p99 GET /', true, true, false],
      ['errors GET /', false, false, true],
    ]);
  });
});

describe('the smallest regression that is found in time', () => {
  it.each(['p50', 'p95', 'p99', 'errors'] as const)('of %s is smaller with more traffic', (check) => {
    const sizes = [3, 10, 30, 100].map((rate) => {
      const { smallest } = plan(rate, check);
      return smallest?.kind === 'latency' ? smallest.ratio : (smallest?.addRatio ?? Infinity);
    });
    expect(sizes).toEqual([...sizes].sort((a, b) => b - a));
  });

  it('of errors is found in time indeed', () => {
    const policy = { ...only('errors'), horizonMs: 900_000 };
    const { smallest } = plan(10, 'errors', policy);
    if (smallest?.kind !== 'errors') throw new Error('no smallest effect of errors');
    expect(smallest.addRatio).toBeLessThan(0.01);
    const simulated = taken(policy, { rate: 10, canary: () => ({ errorRatio: 0.001 + smallest.addRatio }) });
    expect(simulated).toBeGreaterThan(900_000 / 2);
    expect(simulated).toBeLessThan(900_000 * 2);
  });
});

describe('the outlook', () => {
  it('lists the least certain first and leaves out what is muted', () => {
    const endpoints = [planned(100, 'GET /busy'), planned(1, 'GET /rare'), planned(10, 'GET /muted')];
    const policy = canaryPolicy({ endpoints: [{ endpoint: 'GET /muted', weight: 1, isCritical: false, isMuted: true }] });
    const all = planOutlook({ policy, endpoints, canaryShare: CANARY_SHARE });
    expect(all).toHaveLength(8);
    expect(all[0]).toMatchObject({ check: 'p99 GET /rare', neededMs: expect.any(Number), effect: { kind: 'latency', ratio: 1.5 } });
    expect(all.at(-1)?.endpoint).toBe('GET /busy');
  });

  it('says that a trickle of traffic cannot be judged', () => {
    const policy = canaryPolicy({ horizonMs: 600_000 });
    const [endpoint] = [planned(100)];
    const trickle = { ...(endpoint as PlannedEndpoint), baselineRate: 0.05 };
    for (const { isJudgeable } of planOutlook({ policy, endpoints: [trickle], canaryShare: CANARY_SHARE })) expect(isJudgeable).toBe(false);
  });
});
