/** What objectives have counted agrees with a recount of every request, and is the same in any order and after any restart. */
import { fc, it as property } from '@fast-check/vitest';
import { describe, expect, it } from 'vitest';
import { calendarPeriod } from '../../src/model/calendar.ts';
import type { Objective } from '../../src/model/objective.ts';
import type { SlotDeltas } from '../../src/model/slot-deltas.ts';
import { objective, policies } from '../support/policies.ts';
import { kept } from '../window/stream.ts';
import { LIMIT_NS, type Request, World, withExclusions } from './objective-world.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
/** Begin of an hour, and of a day in UTC. */
const T0 = Date.UTC(2026, 2, 20);

const of = (name: string, change: Partial<Objective> = {}) => objective({ service: 'shop', name, ...change });
const latency = { sli: { kind: 'latency', thresholdNs: LIMIT_NS } } as const;
const calendar = (unit: 'day' | 'week' | 'month' | 'year', timeZone: string, start = '2026-01-01T00:00:00') => ({
  windowMs: { day: DAY_MS, week: 7 * DAY_MS, month: 30 * DAY_MS, year: 365 * DAY_MS }[unit],
  calendar: { unit, count: 1, timeZone, start },
});
const slices = (sliceMs: number, ratio: number | 'mean' | null = 0.9) => ({ budgeting: { kind: 'timeslices', sliceMs, ratio } }) as const;
const maintenance = (from: number, to: number) => [{ name: 'weekly', reason: 'database', intervals: [[from, to] as const] }];

const EVERY_KIND = [
  of('rolling'),
  of('fast', { ...latency, windowMs: 7 * DAY_MS }),
  of('minutes', { windowMs: 10 * MINUTE_MS }),
  of('lisbon', calendar('month', 'Europe/Lisbon')),
  of('kathmandu', { ...latency, ...calendar('week', 'Asia/Kathmandu', '2026-01-05T03:07:11') }),
  of('lord howe', calendar('day', 'Australia/Lord_Howe')),
  of('leap', calendar('year', 'America/New_York', '2024-02-29T00:00:00')),
];
const SLICED = [
  of('by minute', slices(MINUTE_MS)),
  of('by hour in lisbon', { ...latency, ...slices(HOUR_MS), ...calendar('month', 'Europe/Lisbon') }),
  of('mean by minute', slices(MINUTE_MS, 'mean')),
  of('mean by hour in lisbon', { ...slices(HOUR_MS, 'mean'), ...calendar('month', 'Europe/Lisbon') }),
  of('enough', { ...slices(MINUTE_MS, null), sli: { kind: 'throughput', bound: 'least', perSecond: 0.1 } }),
  of('at once', { ...slices(10_000, null), sli: { kind: 'inFlight', limit: 0.005 } }),
];

/** Requests one after the other, some close together and some days apart, over changes of clocks and the end of February. */
const requests = fc
  .record({
    from: fc.constantFrom(Date.UTC(2026, 2, 20), Date.UTC(2026, 9, 1), Date.UTC(2028, 1, 20), Date.UTC(2027, 1, 20)),
    steps: fc.array(
      fc.record({
        waitMs: fc.oneof(fc.integer({ min: 0, max: 90_000 }), fc.integer({ min: 0, max: 12 * HOUR_MS })),
        failed: fc.boolean(),
        slow: fc.boolean(),
        series: fc.integer({ min: 1, max: 3 }),
      }),
      { minLength: 1, maxLength: 60 },
    ),
  })
  .map(({ from, steps }) => {
    let at = from;
    return steps.map(({ waitMs, ...rest }): Request => {
      at += waitMs;
      return { ...rest, at };
    });
  });

function recount({ sli }: Objective, sent: readonly Request[], from: number, to: number): { valid: number; bad: number } {
  const inside = sent.filter(({ at }) => at >= from && at < to);
  return { valid: inside.length, bad: inside.filter(({ failed, slow }) => (sli.kind === 'latency' ? slow : failed)).length };
}

