/** Timeslices are judged once, when nothing more can come for them, and only when they were seen. */
import { fc, it as property } from '@fast-check/vitest';
import { describe, expect, it } from 'vitest';
import type { Objective } from '../../src/model/objective.ts';
import { objective, policies } from '../support/policies.ts';
import { type Request, World } from './objective-world.ts';

const MINUTE_MS = 60_000;
const T0 = Date.UTC(2026, 2, 20);

const sliced = (sliceMs: number, ratio: number | 'mean' | null, sli: Objective['sli'] = { kind: 'availability' }) =>
  objective({ service: 'shop', name: 'sliced', sli, budgeting: { kind: 'timeslices', sliceMs, ratio } });
const least = (perSecond: number) => sliced(MINUTE_MS, null, { kind: 'throughput', bound: 'least', perSecond });
const most = (perSecond: number) => sliced(MINUTE_MS, null, { kind: 'throughput', bound: 'most', perSecond });
const inFlight = (limit: number) => sliced(10_000, null, { kind: 'inFlight', limit });

/** `count` requests in the slice that begins at `from`, the first `bad` of which fail. */
const some = (from: number, count: number, bad = 0, durationUs = 20_000): Request[] =>
  Array.from({ length: count }, (_, i) => ({ at: from + i, failed: i < bad, durationUs }));

function heardBy(one: Objective, ...requests: Request[]): World {
  const world = new World([one]);
  world.stream.endpoints(1);
  world.stream.endpoints(1, 'other');
  world.send(...requests);
  return world;
}
const ofOther = (at: number): Request => ({ at, series: otherSeries });
/** Of the streams above: 0 and 2 are overflow, 1 is `shop`'s endpoint. */
const otherSeries = 3;
const total = (world: World) => {
  const [one] = world.objectives as [Objective];
  const { valid, bad } = world.feed.total(one, world.at);
  return { valid, bad };
};

