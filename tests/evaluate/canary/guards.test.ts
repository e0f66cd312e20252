/** What is asked of the canary alone: that it keeps the error budget and absolute limits, and sends what it is meant to. */
import { describe, expect, it } from 'vitest';
import { CanaryComparison } from '../../../src/evaluate/canary/comparison.ts';
import { shareEvidence } from '../../../src/evaluate/canary/guard.ts';
import type { GuardEvidence, Judgement } from '../../../src/model/judgement.ts';
import { baselineHands, likePods, type Pod, rollPods } from '../pods.ts';
import { canaryPolicy } from '../policy.ts';
import { expectVector, vectors } from '../vectors.ts';
import { armSlot, counted, LAYOUT, NOTHING, poisson, START, seeded } from '../world.ts';

type Changes = Parameters<typeof canaryPolicy>[0];
interface Arm {
  readonly rate: number;
  readonly errorRatio: number;
  readonly slowdown?: number;
}

/** Plays random seconds until the comparison concludes; returns it and the second it did, or null. */
function play(judged: CanaryComparison, seconds: number, seed: number, baseline: (second: number) => Arm, canary: (second: number) => Arm) {
  const random = seeded(seed);
  for (let second = 0; second < seconds; second++) {
    const [b, c] = [baseline(second), canary(second)];
    judged.feed(
      'GET /',
      START + second,
      armSlot(random, b.rate, b.errorRatio, b.slowdown),
      armSlot(random, c.rate, c.errorRatio, c.slowdown),
    );
    judged.endSlot(START + second);
    if (judged.judge().outcome === 'fail' || judged.judge().reason === 'silence_proven') return second + 1;
  }
  return null;
}

/** The same without latencies, which none of the checks then bets on. */
function countedPlay(
  judged: CanaryComparison,
  seconds: number,
  seed: number,
  baseline: (second: number) => Arm,
  canary: (second: number) => Arm,
) {
  const random = seeded(seed);
  const arm = ({ rate, errorRatio }: Arm) => {
    const failed = poisson(random, rate * errorRatio);
    return counted(failed + poisson(random, rate * (1 - errorRatio)), failed);
  };
  for (let second = 0; second < seconds; second++) {
    judged.feed('GET /', START + second, arm(baseline(second)), arm(canary(second)));
    judged.endSlot(START + second);
    if (judged.judge().outcome === 'fail' || judged.judge().reason === 'silence_proven') return second + 1;
  }
  return null;
}

function comparison(changes: Changes = {}): CanaryComparison {
  return new CanaryComparison(canaryPolicy(changes), LAYOUT, START);
}

function judgement(judged: CanaryComparison, check: string): Judgement | undefined {
  return judged.judge().judgements.find((each) => each.check === check);
}

function median(values: readonly (number | null)[]): number {
  return [...values].map((value) => value ?? Infinity).sort((a, b) => a - b)[values.length >> 1] as number;
}

/** Tolerances that no comparison can prove to be exceeded, so that only guards are left. */
const ONLY_GUARDS: Changes = { errors: { oddsRatio: 1000, addRatio: 0.9, passAddRatio: 0.9 } };
const PLANNED = 0.05;

describe('the evidence of a guard', () => {
  it('is as published', () => {
    const out = new Float64Array(1);
    const { slo, traffic } = vectors.guards;
    shareEvidence([slo.g], slo.xc, slo.nc, slo.pMax, out);
    expectVector(out[0] as number, slo.logE);
    shareEvidence([traffic.g], traffic.nc, traffic.N, traffic.sMin, out);
    expectVector(out[0] as number, traffic.logE);
  });
});