describe('the counts of an objective', () => {
  property.prop({ sent: requests })('agree with a recount over rolling and calendar windows', ({ sent }) => {
    const world = new World(EVERY_KIND);
    world.stream.endpoints(3);
    for (const request of sent) {
      world.send(request);
      world.advance();
    }
    for (const one of EVERY_KIND) {
      const { from, to, valid, bad } = world.feed.total(one, world.at);
      expect({ valid, bad }).toEqual(recount(one, sent, from, to));
      expect(to).toBeGreaterThan(world.at);
      expect(to).toBeLessThanOrEqual(world.at + 10_000);
      if (one.calendar !== null) expect(from).toBe(calendarPeriod(one.calendar, world.at).fromMs);
      else {
        expect(from).toBeLessThanOrEqual(world.at + 1000 - one.windowMs);
        expect(from).toBeGreaterThan(world.at - one.windowMs - HOUR_MS);
      }
    }
  });

  property.prop({ sent: requests, back: fc.nat() })('of a moment within a period end there', ({ sent, back }) => {
    const world = new World(EVERY_KIND);
    world.stream.endpoints(3);
    for (const request of sent) world.send(request);
    const at = (sent[back % sent.length] as Request).at;
    for (const one of EVERY_KIND.filter((each) => each.calendar !== null)) {
      const { from, to, valid, bad } = world.feed.total(one, at);
      const period = calendarPeriod(one.calendar as NonNullable<Objective['calendar']>, at);
      expect(from).toBe(period.fromMs);
      expect(to).toBeGreaterThan(at);
      expect(to).toBeLessThanOrEqual(period.toMs);
      expect({ valid, bad }).toEqual(recount(one, sent, from, to));
    }
  });

  property.prop({ sent: requests, cuts: fc.array(fc.nat(), { minLength: 1, maxLength: 4 }) }, { numRuns: 60 })(
    'are the same after restarts at any moment',
    ({ sent, cuts }) => {
      const from = (sent[0] as Request).at;
      const excluded = maintenance(from + HOUR_MS, from + 8 * HOUR_MS);
      const [steady, restarted] = [0, 1].map(() => new World([...EVERY_KIND, ...SLICED], excluded)) as [World, World];
      for (const world of [steady, restarted]) world.stream.endpoints(3);
      for (const [i, request] of sent.entries()) {
        for (const world of [steady, restarted]) {
          world.send(request);
          world.advance();
        }
        if (cuts.some((cut) => cut % sent.length === i)) restarted.restart();
      }
      expect(restarted.told()).toEqual(steady.told());
    },
  );

  property.prop({
    sent: fc.array(
      fc.record({
        at: fc.integer({ min: T0, max: T0 + 55_000 }),
        failed: fc.boolean(),
        slow: fc.boolean(),
        series: fc.integer({ min: 1, max: 3 }),
      }),
      { minLength: 2, maxLength: 20 },
    ),
    keys: fc.array(fc.nat(), { minLength: 20, maxLength: 20 }),
  })('do not depend on the order in which flushes are merged', ({ sent, keys }) => {
    const [ordered, shuffled] = [0, 1].map(() => new World([...EVERY_KIND, ...SLICED])) as [World, World];
    for (const world of [ordered, shuffled]) world.stream.endpoints(3);
    // Each from a source of its own: one source's flushes are taken in their order only.
    const flushes = [ordered, shuffled].map((world) =>
      sent.map((request, i) => ({ ...kept(world.flush([request])), origin: { source: `source-${i}`, epoch: '1', sequence: 1 } })),
    ) as [SlotDeltas[], SlotDeltas[]];
    // What announces the series comes first either way.
    const order = sent.map((_, i) => i).sort((a, b) => (a === 0 ? -1 : b === 0 ? 1 : (keys[a] ?? 0) - (keys[b] ?? 0)));
    for (const flush of flushes[0]) ordered.engine.merge(flush);
    for (const i of order) shuffled.engine.merge(flushes[1][i] as SlotDeltas);
    for (const world of [ordered, shuffled]) {
      world.advance();
      world.send({ at: T0 + 10 * MINUTE_MS });
      world.advance();
    }
    expect(shuffled.told()).toEqual(ordered.told());
  });

  it('take a late request of the month before into that month', () => {
    const monthly = of('lisbon', calendar('month', 'Europe/Lisbon'));
    const world = new World([monthly]);
    world.stream.endpoints(1);
    const april = Date.UTC(2026, 2, 31, 23);
    world.send({ at: april - 1000 }, { at: april + 20_000 });
    world.advance();
    world.send({ at: april - 5000, failed: true });
    expect(world.feed.total(monthly, april - 1)).toEqual({ from: Date.UTC(2026, 2, 1), to: april, valid: 2, bad: 1 });
    expect(world.feed.total(monthly, world.at)).toMatchObject({ from: april, valid: 1, bad: 0 });
  });

  it.each<[string, Partial<Objective>, { valid: number; bad: number }]>([
    ['availability counts failures', {}, { valid: 6, bad: 3 }],
    ['latency counts slow requests', latency, { valid: 6, bad: 0.5 }],
    ['the first rule counts its events', { sli: { kind: 'events', rule: { key: '0', where: null, bad: [] } } }, { valid: 0.5, bad: 0 }],
    ['the second rule counts its events', { sli: { kind: 'events', rule: { key: '1', where: null, bad: [] } } }, { valid: 3.5, bad: 3 }],
    [
      'a rule the series does not count binds nothing',
      { sli: { kind: 'events', rule: { key: '2', where: null, bad: [] } } },
      { valid: 0, bad: 0 },
    ],
    ['a threshold the series does not count binds nothing', { sli: { kind: 'latency', thresholdNs: 1 } }, { valid: 0, bad: 0 }],
    ['another endpoint is not meant', { endpoint: '/other' }, { valid: 0, bad: 0 }],
  ])('are sums of weights: %s', (_, change, expected) => {
    const one = of('a', change);
    const world = new World([one]);
    world.stream.endpoints(1);
    world.send(
      { at: T0, weight: 3, failed: true, valid: 0b10 },
      { at: T0 + 1, weight: 2.5 },
      { at: T0 + 2, weight: 0.5, slow: true, valid: 0b11 },
    );
    expect(world.feed.total(one, world.at)).toMatchObject(expected);
  });

  it('of an endpoint without requests are nothing over exactly the period', () => {
    const one = of('kathmandu', { ...calendar('day', 'Asia/Kathmandu'), endpoint: '/other' });
    const world = new World([one]);
    world.stream.endpoints(1);
    world.send({ at: T0 }, { at: T0 + 4 * DAY_MS });
    const from = T0 + 3 * DAY_MS + (18 * 60 + 15) * MINUTE_MS;
    expect(world.feed.total(one, world.at)).toEqual({ from, to: T0 + 4 * DAY_MS + 10_000, valid: 0, bad: 0 });
  });

  it('are nothing before anything was heard', () => {
    const world = new World([of('a')]);
    const [one] = world.objectives as [Objective];
    expect(world.feed.total(one, null)).toEqual({ from: 0, to: 0, valid: 0, bad: 0 });
    expect(world.feed.coverage(one, null)).toEqual({ heardMinutes: 0, minutes: 0 });
    expect(world.feed.ledger(one, null)).toEqual({ from: 0, rows: [] });
    expect(world.feed.countedSince(one)).toBeNull();
  });

  it.each<[string, Partial<Objective>, kept: boolean]>([
    ['its target', { target: 0.5 }, true],
    ['its window', { windowMs: 7 * DAY_MS }, true],
    ['to a calendar', calendar('month', 'Europe/Lisbon'), true],
    ['its alerts', { alerts: { tiers: [], basis: 'both', minBad: 2 } }, true],
    ['its threshold', { sli: { kind: 'latency', thresholdNs: 1e9 } }, false],
    ['to timeslices', slices(MINUTE_MS), false],
  ])('%s may change', (_, change, kept) => {
    const before = of('a', latency);
    const world = new World([before]);
    world.stream.endpoints(1);
    world.send({ at: T0, slow: true }, { at: T0 + HOUR_MS });
    const after = { ...before, ...change };
    world.engine.reconfigure(policies({ objectives: [after] }));
    expect(world.feed.total(after, world.at)).toMatchObject(kept ? { valid: 2, bad: 1 } : { valid: 0, bad: 0 });
    world.send({ at: T0 + HOUR_MS + 1000 });
    if (kept) expect(world.feed.total(after, world.at)).toMatchObject({ valid: 3, bad: 1 });
  });

  it('come back with an objective that was removed by mistake', () => {
    const one = of('a');
    const world = new World([one]);
    world.stream.endpoints(1);
    world.send({ at: T0, failed: true });
    world.engine.reconfigure(policies({}));
    world.send({ at: T0 + 1000, failed: true });
    world.engine.reconfigure(policies({ objectives: [one] }));
    world.send({ at: T0 + 2000 });
    expect(world.feed.total(one, world.at)).toMatchObject({ valid: 2, bad: 1 });
    expect(world.feed.countedSince(one)).toBe(T0);
  });

  it('say since when they are complete, of one that was declared later since then', () => {
    const [first, second] = [of('first'), of('second')];
    const world = new World([first]);
    world.stream.endpoints(1);
    world.send({ at: T0 + 500 });
    world.engine.reconfigure(policies({ objectives: [first, second] }));
    expect(world.feed.countedSince(second)).toBeNull();
    world.send({ at: T0 + 100 }, { at: T0 + 9_900 });
    expect(world.feed.countedSince(first)).toBe(T0);
    expect(world.feed.countedSince(second)).toBe(T0 + 1000);
  });
});

