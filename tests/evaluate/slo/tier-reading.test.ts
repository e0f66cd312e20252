/** What tiers see, against the tables and worked examples of the SRE Workbook, chapter 5. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { periodVolume } from '../../../src/evaluate/slo/period-volume.ts';
import { isCalm, readTier } from '../../../src/evaluate/slo/tier-reading.ts';
import { errorBudget } from '../../../src/model/error-budget.ts';
import type { AlertPolicy, Tier } from '../../../src/model/objective.ts';
import { googleTiers } from '../../../src/model/tier.ts';

const SECOND_MS = 1000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
const MONTH_MS = 30 * DAY_MS;

const [FAST, SLOW, DAILY, TRICKLE] = googleTiers(MONTH_MS) as [Tier, Tier, Tier, Tier];

function counts(valid: number, bad: number, lengthMs = HOUR_MS) {
  return { from: 0, to: lengthMs, valid, bad };
}

function read(
  tier: Tier,
  long: readonly [valid: number, bad: number],
  short: readonly [valid: number, bad: number],
  change: { target?: number; period?: number | null } & Partial<AlertPolicy> = {},
) {
  return readTier({
    tier,
    long: counts(...long),
    short: counts(...short),
    target: change.target ?? 0.999,
    policy: { basis: change.basis ?? 'rate', minBad: change.minBad ?? 1 },
    period: change.period ?? null,
  });
}

describe('the rate form', () => {
  it.each([
    ['36 bad of 2,500 burn at 14.4, which is not above it', 36, 2500, 14.4, false],
    ['37 of 2,500 are', 37, 2500, 14.8, true],
    ['one failure of ten burns at 100, not at the printed 1,000', 1, 10, 100, true],
    ['nothing bad burns at 0', 0, 2500, 0, false],
  ])('%s', (_, bad, valid, burn, isFiring) => {
    const reading = read(FAST, [valid, bad], [valid, bad]);
    expect(reading.longBurn).toBeCloseTo(burn, 12);
    expect(reading.isFiring).toBe(isFiring);
  });

  it.each([
    ['fast page', FAST, 14.4],
    ['slow page', SLOW, 6],
    ['daily ticket', DAILY, 3],
    ['trickle ticket', TRICKLE, 1],
  ])('does not fire at exactly the burn of the %s, whatever the traffic, and does at one more', (_, tier, burn) => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1_000_000 }), fc.constantFrom(0.99, 0.995, 0.999, 0.9999), (thousands, target) => {
        const perBad = burn * errorBudget(target);
        const valid = thousands * 1000 * 50;
        const bad = Math.round(perBad * valid);
        fc.pre(Math.abs(bad - perBad * valid) < 1e-6);
        expect(read(tier, [valid, bad], [valid, bad], { target }).isFiring).toBe(false);
        expect(read(tier, [valid, bad + 1], [valid, bad + 1], { target }).isFiring).toBe(true);
      }),
    );
  });

  it.each([
    ['both windows above', [1000, 100], [100, 50], 'rate'],
    ['an outage that is over: the short window is good again', [1000, 100], [100, 0], 'below_short'],
    ['a blip: the long window has hardly felt it', [100_000, 100], [100, 50], 'below_long'],
    ['too few bad events, whatever their share', [4, 4], [4, 4], 'too_few_bad'],
    ['no request at all', [0, 0], [0, 0], 'no_data'],
    ['no request in the short window', [1000, 100], [0, 0], 'below_short'],
  ] as const)('says why: %s', (_, long, short, why) => {
    expect(read(FAST, long, short, { minBad: 10 }).why).toBe(why);
  });
});

describe('the numbers of the Workbook', () => {
  /** Detection by replay: seconds of a steady outage of `errorRatio` until the tier fires, at 1,000 requests a second after a clean past. */
  function detectionSeconds(tier: Tier, errorRatio: number, target: number): number {
    for (let second = 1; second <= tier.longMs / SECOND_MS; second++) {
      const badSeconds = (windowMs: number) => Math.min(second, windowMs / SECOND_MS);
      const over = (windowMs: number) => [windowMs, badSeconds(windowMs) * SECOND_MS * errorRatio] as const;
      if (read(tier, over(tier.longMs), over(tier.shortMs), { target }).isFiring) return second;
    }
    return Number.POSITIVE_INFINITY;
  }

  it.each([
    ['a total outage, fast page: 0.001 × 1 h × 14.4 = 51.84 s', FAST, 1, 51.84],
    ['a tenth fails, fast page: 518.4 s', FAST, 0.1, 518.4],
    ['a total outage, slow page: 129.6 s', SLOW, 1, 129.6],
    ['a total outage, daily ticket', DAILY, 1, 259.2],
    ['a total outage, trickle ticket', TRICKLE, 1, 259.2],
    ['one in fifty, fast page: 43 min 12 s', FAST, 0.02, 2592],
  ])('detection takes (1 - target) / errorRatio × window × burn: %s', (_, tier, errorRatio, seconds) => {
    expect((errorBudget(0.999) / errorRatio) * (tier.longMs / SECOND_MS) * tier.burnRate).toBeCloseTo(seconds, 6);
    // Second by second: the first whole one after it.
    expect(detectionSeconds(tier, errorRatio, 0.999)).toBe(Math.floor(seconds) + 1);
  });

  it.each([
    ['14.4 exhausts 30 days in 50 h', 14.4, 50],
    ['6 in 5 days', 6, 120],
    ['3 in 10 days', 3, 240],
    ['1 in 30 days', 1, 720],
  ])('a burn of %s', (_, burn, hours) => {
    expect(MONTH_MS / burn / HOUR_MS).toBeCloseTo(hours, 9);
    // Spent within the last hour, as the budget form has it, at even traffic of 1,000 an hour.
    expect(read(FAST, [1000, burn], [100, burn / 10], { period: 720_000 }).longSpent).toBeCloseTo(1 / hours, 12);
  });

  it('one failure in ten requests an hour is 13.9 % of a 30-day budget', () => {
    const period = periodVolume({ windowMs: MONTH_MS, total: { valid: 10 }, day: { valid: 10 }, hour: { valid: 10 } });
    expect(period).toBe(7200);
    expect(read(FAST, [10, 1], [10, 1], { period }).longSpent).toBeCloseTo(0.1389, 4);
  });

  it('at 90 % a total outage burns 1.39 % of the budget an hour, so 14.4 can never fire', () => {
    const outage = read(FAST, [1000, 1000], [100, 100], { target: 0.9, period: 720_000 });
    expect(outage.longSpent).toBeCloseTo(0.0139, 4);
    expect(outage.longBurn).toBe(10);
    expect(outage.isFiring).toBe(false);
  });

  it('at 99.999 % a total outage has spent 30 days after 25.9 s, and at a canary of 1 % after 43 min', () => {
    const spentBy = (seconds: number, share: number) => {
      const bad = 1000 * seconds * share;
      return read(FAST, [3_600_000, bad], [300_000, bad], { target: 0.99999, period: 1000 * (MONTH_MS / SECOND_MS) }).longSpent;
    };
    expect(spentBy(25.92, 1)).toBeCloseTo(1, 9);
    expect(spentBy(43.2 * 60, 0.01)).toBeCloseTo(1, 9);
  });

  it('fires in every outage of 5 minutes every 10, where waiting for 10 minutes of it never would', () => {
    // At 1,000 requests a second for two hours; bad in the first half of every 10 minutes.
    const badWithin = (fromSec: number, toSec: number) => {
      let bad = 0;
      for (let sec = Math.max(fromSec, 0); sec < toSec; sec++) if (sec % 600 < 300) bad += 1000;
      return bad;
    };
    const firing: boolean[] = [];
    for (let sec = 10; sec <= 7200; sec += 10) {
      const over = (windowMs: number) => [windowMs, badWithin(sec - windowMs / SECOND_MS, sec)] as const;
      firing.push(read(FAST, over(FAST.longMs), over(FAST.shortMs)).isFiring);
    }
    for (let cycle = 0; cycle < 12; cycle++) expect(firing.slice(cycle * 60, cycle * 60 + 30)).toContain(true);
    let run = 0;
    let longest = 0;
    for (const isFiring of firing) {
      run = isFiring ? run + 1 : 0;
      longest = Math.max(longest, run * 10);
    }
    expect(longest).toBeLessThan(600);
  });
});