describe('a canary that burns the budget', () => {
  const burning = (errorRatio: number, rate: number, seed: number) =>
    countedPlay(
      comparison({ ...ONLY_GUARDS, maxErrorRatio: 0.0144 }),
      1500,
      seed,
      () => ({ rate: rate * 19, errorRatio: 0.001 }),
      () => ({ rate, errorRatio }),
    );

  it.each([
    [0.03, 10, 190],
    [0.03, 100, 33],
    [0.1, 10, 26],
    [0.1, 100, 20],
  ])('with %d failures at %d requests a second is found in about the published time', (errorRatio, rate, seconds) => {
    expect(median(Array.from({ length: 21 }, (_, seed) => burning(errorRatio, rate, seed)))).toBeLessThanOrEqual(seconds);
  });

  it('is named as the reason', () => {
    const judged = comparison({ ...ONLY_GUARDS, maxErrorRatio: 0.0144 });
    for (let second = 0; second < 30; second++) {
      judged.feed('GET /', START + second, counted(1900, 2), counted(100, 10));
      judged.endSlot(START + second);
    }
    expect(judged.judge()).toMatchObject({ outcome: 'fail', reason: 'burn_proven', decidedBy: 'burn (all)', isSharedFailure: false });
    expect(judgement(judged, 'burn (all)')).toMatchObject({
      outcome: 'fail',
      reason: 'burn_proven',
      evidence: { kind: 'guard', guard: 'burn', limitRatio: 0.0144, canary: { bad: 300, total: 3000 }, edgeUs: null, weight: 0.05 },
    });
  });

  it('is not looked for where the policy does not ask', () => {
    const judged = comparison(ONLY_GUARDS);
    expect(
      countedPlay(
        judged,
        60,
        1,
        () => ({ rate: 1900, errorRatio: 0 }),
        () => ({ rate: 100, errorRatio: 0.3 }),
      ),
    ).toBeNull();
    expect(judgement(judged, 'burn (all)')).toBeUndefined();
  });

  it('in the very minutes in which its baseline does so too gives no evidence, and says that the trouble is shared', () => {
    for (const rate of [1, 10, 100]) {
      const judged = comparison({ maxErrorRatio: 0.0144 });
      const outage = (factor: number) => (second: number) => ({
        rate: rate * factor,
        errorRatio: second > 60 && second < 400 ? 0.3 : 0.001,
      });
      expect(countedPlay(judged, 300, rate, outage(4), outage(1))).toBeNull();
      expect(judgement(judged, 'burn (all)')?.evidence).toSatisfy(({ logE }: GuardEvidence) => logE < 1);
      expect(judged.judge().isSharedFailure).toBe(true);
    }
  });

  it('at the very limit is taken for one in none of 150 runs', () => {
    const found = Array.from({ length: 150 }, (_, seed) => burning(0.0144, 20, seed + 1000));
    expect(found.filter((second) => second !== null)).toEqual([]);
  });
});

describe('a canary that is silent', () => {
  const silent = (rate: number, share: (second: number) => number, seed: number, changes: Changes = {}) => {
    const judged = comparison(changes);
    judged.plan(PLANNED);
    return countedPlay(
      judged,
      1500,
      seed,
      () => ({ rate: rate * 19, errorRatio: 0 }),
      (second) => ({ rate: rate * share(second), errorRatio: 0 }),
    );
  };

  it.each([
    ['dead from the start', 1, () => 0, 29],
    ['dead from the start', 10, () => 0, 20],
    ['dead from the start', 100, () => 0, 20],
    ['with a quarter of its traffic', 1, () => 0.25, 170],
    ['with a quarter of its traffic', 10, () => 0.25, 26],
    ['with a quarter of its traffic', 100, () => 0.25, 20],
  ])('%s, planned for %d requests a second, is found in about the published time', (_, rate, share, seconds) => {
    expect(median(Array.from({ length: 15 }, (__, seed) => silent(rate, share, seed)))).toBeLessThanOrEqual(seconds);
  });

  it.each([
    [1, 51],
    [10, 34],
    [100, 39],
  ])('from its tenth minute on, planned for %d requests a second, is found soon', (rate, seconds) => {
    const found = Array.from({ length: 15 }, (_, seed) => silent(rate, (second) => (second < 600 ? 1 : 0), seed));
    expect(median(found) - 600).toBeLessThanOrEqual(seconds);
    expect(found.every((second) => second === null || second > 600)).toBe(true);
  });

  it('is found in no run of 150 in which it is not', () => {
    const found = Array.from({ length: 150 }, (_, seed) => {
      const noise = seeded(seed + 77);
      return silent(10, () => 0.6 + 0.8 * noise(), seed);
    });
    expect(found.filter((second) => second !== null)).toEqual([]);
  });

  it.each([
    ['hold', 'inconclusive'],
    ['rollback', 'fail'],
  ] as const)('leads to what the policy says: %s', (onSilence, outcome) => {
    const judged = comparison({ onSilence });
    judged.plan(PLANNED);
    const dying = (second: number) => ({ rate: second < 30 ? 10 : 0, errorRatio: 0 });
    expect(countedPlay(judged, 300, 3, () => ({ rate: 190, errorRatio: 0 }), dying)).toBeGreaterThan(30);
    const said = judged.judge();
    expect(said).toMatchObject({ outcome, reason: 'silence_proven', decidedBy: 'silence (all)' });
    expect(said.logWealth).toBeGreaterThanOrEqual(said.logLimit);
    expect(judgement(judged, 'silence (all)')).toMatchObject({
      outcome,
      reason: 'silence_proven',
      evidence: { guard: 'silence', limitRatio: 0.025 },
    });
    expect(said.judgements.filter((each) => each.outcome === 'fail' && each.reason !== 'silence_proven')).toEqual([]);
  });

  it('clears the hold when it comes back', () => {
    const judged = comparison();
    judged.plan(PLANNED);
    let second = 0;
    const feed = (seconds: number, canary: number) => {
      for (const end = second + seconds; second < end; second++) {
        judged.feed('GET /', START + second, counted(190, 0), counted(canary, 0));
        judged.endSlot(START + second);
      }
    };
    feed(60, 10);
    feed(90, 0);
    expect(judged.judge().reason).toBe('silence_proven');
    feed(3, 10);
    expect(judged.judge().reason).toBe('accumulating');
    feed(90, 0);
    expect(judged.judge().reason).toBe('silence_proven');
  });

  it('while it may still be starting is held, not rolled back', () => {
    const judged = comparison({ onSilence: 'rollback', warmupMs: 120_000 });
    judged.plan(PLANNED);
    const reasons = Array.from({ length: 200 }, (_, second) => {
      judged.feed('GET /', START + second, counted(190, 0), NOTHING);
      judged.endSlot(START + second);
      const { outcome } = judged.judge();
      expect(judgement(judged, 'silence (all)')?.outcome).toBe(outcome);
      return outcome;
    });
    expect(reasons.indexOf('fail')).toBe(119);
  });

  it('is asked for a larger share only when pods have had time to start', () => {
    const judged = comparison();
    judged.plan(0.05);
    const feed = (from: number, to: number) => {
      for (let second = from; second < to; second++) {
        judged.feed('GET /', START + second, counted(190, 0), counted(10, 0));
        judged.endSlot(START + second);
      }
    };
    feed(0, 60);
    judged.plan(0.5);
    feed(60, 118);
    expect(judged.judge().reason).toBe('accumulating');
    feed(118, 180);
    expect(judged.judge().reason).toBe('silence_proven');
    judged.plan(null);
    feed(180, 181);
    expect(judged.judge().reason).toBe('accumulating');
  });
});

