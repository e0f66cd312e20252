/** What is told of a service's traffic is what its windows took, in few buckets. */
import { fc, it as prop } from '@fast-check/vitest';
import { describe, expect, it } from 'vitest';
import { OTHER_SERVICES, ServiceTraffic, TRAFFIC_BOUNDS_SEC } from '../../src/engine/service-traffic.ts';
import { Engine } from '../../src/engine.ts';
import { policies } from '../support/policies.ts';
import { type Span, Stream } from '../window/stream.ts';

const AT = 1_800_000_000_000;
/** A step of the histogram with two digits. */
const STEP = 1.01;

/** The real stage A, two services, and the traffic that is told of them. */
class World {
  readonly stream = new Stream();
  readonly engine = new Engine(policies({ objectives: [] }), this.stream.layout);
  readonly shop = this.stream.endpoints(2, 'shop');
  readonly cart = this.stream.endpoints(1, 'cart');

  send(spans: readonly Span[]) {
    this.stream.add(spans);
    const flush = this.stream.flush();
    this.engine.merge(flush);
    return flush;
  }

  of(service: string) {
    return [...this.engine.traffic.all()].find((tally) => tally.service === service);
  }
}

const span = fc.record({
  endpoint: fc.integer({ min: 0, max: 2 }),
  second: fc.integer({ min: 0, max: 20 }),
  durationUs: fc.integer({ min: 0, max: 20_000_000 }),
  failed: fc.boolean(),
  timed: fc.boolean(),
  lane: fc.integer({ min: 0, max: 3 }),
});

describe('traffic of a service', () => {
  prop.prop([fc.array(fc.array(span, { maxLength: 40 }), { maxLength: 5 })])(
    'is the sum of all that was sent, in its buckets',
    (flushes) => {
      const world = new World();
      const series = [...world.shop, ...world.cart];
      const all = flushes.flat();
      for (const spans of flushes) {
        world.send(
          spans.map(({ endpoint, second, ...rest }) => ({ ...rest, series: series[endpoint] as number, endMs: AT + second * 1000 })),
        );
      }
      for (const [service, isOurs] of [
        ['shop', (endpoint: number) => endpoint < 2],
        ['cart', (endpoint: number) => endpoint === 2],
      ] as const) {
        const sent = all.filter(({ endpoint }) => isOurs(endpoint));
        if (sent.length === 0) continue;
        const told = world.of(service);
        const timed = sent.filter(({ timed }) => timed);
        expect([told?.requests, told?.failures]).toEqual([sent.length, sent.filter(({ failed }) => failed).length]);
        let upTo = 0;
        for (const [i, bound] of TRAFFIC_BOUNDS_SEC.entries()) {
          upTo += told?.buckets[i] ?? 0;
          expect(upTo).toBeGreaterThanOrEqual(timed.filter(({ durationUs }) => durationUs * STEP < bound * 1e6).length);
          expect(upTo).toBeLessThanOrEqual(timed.filter(({ durationUs }) => durationUs <= bound * 1e6 * STEP).length);
        }
        expect(told?.buckets.reduce((sum, count) => sum + count, 0)).toBe(timed.length);
        const seconds = timed.reduce((sum, { durationUs }) => sum + durationUs / 1e6, 0);
        expect(told?.sumSec).toBeGreaterThanOrEqual(seconds / STEP);
        expect(told?.sumSec).toBeLessThanOrEqual(seconds * STEP + timed.length * 1e-6);
      }
    },
  );

  it('counts what sampled spans stand for', () => {
    const world = new World();
    const [series = -1] = world.shop;
    world.send([
      { series, endMs: AT, durationUs: 20_000, weight: 10 },
      { series, endMs: AT, durationUs: 20_000, weight: 10, failed: true },
    ]);
    expect(world.of('shop')).toMatchObject({ requests: 20, failures: 10 });
    expect(world.of('shop')?.buckets[2]).toBe(20);
    expect(world.of('shop')?.sumSec).toBeCloseTo(0.4, 2);
  });

  it('takes a flush once, and nothing that came too late for any window', () => {
    const world = new World();
    const [series = -1] = world.shop;
    const flush = world.send([{ series, endMs: AT, durationUs: 1000 }]);
    world.engine.merge(flush);
    world.engine.advance(AT);
    world.engine.advance(AT + 600_000);
    world.send([{ series, endMs: AT - 60_000, durationUs: 1000 }]);
    expect(world.of('shop')?.requests).toBe(1);
    expect(world.engine.window.lateSpans).toBe(1);
  });

  it('of more services than there is room for is told in one', () => {
    const { layout } = new Stream();
    const traffic = new ServiceTraffic(layout);
    for (let id = 0; id < 1000; id++) traffic.bind({ id, service: `service-${id}` });
    const services = [...traffic.all()].map(({ service }) => service);
    expect(services).toHaveLength(501);
    expect(services.at(-1)).toBe(OTHER_SERVICES);
  });
});
