/** Alerts over the exact counters, whose edges get coarser with age, against a recount of every event. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AlertBook } from '../../src/engine/alert-book.ts';
import type { CountsOf } from '../../src/engine/counts-of.ts';
import { googleTiers } from '../../src/model/tier.ts';
import { ObjectiveCounts } from '../../src/window/objective-counts.ts';
import { objective, policies } from '../support/policies.ts';
import { CountedTraffic } from '../support/slo-traffic.ts';

const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;
const START_SEC = 20_000 * 86_400;
const SHOP = objective({
  service: 'shop',
  target: 0.99,
  windowMs: 30 * DAY_MS,
  alerts: { tiers: googleTiers(30 * DAY_MS), basis: 'both', minBad: 10 },
});

/** Requests every 10 s at an odd second of it, to be counted twice over. */
function scene(minutes: readonly (readonly [valid: number, bad: number])[]) {
  const rings = new ObjectiveCounts();
  const traffic = new CountedTraffic();
  const counts: CountsOf = {
    over: (of, from, to) => rings.sum(of.id, from, to),
    total: (of, at) => rings.sum(of.id, at + 1 - of.windowMs, at + 1),
    closedTo: () => traffic.closedTo(),
    spenders: () => traffic.spenders(),
  };
  const book = new AlertBook(policies({ objectives: [SHOP] }));
  let sec = START_SEC;
  for (const [valid, bad] of minutes) {
    for (let step = 0; step < 6; step++, sec += 10) {
      rings.add(SHOP.id, sec + 7, valid, bad);
      traffic.add(SHOP.id, (sec + 7) * 1000, valid, bad);
      book.advance(counts, (sec + 9) * 1000, () => ({ state: 'ok', heardAt: (sec + 9) * 1000 }));
    }
  }
  return { book, traffic };
}

const some = (minutes: number, valid: number, bad: number) => new Array(minutes).fill([valid, bad]) as [number, number][];

describe('over the exact counters', () => {
  it('every number of a reading is what a recount of its window finds', () => {
    const minute = fc.tuple(fc.integer({ min: 0, max: 30 }), fc.integer({ min: 0, max: 30 }));
    fc.assert(
      fc.property(fc.array(minute, { minLength: 30, maxLength: 100 }), fc.integer({ min: 1, max: 8 }), (minutes, repeat) => {
        const { book, traffic } = scene(minutes.flatMap(([valid, bad]) => some(repeat, valid, Math.min(valid, bad))));
        for (const { long, short } of book.view(SHOP.id).tiers) {
          expect(long).toEqual(traffic.over(SHOP, long.from, long.to));
          expect(short).toEqual(traffic.over(SHOP, short.from, short.to));
        }
      }),
      { numRuns: 20 },
    );
  });

  it.each([
    ['short', 20, 100],
    ['of an hour', 63, 60],
    ['of half a day', 720, 40],
  ])('an incident is told to the event, to the end: one that is %s', (_, lasts, bad) => {
    // Failures that the budget allows lie before it, around it and after it.
    const { book, traffic } = scene([...some(95, 1000, 1), ...some(lasts, 1000, bad * 10), ...some(20 * 60, 1000, 1)]);
    const [incident] = book.incidents(SHOP.id);
    expect(book.incidents(SHOP.id)).toHaveLength(1);
    const startMs = START_SEC * 1000 + 95 * 60_000;
    expect(incident?.startedAt).toBe(startMs);
    const endMs = startMs + lasts * 60_000;
    // The alert goes hours later, when its end is told to the width of the counts of then.
    expect(incident?.endedAt).toBeGreaterThanOrEqual(endMs);
    expect((incident?.endedAt ?? 0) - endMs).toBeLessThan(HOUR_MS / 6);
    expect(incident?.bad).toBe(traffic.over(SHOP, startMs, incident?.endedAt ?? 0).bad);
  });
});