describe('a timeslice', () => {
  it.each<[string, Objective, Request[], { valid: number; bad: number }]>([
    ['with as many bad requests as its ratio allows is good', sliced(MINUTE_MS, 0.9), some(T0, 10, 1), { valid: 1, bad: 0 }],
    ['with one more is bad', sliced(MINUTE_MS, 0.9), some(T0, 10, 2), { valid: 1, bad: 1 }],
    ['that asks for all is bad for one', sliced(MINUTE_MS, 1), some(T0, 10, 1), { valid: 1, bad: 1 }],
    ['whose mean is asked is as bad as its requests', sliced(MINUTE_MS, 'mean'), some(T0, 8, 3), { valid: 1, bad: 0.375 }],
    ['whose mean is asked can be wholly bad', sliced(MINUTE_MS, 'mean'), some(T0, 3, 3), { valid: 1, bad: 1 }],
    ['with just enough requests is good', least(10), some(T0, 600), { valid: 1, bad: 0 }],
    ['with one too few is bad', least(10), some(T0, 599), { valid: 1, bad: 1 }],
    ['with as many as it may have is good', most(10), some(T0, 600), { valid: 1, bad: 0 }],
    ['with one too many is bad', most(10), some(T0, 601), { valid: 1, bad: 1 }],
    // 10 requests of 1 s in 10 s: one at once on average; buckets of 2 digits are within 1 %.
    ['with one request at once of one is good', inFlight(1.01), some(T0, 10, 0, 1_000_000), { valid: 1, bad: 0 }],
    ['with more at once than its limit is bad', inFlight(0.99), some(T0, 10, 0, 1_000_000), { valid: 1, bad: 1 }],
  ])('%s', (_, one, requests, expected) => {
    const world = heardBy(one, ofOther(T0 - 1), ...requests, ofOther(T0 + MINUTE_MS));
    world.advance();
    expect(total(world)).toEqual({ valid: 0, bad: 0 });
    world.send(ofOther(T0 + 2 * MINUTE_MS));
    world.advance();
    const { valid, bad } = world.feed.over(one, T0, T0 + MINUTE_MS);
    expect({ valid, bad }).toEqual(expected);
  });

  it('takes requests until a minute after its end, and none after', () => {
    const one = sliced(MINUTE_MS, 0.9);
    const world = heardBy(one, { at: T0 }, { at: T0 + 2 * MINUTE_MS - 1 });
    world.advance();
    expect(total(world)).toEqual({ valid: 0, bad: 0 });
    world.send({ at: T0 + 59_999, failed: true });
    world.send({ at: T0 + 2 * MINUTE_MS });
    world.advance();
    expect(total(world)).toEqual({ valid: 1, bad: 1 });
    world.feed.add(world.flush([{ at: T0 + 1 }]), 0);
    expect(world.feed.lateForSlices).toBe(1);
    expect(total(world)).toEqual({ valid: 1, bad: 1 });
  });

  it.each([3, 5, 7, 10, 30])('counts once among %i whose mean is asked, and parts of them that make a whole one are just one', (count) => {
    const one = sliced(10_000, 'mean');
    const world = heardBy(
      one,
      ofOther(T0 - 1),
      ...Array.from({ length: count }, (_, i) => some(T0 + i * 10_000, count * (i + 1), i + 1)).flat(),
    );
    world.send(ofOther(T0 + count * 10_000 + MINUTE_MS));
    world.advance();
    expect(total(world)).toEqual({ valid: count, bad: 1 });
  });

  it('begins anew where the mean of slices is asked from now on, or no more', () => {
    for (const [before, after] of [
      [0.9, 'mean'],
      ['mean', 0.9],
      ['mean', null],
    ] as const) {
      const world = heardBy(sliced(MINUTE_MS, before), ...some(T0, 4, 1), ofOther(T0 + 3 * MINUTE_MS));
      world.advance();
      expect(total(world).valid).toBe(1);
      const changed = sliced(MINUTE_MS, after);
      world.engine.reconfigure(policies({ objectives: [changed] }));
      expect(world.feed.total(changed, world.at)).toMatchObject({ valid: 0, bad: 0 });
    }
  });

  it('without requests says nothing about a ratio', () => {
    const world = heardBy(sliced(MINUTE_MS, 0.9), { at: T0 }, { at: T0 + 5 * MINUTE_MS });
    world.send(...[1, 2, 3, 4].map((minute) => ofOther(T0 + minute * MINUTE_MS)));
    world.advance();
    expect(total(world)).toEqual({ valid: 1, bad: 0 });
  });

  it('without requests is bad for a throughput while others are heard', () => {
    const world = heardBy(least(0.01), { at: T0 }, ...[1, 2, 3, 4].map((minute) => ofOther(T0 + minute * MINUTE_MS)));
    world.advance();
    expect(total(world)).toEqual({ valid: 3, bad: 2 });
  });

  it('without requests says nothing when nobody at all is heard: the silence may be ours', () => {
    const world = heardBy(least(0.01), { at: T0 }, ...[2, 3, 4, 5].map((minute) => ofOther(T0 + minute * MINUTE_MS)));
    world.advance();
    // The slices of minutes 0 and 3 are judged, minute 1 is unknown, and so is how much of minute 2 was heard.
    expect(total(world)).toEqual({ valid: 2, bad: 1 });
  });

  it('says nothing before the service was first heard', () => {
    const world = heardBy(least(0.01), ...[0, 1, 2].map((minute) => ofOther(T0 + minute * MINUTE_MS)));
    world.send({ at: T0 + 3 * MINUTE_MS + 500 }, ofOther(T0 + 6 * MINUTE_MS));
    world.advance();
    expect(total(world)).toEqual({ valid: 1, bad: 0 });
  });

  it('in which the stream began is not judged', () => {
    const world = heardBy(sliced(MINUTE_MS, 0.9), { at: T0 + 30_000, failed: true }, { at: T0 + 3 * MINUTE_MS });
    world.advance();
    expect(total(world)).toEqual({ valid: 0, bad: 0 });
  });

  it.each([
    ['stood still', (world: World) => world.engine.stoodStill(20_000)],
    ['was away', (world: World) => world.restart(20_000)],
  ])('during which the process %s is not judged', (_, interrupt) => {
    const one = least(0.1);
    const world = heardBy(one, ...some(T0, 10), ...some(T0 + MINUTE_MS, 3));
    world.advance(T0 + MINUTE_MS + 10_000);
    world.at = T0 + MINUTE_MS + 10_000;
    interrupt(world);
    world.advance(T0 + MINUTE_MS + 30_000);
    world.send(...some(T0 + 2 * MINUTE_MS, 10), ofOther(T0 + 4 * MINUTE_MS));
    world.advance();
    expect(total(world)).toEqual({ valid: 2, bad: 0 });
  });

  it('goes on through a restart that takes no time', () => {
    const world = heardBy(sliced(MINUTE_MS, 0.5), { at: T0, failed: true });
    world.restart();
    world.send({ at: T0 + 1000, failed: true }, { at: T0 + 2000 }, { at: T0 + 3 * MINUTE_MS });
    world.advance();
    expect(total(world)).toEqual({ valid: 1, bad: 1 });
  });

  it('tells bad requests in the ledger, and their part of what the bad slices spent', () => {
    const one = { ...sliced(MINUTE_MS, 0.9), target: 0.5 };
    const world = new World([one]);
    world.stream.endpoints(2);
    world.send({ at: T0, failed: true, series: 1 }, { at: T0 + MINUTE_MS, failed: true, series: 2 }, { at: T0 + MINUTE_MS + 1, series: 1 });
    world.send({ at: T0 + 2 * MINUTE_MS }, { at: T0 + 3 * MINUTE_MS }, { at: T0 + 5 * MINUTE_MS });
    world.advance();
    // Two of four slices are bad, two are allowed: all is spent, half by each of the two.
    expect(total(world)).toEqual({ valid: 4, bad: 2 });
    expect(world.feed.ledger(one, world.at).rows.map(({ bad, budgetShare }) => [bad, budgetShare])).toEqual([
      [1, 0.5],
      [1, 0.5],
    ]);
  });

  property.prop({
    sent: fc.array(fc.record({ at: fc.integer({ min: T0, max: T0 + 20 * MINUTE_MS - 1 }), failed: fc.boolean() }), { maxLength: 60 }),
    ratio: fc.constantFrom(0.5, 0.9, 0.99),
    sliceMs: fc.constantFrom(10_000, MINUTE_MS, 5 * MINUTE_MS),
  })('agrees with a recount of every request', ({ sent, ratio, sliceMs }) => {
    const one = sliced(sliceMs, ratio);
    const all = [{ at: T0 }, ...sent.toSorted((a, b) => a.at - b.at)];
    const world = heardBy(one, ofOther(T0));
    for (const request of all) {
      world.send(request);
      world.advance();
    }
    world.send(ofOther(T0 + 40 * MINUTE_MS));
    world.advance();
    const slices = Map.groupBy(all, ({ at }) => Math.floor(at / sliceMs));
    const bad = [...slices.values()].filter((of) => {
      const failed = of.filter((request) => 'failed' in request && request.failed).length;
      return (of.length - failed) / of.length < ratio - 1e-9;
    });
    expect(total(world)).toEqual({ valid: slices.size, bad: bad.length });
  });
});
