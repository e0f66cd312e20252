/** What a run says of what it can still find, and where it puts its money. */
import { describe, expect, it } from 'vitest';
import { CanaryComparison } from '../../../src/evaluate/canary/comparison.ts';
import type { ComparisonEvidence } from '../../../src/model/judgement.ts';
import { slotStartMs } from '../../../src/model/time.ts';
import { canaryPolicy } from '../policy.ts';
import { armSlot, counted, LAYOUT, roll, START, seeded } from '../world.ts';

type Changes = Parameters<typeof canaryPolicy>[0];
const PATIENT: Changes = { minPassMs: 3_600_000 };

/** Requests per second of the busy and the rare endpoint in a run of `seconds`, the canary getting a twentieth. */
function run(seconds: number, changes: Changes = {}, planned: number | null = null, rare = 0.02): CanaryComparison {
  const judged = new CanaryComparison(canaryPolicy({ ...PATIENT, ...changes }), LAYOUT, START);
  judged.plan(planned);
  const random = seeded(3);
  for (const [name, rate] of [
    ['GET /busy', 200],
    ['GET /rare', rare],
  ] as const) {
    for (let back = 90; back > 0; back--) judged.prime(name, slotStartMs(START - (back - 1) * 10), armSlot(random, rate * 10, 0.001));
  }
  for (let second = 0; second < seconds; second++) {
    judged.feed('GET /busy', START + second, armSlot(random, 190, 0.001), armSlot(random, 10, 0.001));
    // A steady trickle, so that the endpoint is there from the first second on.
    judged.feed('GET /rare', START + second, counted(second % 20 === 0 ? 10 : 0, 0), counted(second % 20 === 0 ? 1 : 0, 0));
    judged.endSlot(START + second);
  }
  return judged;
}

const weightOf = (judged: CanaryComparison, endpoint: string): number =>
  judged
    .judge()
    .judgements.map(({ evidence }) => evidence as ComparisonEvidence)
    .filter((evidence) => evidence.endpoint === endpoint)
    .reduce((sum, { weight }) => sum + weight, 0);

describe('the outlook of a run', () => {
  it('is empty before money is split and once something is proven', () => {
    expect(new CanaryComparison(canaryPolicy(), LAYOUT, START).judge().outlook).toEqual([]);
    const sick = new CanaryComparison(canaryPolicy(), LAYOUT, START);
    expect(roll(sick, { rate: 100, canary: () => ({ errorRatio: 0.3 }) }, 60, 1).outcome).toBe('fail');
    expect(sick.judge().outlook).toEqual([]);
  });

  it('lists each check that is planned for, the least certain first, and knows what is found in time', () => {
    const { outlook } = run(120).judge();
    expect(outlook.map(({ check }) => check).sort()).toEqual(
      ['GET /busy', 'GET /rare'].flatMap((endpoint) => ['errors', 'p50', 'p95', 'p99'].map((metric) => `${metric} ${endpoint}`)).sort(),
    );
    expect(outlook[0]?.endpoint).toBe('GET /rare');
    const errors = outlook.find(({ check }) => check === 'errors GET /busy');
    expect(errors).toMatchObject({ isJudgeable: true, effect: { kind: 'errors', addRatio: 0.01 } });
    expect(errors?.neededMs).toBeGreaterThan(20_000);
    expect(errors?.neededMs).toBeLessThan(600_000);
    expect(errors?.smallest).toMatchObject({ kind: 'errors' });
  });

  it('asks for less time the more evidence of harm there is', () => {
    const needed = (judged: CanaryComparison) => judged.judge().outlook.find(({ check }) => check === 'errors GET /')?.neededMs ?? Infinity;
    const neededAfter = (seconds: number, errorRatio: number) => {
      const judged = new CanaryComparison(canaryPolicy(PATIENT), LAYOUT, START);
      roll(judged, { rate: 10, canary: () => ({ errorRatio }) }, seconds, 4);
      return needed(judged);
    };
    expect(neededAfter(60, 0.012)).toBeLessThan(neededAfter(60, 0.001));
  });

  it.each([[300], [900], [1800]])('of harm that comes after %d healthy seconds is near what it then takes', (onset) => {
    const times = Array.from({ length: 7 }, (_, seed) => {
      const judged = new CanaryComparison(canaryPolicy(PATIENT), LAYOUT, START);
      roll(judged, { rate: 10 }, onset, seed);
      const planned = judged.judge().outlook.find(({ check }) => check === 'errors GET /')?.neededMs ?? Infinity;
      const whole = new CanaryComparison(canaryPolicy(PATIENT), LAYOUT, START);
      const { second } = roll(whole, { rate: 10, canary: (at) => (at < onset ? {} : { errorRatio: 0.011 }) }, onset + 2000, seed);
      return { planned, taken: (second - onset) * 1000 };
    });
    const median = (values: number[]) => values.sort((a, b) => a - b)[3] as number;
    const ratio = median(times.map(({ planned }) => planned)) / median(times.map(({ taken }) => taken));
    expect(ratio).toBeGreaterThan(0.5);
    expect(ratio).toBeLessThan(2);
  });

  it('is bounded for many endpoints', () => {
    const judged = new CanaryComparison(canaryPolicy(), LAYOUT, START);
    for (let second = 0; second < 5; second++) {
      for (let index = 0; index < 60; index++) judged.feed(`GET /${index}`, START + second, counted(20, 0), counted(2, 0));
      judged.endSlot(START + second);
    }
    expect(judged.judge().outlook).toHaveLength(100);
  });
});