describe('maintenance', () => {
  it('takes requests out of the count and keeps what they would have been', () => {
    const one = of('a');
    const world = new World([one], maintenance(T0 + 60_000, T0 + 120_000));
    world.stream.endpoints(1);
    world.send({ at: T0 + 59_999, failed: true }, { at: T0 + 60_000, failed: true }, { at: T0 + 119_999 }, { at: T0 + 120_000 });
    expect(world.feed.total(one, world.at)).toMatchObject({ valid: 2, bad: 1 });
    expect(world.feed.excluded(one, world.at)).toEqual({ valid: 2, bad: 1 });
    expect(world.feed.ledger(one, world.at).rows).toMatchObject([{ bad: 1 }]);
    expect([59_999, 60_000, 119_999, 120_000].map((ms) => world.feed.excludedNow('shop', T0 + ms))).toEqual([
      [],
      ['weekly'],
      ['weekly'],
      [],
    ]);
    expect(world.feed.excludedNow('nobody', T0 + 60_000)).toEqual([]);
  });

  it('leaves a slice of requests with those that count, and takes a slice of throughput out as a whole', () => {
    const [ratio, least] = [
      of('ratio', slices(MINUTE_MS, 0.5)),
      of('least', { ...slices(MINUTE_MS, null), sli: { kind: 'throughput', bound: 'least', perSecond: 1 } }),
    ];
    const world = new World([ratio, least], maintenance(T0 + 30_000, T0 + 60_000));
    world.stream.endpoints(1);
    world.send({ at: T0 }, { at: T0 + 40_000, failed: true }, { at: T0 + 50_000, failed: true }, { at: T0 + 3 * MINUTE_MS });
    world.advance();
    expect(world.feed.total(ratio, world.at)).toMatchObject({ valid: 1, bad: 0 });
    expect(world.feed.excluded(ratio, world.at)).toEqual({ valid: 1, bad: 1 });
    expect(world.feed.total(least, world.at)).toMatchObject({ valid: 0, bad: 0 });
    expect(world.feed.excluded(least, world.at)).toEqual({ valid: 1, bad: 1 });
  });

  it('counts as before when it is declared afterwards', () => {
    const one = of('a');
    const world = new World([one]);
    world.stream.endpoints(1);
    world.send({ at: T0, failed: true });
    world.engine.reconfigure(withExclusions(policies({ objectives: [one] }), maintenance(T0, T0 + DAY_MS)));
    world.send({ at: T0 + 1000, failed: true });
    expect(world.feed.total(one, world.at)).toMatchObject({ valid: 1, bad: 1 });
  });
});

