/** Trends: what gets worse day by day and what only looks so. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { trendOf } from '../../../src/evaluate/slo/trend.ts';
import type { TrendRule } from '../../../src/model/objective.ts';

const DAY_MS = 86_400_000;
const NOW = 20_000 * DAY_MS;

const RULE: TrendRule = {
  id: 'shop:trend:p95',
  service: 'shop',
  endpoint: null,
  metric: 'p95',
  growthPerDay: 0.05,
  days: 3,
  capacity: null,
  text: 'p95 +5%/day for 3 days',
};

/** Days whose hours follow a daily wave, each day as `level` says. */
function waves(days: number, level: (day: number) => number): (number | null)[][] {
  return Array.from({ length: days }, (_, day) =>
    Array.from({ length: 24 }, (_, hour) => level(day) * (2 + Math.sin((hour / 24) * 2 * Math.PI))),
  );
}

describe('a trend', () => {
  it.each([
    ['as steep as the rule says', 4, (day: number) => 1.05 ** day, 0.05, 'too_steep'],
    ['steeper', 4, (day: number) => 1.2 ** day, 0.2, 'too_steep'],
    ['less steep', 4, (day: number) => 1.04 ** day, 0.04, 'steady'],
    ['that falls', 4, (day: number) => 0.9 ** day, -0.1, 'steady'],
    ['of nothing but the daily wave', 4, () => 1, 0, 'steady'],
    ['that was there before the days asked for and is over', 9, (day: number) => 1.1 ** Math.min(day, 5), 0, 'steady'],
  ] as const)('%s', (_, days, level, growth, outcome) => {
    const view = trendOf(waves(days, level), RULE, NOW);
    expect(view.outcome).toBe(outcome);
    expect(view.growthPerDay).toBeCloseTo(growth, 9);
    expect(view.days).toHaveLength(4);
  });

  it('is not a step up at one release and level since, however high', () => {
    const view = trendOf(
      waves(8, (day) => (day < 4 ? 1 : 3)),
      { ...RULE, days: 7 },
      NOW,
    );
    // The median of slopes is steep, for most pairs of days lie on both sides of it; one day only has risen.
    expect(view.outcome).toBe('steady');
    expect(view.growthPerDay).toBeGreaterThan(0.05);
  });

  it('is not moved by one bad night', () => {
    const days = waves(4, () => 1);
    for (let hour = 0; hour < 6; hour++) (days[3] as number[])[hour] = 1000;
    expect(trendOf(days, RULE, NOW)).toMatchObject({ outcome: 'steady', growthPerDay: 0 });
  });

  it('is found though one day in four fell', () => {
    const levels = [1, 1.1, 1.05, 1.2, 1.35];
    const view = trendOf(
      waves(5, (day) => levels[day] as number),
      { ...RULE, days: 4 },
      NOW,
    );
    expect(view.outcome).toBe('too_steep');
  });

  it('of errors that creep up from none is too steep, and of errors that are always none is none', () => {
    const errors = { ...RULE, metric: 'errors' as const, growthPerDay: 0.1 };
    expect(
      trendOf(
        waves(4, (day) => [0, 0.001, 0.002, 0.004][day] as number),
        errors,
        NOW,
      ).outcome,
    ).toBe('too_steep');
    expect(
      trendOf(
        waves(4, () => 0),
        errors,
        NOW,
      ),
    ).toMatchObject({ outcome: 'steady', growthPerDay: 0 });
  });

  it('shows one value a day, of the hours that all full days have', () => {
    const days = waves(4, (day) => day + 1).map((day) => day.map((value) => Math.round(value as number)));
    const holed: (number | null)[][] = days.map((day, i) => day.map((value, hour) => (i === 1 && hour > 12 ? null : value)));
    const first = days.map((day) => day.slice(0, 13).sort((a, b) => a - b)[6]);
    expect(trendOf(holed, RULE, NOW).days).toEqual(first);
  });

  it.each([
    ['without anything', []],
    ['over too few days', waves(3, (day) => 2 ** day)],
    ['with fewer than half of the hours', waves(4, (day) => 2 ** day).map((day) => day.map((value, hour) => (hour < 11 ? value : null)))],
    ['where no two days have the same hours', waves(4, () => 1).map((day, i) => day.map((value, hour) => (hour % 4 === i ? value : null)))],
    ['of nulls', waves(4, () => 1).map((day) => day.map(() => null))],
  ] as const)('has too little data %s', (_, days) => {
    expect(trendOf(days, RULE, NOW)).toMatchObject({ outcome: 'too_little_data', growthPerDay: null, reachedAt: null });
  });

  it('is the same in any unit, and finite whatever comes', () => {
    const value = fc.option(fc.integer({ min: 0, max: 100_000 }), { nil: null, freq: 5 });
    const days = fc.array(fc.array(value, { minLength: 24, maxLength: 24 }), { minLength: 4, maxLength: 4 });
    fc.assert(
      fc.property(days, (all) => {
        const view = trendOf(all, RULE, NOW);
        const scaled = trendOf(
          all.map((day) => day.map((one) => (one === null ? null : one * 1024))),
          RULE,
          NOW,
        );
        expect(scaled.outcome).toBe(view.outcome);
        if (view.growthPerDay === null) expect(scaled.growthPerDay).toBeNull();
        else {
          expect(scaled.growthPerDay).toBeCloseTo(view.growthPerDay, 9);
          expect(Number.isFinite(view.growthPerDay)).toBe(true);
        }
      }),
    );
  });
});

describe('a capacity', () => {
  const rule = { ...RULE, metric: 'inFlight' as const, capacity: 100, days: 3 };
  /** The busiest hour of a wave is three times its level. */
  const peaks = (...all: readonly number[]) => waves(all.length, (day) => (all[day] as number) / 3);

  it.each([
    ['is reached where the line through the busiest hours says', [60, 70, 80, 90], 1, 'too_steep'],
    ['is reached too late to matter', [10, 20, 30, 40], 6, 'steady'],
    ['is reached within the days exactly', [40, 50, 60, 70], 3, 'too_steep'],
    ['is not reached by what does not grow', [90, 90, 90, 90], null, 'steady'],
    ['is not reached by what falls', [99, 90, 80, 70], null, 'steady'],
    ['is reached now when the last day was there', [50, 50, 50, 101], 0, 'too_steep'],
  ] as const)('%s', (_, levels, days, outcome) => {
    const view = trendOf(peaks(...levels), rule, NOW);
    expect(view.outcome).toBe(outcome);
    if (days === null) expect(view.reachedAt).toBeNull();
    else expect(((view.reachedAt as number) - NOW) / DAY_MS).toBeCloseTo(days, 6);
  });
});