describe('the budget-count form', () => {
  it('does not page for 2 of 2 at night on a route that serves thousands by day, where the rate form does', () => {
    const period = 30 * 10_000;
    expect(read(FAST, [2, 2], [2, 2], { basis: 'rate', minBad: 2 }).why).toBe('rate');
    expect(read(FAST, [2, 2], [2, 2], { basis: 'budget', minBad: 2, period }).why).toBe('below_long');
    expect(read(FAST, [2, 2], [2, 2], { basis: 'both', minBad: 2, period }).why).toBe('below_long');
  });

  it('still pages on a route that really serves two an hour', () => {
    expect(read(FAST, [2, 2], [1, 1], { basis: 'budget', minBad: 2, period: 1440 }).why).toBe('budget');
    expect(read(FAST, [2, 2], [1, 1], { basis: 'both', minBad: 2, period: 1440 }).why).toBe('both');
  });

  it('has no data before there is a period', () => {
    expect(read(FAST, [100, 100], [10, 10], { basis: 'budget', period: null })).toMatchObject({ why: 'no_data', longSpent: null });
    expect(read(FAST, [100, 100], [10, 10], { basis: 'budget', period: 0 })).toMatchObject({ why: 'no_data', longSpent: null });
  });

  it('asks the short window for its part of the share', () => {
    // 2 % of the budget of 720 are 14.4 bad; a twelfth of that in five minutes is 1.2.
    const of = (shortBad: number) => read(FAST, [1000, 20], [80, shortBad], { basis: 'budget', period: 720_000 }).why;
    expect(of(1)).toBe('below_short');
    expect(of(2)).toBe('budget');
  });

  it('says the same as the rate form when traffic is even', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(FAST, SLOW, DAILY, TRICKLE),
        fc.integer({ min: 1, max: 500 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (tier, perMinute, longPart, shortPart) => {
          const at = (windowMs: number) => (perMinute * windowMs) / MINUTE_MS;
          const long = [at(tier.longMs), Math.round(longPart * 0.05 * at(tier.longMs))] as const;
          const short = [at(tier.shortMs), Math.min(Math.round(shortPart * 0.05 * at(tier.shortMs)), long[1])] as const;
          const period = at(MONTH_MS);
          expect(read(tier, long, short, { basis: 'budget', period }).isFiring).toBe(read(tier, long, short).isFiring);
        },
      ),
    );
  });
});