describe('who spent the budget', () => {
  it('is told by endpoint and release, most first, with the share of what is allowed', () => {
    const one = of('a', { target: 0.9 });
    const world = new World([one]);
    const [old] = world.stream.endpoints(1);
    const [fresh, other] = world.stream.endpoints(2, 'shop', '2');
    const bad = (series: number | undefined, count: number) =>
      Array.from({ length: count }, (_, i) => ({ at: T0 + i, failed: true, series: series as number }));
    world.send(...bad(old, 1), ...bad(fresh, 8), ...bad(other, 2), ...Array.from({ length: 989 }, () => ({ at: T0 })));
    expect(world.feed.total(one, world.at)).toMatchObject({ valid: 1000, bad: 11 });
    expect(world.feed.ledger(one, world.at)).toEqual({
      from: Math.floor((T0 + 1000 - one.windowMs) / HOUR_MS) * HOUR_MS,
      rows: [
        { endpoint: '/endpoint/0', release: '2', bad: 8, budgetShare: 0.08 },
        { endpoint: '/endpoint/1', release: '2', bad: 2, budgetShare: 0.02 },
        { endpoint: '/endpoint/0', release: '1', bad: 1, budgetShare: 0.01 },
      ],
    });
  });

  it('leaves the ledger with the window', () => {
    const one = of('a', { windowMs: DAY_MS });
    const world = new World([one]);
    world.stream.endpoints(1);
    world.send({ at: T0, failed: true });
    world.send({ at: T0 + 2 * DAY_MS, failed: true });
    expect(world.feed.ledger(one, world.at).rows).toMatchObject([{ bad: 1 }]);
    world.advance();
    world.restart();
    expect(world.feed.ledger(one, world.at).rows).toMatchObject([{ bad: 1 }]);
  });
});

describe('coverage', () => {
  it('is the minutes in which the service was heard, of those since it first was', () => {
    const one = of('a', { windowMs: HOUR_MS });
    const world = new World([one]);
    world.stream.endpoints(1);
    for (const minute of [0, 1, 1.5, 4, 9]) world.send({ at: T0 + minute * MINUTE_MS });
    expect(world.feed.coverage(one, world.at)).toEqual({ heardMinutes: 4, minutes: 10 });
    expect(world.feed.coverage(one, T0 + 4 * MINUTE_MS)).toEqual({ heardMinutes: 3, minutes: 5 });
    expect(world.feed.coverage(one, T0 + 61 * MINUTE_MS)).toEqual({ heardMinutes: 3, minutes: 61 });
  });
});