describe('an absolute limit', () => {
  const criteria = [{ text: 'p95 < 500ms', endpoint: null, limitRatio: 0.05, edgeUs: 500_000 }];
  const arm = (rate: number, slowdown: number) => () => ({ rate, errorRatio: 0, slowdown });
  const lax = { ratio: 100, addUs: 1e7, passRatio: 100, passAddUs: 1e7 };
  const only: Changes = { ...ONLY_GUARDS, criteria, latency: { p50: lax, p95: lax, p99: lax } };

  it('is found to be broken', () => {
    const judged = comparison(only);
    expect(play(judged, 120, 1, arm(190, 1), arm(20, 4))).not.toBeNull();
    expect(judged.judge()).toMatchObject({ reason: 'criterion_breached', decidedBy: 'criterion p95 < 500ms (all)' });
    expect(judgement(judged, 'criterion p95 < 500ms (all)')).toMatchObject({
      outcome: 'fail',
      reason: 'criterion_breached',
      evidence: { guard: 'criterion', edgeUs: 500_000, limitRatio: 0.05 },
    });
  });

  it('is not, by a canary that keeps it or whose baseline breaks it too', () => {
    expect(play(comparison(only), 300, 2, arm(190, 1), arm(20, 1.5))).toBeNull();
    expect(play(comparison(only), 300, 3, arm(190, 4), arm(20, 4))).toBeNull();
  });

  it('for some endpoints asks nothing of others', () => {
    const some = comparison({ ...only, criteria: [{ text: 'errors < 5%', endpoint: 'GET /orders/**', limitRatio: 0.05, edgeUs: null }] });
    expect(
      countedPlay(
        some,
        60,
        4,
        () => ({ rate: 190, errorRatio: 0 }),
        () => ({ rate: 20, errorRatio: 0.4 }),
      ),
    ).toBeNull();
    expect(judgement(some, 'criterion errors < 5% GET /orders/**')).toMatchObject({
      reason: 'too_few_samples',
      evidence: { canary: { total: 0 } },
    });
  });
});

describe('a canary whose pods are told apart', () => {
  const HANDS = baselineHands(4);
  const PLAIN_POD: Pod = { rate: 33, errorRatio: 0.001, slowdown: 1, lane: 3 };
  /** Nobody else may prove it: tolerances far beyond what happens, and one guard. */
  const lenient = canaryPolicy({
    maxErrorRatio: 0.0144,
    errors: { oddsRatio: 100, addRatio: 0.5, passAddRatio: 0.9 },
  });

  it.each([
    ['is proven to burn the budget when all of its pods do', () => likePods(3, 100, 0.05), 'burn_proven', 60],
    ['is not when one of them does, for a quarter of an hour', () => [...likePods(2, 66), { ...PLAIN_POD, errorRatio: 0.3 }], null, 900],
    ['is when that pod does not tell its name', () => [...likePods(2, 66), { ...PLAIN_POD, errorRatio: 0.3, lane: 0 }], 'burn_proven', 60],
  ] as const)('%s', (_, pods, reason, seconds) => {
    const judged = new CanaryComparison(lenient, LAYOUT, START);
    rollPods(judged, HANDS, pods, seconds, 5);
    const said = judged.judge();
    expect(said.outcome === 'fail' ? said.reason : null).toBe(reason);
  });
});
