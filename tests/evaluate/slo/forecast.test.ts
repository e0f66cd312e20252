/** Exhaustion and recovery against worked examples, and against a simulation in small steps. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { forecast } from '../../../src/evaluate/slo/forecast.ts';
import { errorBudget } from '../../../src/model/error-budget.ts';
import type { WindowCounts } from '../../../src/model/slo-views.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const NOW = 1000 * DAY_MS;

type Hour = readonly [valid: number, bad: number];

/** Hours up to now, the newest last. */
function hours(counts: readonly Hour[]): WindowCounts[] {
  const first = NOW - counts.length * HOUR_MS;
  return counts.map(([valid, bad], i) => ({ from: first + i * HOUR_MS, to: first + (i + 1) * HOUR_MS, valid, bad }));
}

function ask(counts: readonly Hour[], change: { target?: number; windowMs?: number; endsInMs?: number; lastHour?: Hour } = {}) {
  const all = hours(counts);
  const [valid, bad] = change.lastHour ?? counts.at(-1) ?? [0, 0];
  return forecast({
    target: change.target ?? 0.999,
    now: NOW,
    hours: all,
    windowMs: change.windowMs ?? counts.length * HOUR_MS,
    periodEndsAt: change.endsInMs === undefined ? null : NOW + change.endsInMs,
    lastHour: { from: NOW - HOUR_MS, to: NOW, valid, bad },
  });
}

const clean = (count: number): Hour[] => new Array<Hour>(count).fill([1000, 0]);
const inHours = (at: number | null) => (at === null ? null : (at - NOW) / HOUR_MS);

