/** Burn-rate tiers against the SRE Workbook's tables, for the windows people use. */
import { describe, expect, it } from 'vitest';
import { googleTiers, tierObjection, tierOf } from '../../src/model/tier.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

describe('the preset of the Workbook', () => {
  it('is table 5-8 and the fourth pair of the expression above it, to the digit, for 30 days', () => {
    expect(googleTiers(30 * DAY_MS)).toEqual([
      { severity: 'page', longMs: HOUR_MS, shortMs: 5 * MINUTE_MS, budgetShare: 0.02, burnRate: 14.4 },
      { severity: 'page', longMs: 6 * HOUR_MS, shortMs: 30 * MINUTE_MS, budgetShare: 0.05, burnRate: 6 },
      { severity: 'ticket', longMs: DAY_MS, shortMs: 2 * HOUR_MS, budgetShare: 0.1, burnRate: 3 },
      { severity: 'ticket', longMs: 3 * DAY_MS, shortMs: 6 * HOUR_MS, budgetShare: 0.1, burnRate: 1 },
    ]);
  });

  it.each([
    ['28 days keep windows and shares', 28 * DAY_MS, [60, 360, 1440, 4320], [13.44, 5.6, 2.8, 28 / 30]],
    ['90 days keep windows and shares', 90 * DAY_MS, [60, 360, 1440, 4320], [43.2, 18, 9, 3]],
    ['7 days shrink the windows to 7/30', 7 * DAY_MS, [14, 84, 336, 1008], [14.4, 6, 3, 1]],
    ['1 day leaves out what would look back less than 10 minutes', DAY_MS, [12, 48, 144], [6, 3, 1]],
  ])('over %s', (_, windowMs, longMinutes, burnRates) => {
    const tiers = googleTiers(windowMs);
    expect(tiers.map(({ longMs }) => longMs / MINUTE_MS)).toEqual(longMinutes);
    tiers.forEach(({ burnRate }, i) => {
      expect(burnRate).toBeCloseTo(burnRates[i] as number, 9);
    });
  });

  it('has short windows of a twelfth, but of a minute at least', () => {
    for (const { longMs, shortMs } of [1, 7, 28, 30, 90].flatMap((days) => googleTiers(days * DAY_MS))) {
      expect(shortMs).toBe(Math.max(MINUTE_MS, longMs / 12));
    }
  });

  it('asks for more than a sustainable burn wherever the windows shrink', () => {
    for (const days of [1, 2, 7, 14, 27])
      for (const { burnRate } of googleTiers(days * DAY_MS)) expect(burnRate).toBeGreaterThanOrEqual(0.99);
  });
});

describe('a tier that can never fire', () => {
  const page = tierOf({ severity: 'page', longMs: HOUR_MS, budgetShare: 0.02 }, 30 * DAY_MS);

  it.each([
    [0.9, 'a total outage burns at 10, and the tier asks for more than 14.4'],
    [0.5, 'a total outage burns at 2, and the tier asks for more than 14.4'],
  ])('at a target of %d is refused with the reason', (target, reason) => {
    expect(tierObjection(page, target)).toBe(reason);
  });

  it('is one that asks for exactly what a total outage burns, for the comparison is strict', () => {
    const tier = tierOf({ severity: 'page', longMs: HOUR_MS, budgetShare: 0.02 }, 50 * HOUR_MS * 10);
    expect(tier.burnRate).toBe(10);
    expect(tierObjection(tier, 0.9)).toBe('a total outage burns at 10, and the tier asks for more than 10');
  });

  it.each([0.95, 0.99, 0.999, 0.99999])('is not the fastest page at %d', (target) => {
    expect(tierObjection(page, target)).toBeNull();
  });
});