describe('the volume of a period', () => {
  it.each([
    ['an endpoint of an hour counts as if every hour were like it', 10, 10, 10, 7200],
    ['one of a day as if every day were', 2400, 2400, 10, 72_000],
    ['a month is what was counted', 100_000, 2400, 50, 100_000],
    ['nothing is nothing', 0, 0, 0, 0],
  ])('%s', (_, total, day, hour, volume) => {
    expect(periodVolume({ windowMs: MONTH_MS, total: { valid: total }, day: { valid: day }, hour: { valid: hour } })).toBe(volume);
  });
});

describe('calm', () => {
  const of = (bad: number) => isCalm(read(FAST, [100_000, 5000], [10_000, bad]), { basis: 'rate', minBad: 1 });

  it('begins at nine tenths of the threshold, so that a burn that hovers there does not flap', () => {
    expect([of(145), of(144), of(130), of(129), of(0)]).toEqual([false, false, false, true, true]);
  });

  it('cannot be told without requests, unless the long window holds too few bad ones to fire', () => {
    const policy = { basis: 'rate', minBad: 10 } as const;
    expect(isCalm(read(FAST, [1000, 500], [0, 0], policy), policy)).toBeNull();
    expect(isCalm(read(FAST, [1000, 9], [0, 0], policy), policy)).toBe(true);
    expect(isCalm(read(FAST, [0, 0], [0, 0], policy), policy)).toBe(true);
  });

  it('never holds while the tier fires, and more bad events never bring it', () => {
    const part = fc.double({ min: 0, max: 1, noNaN: true });
    fc.assert(
      fc.property(
        fc.constantFrom('rate', 'budget', 'both' as const),
        fc.integer({ min: 0, max: 1000 }),
        fc.integer({ min: 0, max: 10_000 }),
        part,
        part,
        fc.integer({ min: 0, max: 100 }),
        (basis, shortValid, more, shortPart, longPart, extra) => {
          const policy = { basis, minBad: 5 };
          const valid = shortValid + more;
          const shortBad = Math.floor(shortPart * shortValid);
          const bad = shortBad + Math.floor(longPart * more);
          const added = Math.min(extra, shortValid - shortBad);
          const before = read(FAST, [valid, bad], [shortValid, shortBad], { ...policy, period: 50_000 });
          const after = read(FAST, [valid, bad + added], [shortValid, shortBad + added], { ...policy, period: 50_000 });
          if (before.isFiring) expect([after.isFiring, isCalm(before, policy)]).toEqual([true, false]);
          if (isCalm(after, policy) === true) expect(isCalm(before, policy)).toBe(true);
        },
      ),
    );
  });
});