describe('a rolling window', () => {
  it('of 30 clean days that burns at 14.4 is spent after 50 hours', () => {
    const { burnRate, exhaustedAt, recoveredAt } = ask(clean(720), { lastHour: [1000, 14.4] });
    expect(burnRate).toBeCloseTo(14.4, 9);
    expect(inHours(exhaustedAt)).toBeCloseTo(50, 6);
    expect(recoveredAt).toBeNull();
  });

  it('is spent later when what burned before leaves it: old failures go while new ones come', () => {
    // 360 of 720 allowed spent in the oldest day; from now on 72 a day. Without roll-off it would be spent after 120 h.
    const { exhaustedAt } = ask([...new Array<Hour>(24).fill([1000, 15]), ...clean(696)], { lastHour: [1000, 3] });
    expect(inHours(exhaustedAt)).toBeCloseTo(240, 6);
  });

  it('at a burn of exactly 1 is never spent', () => {
    expect(ask(new Array<Hour>(720).fill([1000, 1]))).toEqual({ burnRate: 1, exhaustedAt: null, recoveredAt: null });
  });

  it('can be spent by good traffic that leaves, at a burn below 1', () => {
    // 100,000 good requests allow 100; they leave within an hour, and 60 bad ones of later remain.
    const { burnRate, exhaustedAt } = ask([[100_000, 0], ...new Array<Hour>(10).fill([100, 6]), [100, 0]]);
    expect(burnRate).toBe(0);
    expect(inHours(exhaustedAt)).toBeCloseTo((100 + 1.1 - 60) / (100 - 0.1), 6);
  });

  it('overspent recovers when enough of the outage has left', () => {
    // 1,440 bad in the hour that leaves as the tenth: twice what is allowed, so half of it must have left.
    const { exhaustedAt, recoveredAt } = ask([...clean(9), [1000, 1440], ...clean(710)]);
    expect(exhaustedAt).toBeNull();
    expect(inHours(recoveredAt)).toBeCloseTo(9.5, 6);
  });

  it('overspent recovers by traffic alone when that is enough', () => {
    const { recoveredAt } = ask([...clean(719), [1000, 721]], { lastHour: [3000, 0] });
    // 1 too many; each hour 3 allowed come and 1 goes.
    expect(inHours(recoveredAt)).toBeCloseTo(0.5, 6);
  });

  it('without traffic knows of no exhaustion, and of recovery when the last failure has left', () => {
    expect(
      ask(
        [
          [1000, 10],
          [0, 0],
          [0, 0],
        ],
        { windowMs: 10 * HOUR_MS },
      ),
    ).toEqual({
      burnRate: null,
      exhaustedAt: null,
      recoveredAt: NOW - 2 * HOUR_MS + 10 * HOUR_MS,
    });
  });

  it('without anything says nothing', () => {
    expect(ask([])).toEqual({ burnRate: null, exhaustedAt: null, recoveredAt: null });
  });

  it('agrees with a simulation in small steps', () => {
    const hour = fc
      .tuple(fc.integer({ min: 0, max: 2000 }), fc.integer({ min: 0, max: 60 }))
      .map(([valid, bad]): Hour => [valid, Math.min(bad, valid)]);
    fc.assert(
      fc.property(fc.array(hour, { minLength: 1, maxLength: 12 }), hour, fc.constantFrom(0.9, 0.99), (counts, lastHour, target) => {
        const windowMs = 12 * HOUR_MS;
        const told = ask(counts, { target, windowMs, lastHour });
        const stepMs = HOUR_MS / 120;
        const budget = errorBudget(target);
        const all = hours(counts);
        const remainingAt = (at: number, withBad: boolean) => {
          let sum = ((at - NOW) / HOUR_MS) * (budget * lastHour[0] - (withBad ? lastHour[1] : 0));
          for (const { from, to, valid, bad } of all) {
            const left = Math.min(Math.max((to - (at - windowMs)) / (to - from), 0), 1);
            sum += left * (budget * valid - bad);
          }
          return sum;
        };
        const isSpent = remainingAt(NOW, false) < -1e-6;
        let found: number | null = null;
        for (let at = NOW; at <= NOW + windowMs + stepMs / 2 && found === null; at += stepMs) {
          const remaining = remainingAt(at, !isSpent);
          if (isSpent ? remaining >= -1e-6 : remaining < -1e-6) found = at;
        }
        const at = isSpent ? told.recoveredAt : told.exhaustedAt;
        expect(isSpent ? told.exhaustedAt : told.recoveredAt).toBeNull();
        if (isSpent) {
          expect(at).not.toBeNull();
          expect(Math.abs((found ?? Number.NaN) - (at ?? Number.NaN))).toBeLessThanOrEqual(stepMs + 1);
        } else if (lastHour[0] === 0) {
          expect(at).toBeNull();
        } else if (found !== null) {
          expect(at).not.toBeNull();
          expect(at as number).toBeLessThanOrEqual(found);
          // Nothing is left from there on, and something was before it.
          expect(Math.abs(remainingAt(at as number, true))).toBeLessThan(1e-3);
        }
      }),
    );
  });
});

describe('a period of the calendar', () => {
  it('is spent at the pace of the last hour, nothing leaving it', () => {
    // Ten days of thirty: 240 allowed so far, 0 spent. 11 bad an hour of 1,000: ten too many each hour.
    expect(inHours(ask(clean(240), { lastHour: [1000, 11], endsInMs: 20 * DAY_MS }).exhaustedAt)).toBeCloseTo(24, 6);
  });

  it('is not spent when it ends before', () => {
    expect(ask(clean(240), { lastHour: [1000, 11], endsInMs: 23 * HOUR_MS }).exhaustedAt).toBeNull();
  });

  it('overspent recovers as its traffic grows the budget', () => {
    expect(inHours(ask([...clean(239), [1000, 250]], { lastHour: [1000, 250], endsInMs: 20 * DAY_MS }).recoveredAt)).toBeCloseTo(10, 6);
  });

  it('overspent recovers with the next period at the latest', () => {
    expect(inHours(ask([...clean(239), [1000, 2500]], { endsInMs: 20 * DAY_MS }).recoveredAt)).toBe(480);
    expect(inHours(ask([...clean(239), [1000, 2500]], { lastHour: [0, 0], endsInMs: 20 * DAY_MS }).recoveredAt)).toBe(480);
  });
});