describe('a check that cannot be judged at its traffic', () => {
  const reasonOf = (judged: CanaryComparison, check: string) => judged.judge().judgements.find((each) => each.check === check)?.reason;

  it('says so when warm-up is over, while others gather evidence', () => {
    const judged = run(100, { warmupMs: 80_000, horizonMs: 600_000 });
    expect(reasonOf(judged, 'errors GET /rare')).toBe('not_judgeable');
    expect(reasonOf(judged, 'errors GET /busy')).toBe('accumulating');
    expect(reasonOf(run(75, { warmupMs: 80_000, horizonMs: 600_000 }), 'errors GET /rare')).toBe('warming_up');
  });

  it('is not written off in the first minute', () => {
    expect(reasonOf(run(50, { horizonMs: 600_000 }), 'errors GET /rare')).toBe('accumulating');
  });

  it('leaves its money to others when its past says so before the run', () => {
    const [hopeless, hopeful] = [run(60, { horizonMs: 600_000 }), run(60, { horizonMs: 360_000_000 })];
    expect(weightOf(hopeless, 'GET /rare')).toBeLessThan(weightOf(hopeful, 'GET /rare') / 5);
    expect(weightOf(hopeless, 'GET /rare')).toBeGreaterThan(0);
    expect(weightOf(hopeless, 'GET /busy')).toBeGreaterThan(weightOf(hopeful, 'GET /busy'));
    const all = (judged: CanaryComparison) => weightOf(judged, 'GET /rare') + weightOf(judged, 'GET /busy');
    expect(all(hopeless)).toBeCloseTo(all(hopeful), 12);
  });

  it('keeps it where the past promises enough for some step of the rollout, however small the present one', () => {
    const [small, unplanned] = [run(60, {}, 0.001, 20), run(60, {}, null, 20)];
    expect(weightOf(small, 'GET /rare')).toBe(weightOf(unplanned, 'GET /rare'));
    expect(weightOf(small, 'GET /rare')).toBeGreaterThan(weightOf(small, 'GET /busy') / 5);
  });

  it('is not one when all traffic is planned to go to the canary while the baseline still gets some', () => {
    expect(reasonOf(run(100, {}, 1), 'errors GET /busy')).toBe('accumulating');
  });
});
