/** What a run remembers of its course: evidence over time, when harm began, and whether both releases get the same mixture of requests. */
import { describe, expect, it } from 'vitest';
import { CanaryComparison } from '../../../src/evaluate/canary/comparison.ts';
import { Trails } from '../../../src/evaluate/canary/trail.ts';
import type { ComparisonEvidence, TrafficMixEvidence } from '../../../src/model/judgement.ts';
import { slotStartMs } from '../../../src/model/time.ts';
import { canaryPolicy } from '../policy.ts';
import { armSlot, counted, LAYOUT, roll, START, seeded, type World } from '../world.ts';

function comparison(changes: Parameters<typeof canaryPolicy>[0] = {}): CanaryComparison {
  return new CanaryComparison(canaryPolicy(changes), LAYOUT, START);
}

function evidenceOf(judged: CanaryComparison, check: string): ComparisonEvidence {
  return judged.judge().judgements.find((each) => each.check === check)?.evidence as ComparisonEvidence;
}

describe('a trail', () => {
  const taken = (capacity: number, slots: number) => {
    const trails = new Trails(capacity);
    for (let slot = START; slot < START + slots; slot++) {
      if (!trails.begin(slot)) continue;
      trails.add('early', [{ logE: (slot - START) / 1000 }]);
      if (slot >= START + 100) trails.add('late', [{ logE: 1 }, { logE: -0.004 }]);
      trails.finish();
    }
    return trails;
  };

  it.each([1, 10, 31, 32, 33, 100, 1000, 3600])('of %d seconds is bounded, in order, evenly spaced and up to date', (slots) => {
    const points = taken(32, slots).points('early', 0, START + slots, (slots - 1) / 1000);
    expect(points.length).toBeLessThanOrEqual(32);
    expect(points.length).toBeGreaterThanOrEqual(Math.min(slots, 15));
    expect(points.at(-1)?.at).toBe(slotStartMs(START + slots));
    const steps = points.slice(1, -1).map(({ at }, index) => at - (points[index]?.at ?? 0));
    expect(new Set(steps).size).toBeLessThanOrEqual(1);
    for (const { at, logE } of points) expect(Math.abs(logE - (at - slotStartMs(START + 1)) / 1e6)).toBeLessThan(0.0051);
  });

  it('of a check that came later starts later, at the same times', () => {
    const trails = taken(32, 1000);
    const early = trails.points('early', 0, START + 1000, 0).map(({ at }) => at);
    const late = trails.points('late', 1, START + 1000, 0).map(({ at }) => at);
    expect(late.length).toBeGreaterThan(10);
    expect(early.slice(-late.length)).toEqual(late);
    expect(late[0]).toBeGreaterThan(slotStartMs(START + 100));
  });

  it('depends on the slots alone and goes on from a saved state', () => {
    const whole = taken(32, 500);
    const saved = Trails.restore(32, JSON.parse(JSON.stringify(whole.snapshot())));
    expect(saved.snapshot()).toEqual(whole.snapshot());
    expect(saved.points('early', 0, START + 500, 0.499)).toEqual(whole.points('early', 0, START + 500, 0.499));
  });

  it('is shown for each check and for the run, and ends with what is so now', () => {
    const judged = comparison();
    roll(judged, { rate: 100, canary: (second) => (second < 200 ? {} : { errorRatio: 0.05 }) }, 260, 3);
    const { trail, logWealth } = judged.judge();
    expect(trail.length).toBeLessThanOrEqual(128);
    expect(trail.at(-1)?.logE).toBeCloseTo(logWealth, 2);
    expect(Math.max(...trail.slice(0, -10).map(({ logE }) => logE))).toBeLessThan(2);
    const errors = evidenceOf(judged, 'errors GET /');
    expect(errors.trail.length).toBeLessThanOrEqual(32);
    expect(errors.trail.length).toBeGreaterThan(15);
    expect(errors.trail.at(-1)?.logE).toBeCloseTo(errors.logE, 2);
    // Alone it would need the whole limit, and its share of the money more.
    expect(errors.logNeeded).toBeCloseTo(Math.log(100 / errors.weight), 9);
  });
});

describe('the onset', () => {
  const worlds: [string, number, (second: number, at: number) => { errorRatio?: number; slowdown?: number }, string, number][] = [
    ['5 % errors', 100, (second, at) => (second < at ? {} : { errorRatio: 0.05 }), 'errors GET /', 8],
    ['1 % errors', 100, (second, at) => (second < at ? {} : { errorRatio: 0.01 }), 'errors GET /', 20],
    ['a median 30 % slower', 100, (second, at) => (second < at ? {} : { slowdown: 1.3 }), 'p50 GET /', 10],
    ['a median 30 % slower', 10, (second, at) => (second < at ? {} : { slowdown: 1.3 }), 'p50 GET /', 30],
  ];
  it.each(worlds)('of %s at %d requests a second lies near where it was', (_, rate, sickness, check, seconds) => {
    for (const onset of [0, 200]) {
      const away = Array.from({ length: 7 }, (__, seed) => {
        const judged = comparison({ minPassMs: 3_600_000 });
        const world: World = { rate, canary: (second) => sickness(second, onset) };
        expect(roll(judged, world, onset + 200, seed).outcome).toBe('fail');
        const { onsetAt } = evidenceOf(judged, check);
        return Math.abs((onsetAt ?? Infinity) - slotStartMs(START + onset)) / 1000;
      }).sort((a, b) => a - b);
      expect(away[3]).toBeLessThanOrEqual(seconds);
      expect(away[5]).toBeLessThanOrEqual(5 * seconds);
    }
  });

  it('is not told of a canary that is well', () => {
    const judged = comparison();
    roll(judged, { rate: 100 }, 200, 2);
    for (const { evidence } of judged.judge().judgements) {
      const { logE, onsetAt } = evidence as ComparisonEvidence;
      expect(onsetAt === null).toBe(logE <= 0);
    }
  });

  it('is a moment of event time, also after a gap in the stream', () => {
    const judged = comparison();
    const random = seeded(5);
    for (let second = 0; second < 160; second++) {
      if (second === 100) judged.skipTo(START + 5000);
      const slot = START + second + (second >= 100 ? 4900 : 0);
      judged.feed('GET /', slot, armSlot(random, 900, 0.001), armSlot(random, 100, second < 130 ? 0.001 : 0.1));
      judged.endSlot(slot);
    }
    const { onsetAt } = evidenceOf(judged, 'errors GET /');
    expect(Math.abs((onsetAt ?? 0) - slotStartMs(START + 5030))).toBeLessThanOrEqual(10_000);
  });
});

describe('the mixture of requests', () => {
  /** Feeds 10 minutes of two endpoints, `canary` being the second's share of the canary's requests. */
  const mixed = (canary: number, baseline = 0.5, rate = 60) => {
    const judged = comparison();
    const random = seeded(6);
    for (let second = 0; second < 400; second++) {
      judged.feed(
        'GET /a',
        START + second,
        armSlot(random, rate * 19 * (1 - baseline), 0.001),
        armSlot(random, rate * (1 - canary), 0.001),
      );
      judged.feed('GET /b', START + second, armSlot(random, rate * 19 * baseline, 0.001), armSlot(random, rate * canary, 0.001));
      judged.endSlot(START + second);
    }
    return judged;
  };
  const mixOf = (judged: CanaryComparison) => judged.judge().judgements.find(({ check }) => check === 'traffic mix');

  it('that differs is told, with the endpoints that differ most, and keeps a canary from being promoted', () => {
    const judged = mixed(0.8);
    expect(mixOf(judged)).toMatchObject({ outcome: 'inconclusive', reason: 'confounded', evidence: { kind: 'mix', limit: 0.1 } });
    const mix = mixOf(judged)?.evidence;
    const { distance, endpoints } = mix as TrafficMixEvidence;
    expect(distance).toBeGreaterThan(0.25);
    expect(distance).toBeLessThan(0.3);
    const second = endpoints.find(({ endpoint }) => endpoint === 'GET /b');
    expect(second?.baselineShare).toBeCloseTo(0.5, 1);
    expect(second?.canaryShare).toBeCloseTo(0.8, 1);
    expect(judged.judge()).toMatchObject({ outcome: 'inconclusive', reason: 'confounded' });
  });

  it('that is alike goes without saying', () => {
    const judged = mixed(0.55);
    expect(mixOf(judged)).toBeUndefined();
    expect(judged.judge()).toMatchObject({ outcome: 'pass', reason: 'health_proven' });
  });

  it('does not keep a sick canary from being rolled back', () => {
    const judged = mixed(0.8);
    for (let second = 400; second < 430; second++) {
      judged.feed('GET /a', START + second, counted(190, 0), counted(20, 10));
      judged.endSlot(START + second);
    }
    expect(judged.judge().outcome).toBe('fail');
  });

  it('is not talked about below a thousand requests, nor for endpoints that are new with the canary', () => {
    expect(mixOf(mixed(0.8, 0.5, 1))).toBeUndefined();
    expect(mixOf(mixed(0.4, 0))).toBeUndefined();
  });

  it('of many endpoints does not differ by chance', () => {
    const random = seeded(8);
    const judged = comparison();
    for (let second = 0; second < 60; second++) {
      for (let index = 0; index < 200; index++) {
        judged.feed(`GET /${index}`, START + second, armSlot(random, 2, 0), armSlot(random, 0.2, 0));
      }
      judged.endSlot(START + second);
    }
    expect(mixOf(judged)).toBeUndefined();
    expect(judged.judge().canaryRequests).toBeGreaterThan(1000);
  });

  it('of long ago is forgotten', () => {
    const judged = mixed(0.8);
    for (let second = 400; second < 2000; second++) {
      judged.feed('GET /a', START + second, counted(190, 0), counted(10, 0));
      judged.feed('GET /b', START + second, counted(190, 0), counted(10, 0));
      judged.endSlot(START + second);
    }
    expect(mixOf(judged)).toBeUndefined();
  });
});
