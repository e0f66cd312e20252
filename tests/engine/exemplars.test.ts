/** Which requests of a run are kept to be looked at. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Exemplars } from '../../src/engine/exemplars.ts';
import { type Span, Stream } from '../window/stream.ts';

const T0 = 1_790_000_000_000;
const SLOT0 = T0 / 1000;

/** Baseline and canary of two endpoints, `GET /a` and `GET /b`. */
function setUp(fromSlot = SLOT0) {
  const stream = new Stream();
  const [a = 0, b = 0] = stream.endpoints(2, 'shop', '1');
  const [canaryA = 0, canaryB = 0] = stream.endpoints(2, 'shop', '2');
  const endpoints = new Map([
    ['GET /a', { baseline: [a], canary: [canaryA] }],
    ['GET /b', { baseline: [b], canary: [canaryB] }],
  ]);
  const exemplars = new Exemplars(fromSlot);
  const add = (spans: readonly Span[], firstRow = 0) => exemplars.add(stream.flush(spans), firstRow, endpoints);
  return { stream, endpoints, exemplars, add, a, b, canaryA, canaryB };
}

/** A span of trace `trace` that ended `second` s after the start. */
function span(series: number, second: number, durationUs: number, trace: number, rest: Partial<Span> = {}): Span {
  return { series, endMs: T0 + second * 1000, durationUs, trace, ...rest };
}

const idOf = (trace: number) => trace.toString(16).padStart(32, '0');
const tracesOf = (list: readonly { traceId: string }[]) => list.map(({ traceId }) => Number.parseInt(traceId, 16));

describe('the exemplars of a run', () => {
  it('say where a request was, when, how long it took and whether it failed', () => {
    const { exemplars, add, a, canaryB } = setUp();
    expect(add([span(a, 1.5, 2500, 0xabc), span(canaryB, 3, 700, 0xdef, { failed: true })])).toBe(true);
    expect(exemplars.view()).toEqual({
      baseline: [{ traceId: idOf(0xabc), endpoint: 'GET /a', at: T0 + 1000, durationMs: 2.5, failed: false }],
      canary: [{ traceId: idOf(0xdef), endpoint: 'GET /b', at: T0 + 3000, durationMs: 0.7, failed: true }],
    });
  });

  it('have no duration where the span had none', () => {
    const { exemplars, add, a } = setUp();
    add([span(a, 0, 5, 1, { failed: true, timed: false }), span(a, 1, 5, 2, { timed: false })]);
    expect(exemplars.view().baseline).toEqual([{ traceId: idOf(1), endpoint: 'GET /a', at: T0, durationMs: null, failed: true }]);
  });

  it('are the five slowest of all endpoints, slowest first, and the five failed last, latest first', () => {
    const { exemplars, add, a, b } = setUp();
    for (let i = 0; i < 20; i++) add([span(i % 2 === 0 ? a : b, i, 1000 + ((i * 7) % 20), i + 1)]);
    for (let i = 0; i < 20; i++) add([span(i % 2 === 0 ? a : b, i, 9000, 100 + i, { failed: true })]);
    const { baseline, canary } = exemplars.view();
    const slowest = Array.from({ length: 20 }, (_, i) => i).sort((x, y) => ((y * 7) % 20) - ((x * 7) % 20));
    expect(tracesOf(baseline)).toEqual([...slowest.slice(0, 5).map((i) => i + 1), 119, 118, 117, 116, 115]);
    expect(canary).toEqual([]);
  });

  it('of the slowest give way to faster ones after ten minutes', () => {
    const { exemplars, add, a } = setUp();
    for (let i = 0; i < 5; i++) add([span(a, i, 1_000_000 + i, i + 1)]);
    expect(add([span(a, 600, 10, 11)])).toBe(false);
    expect(tracesOf(exemplars.view().baseline)).toEqual([5, 4, 3, 2, 1]);
    expect(add([span(a, 602, 20, 12)])).toBe(true);
    expect(tracesOf(exemplars.view().baseline)).toEqual([5, 4, 3, 2, 12]);
    add([span(a, 602, 30, 13)]);
    expect(tracesOf(exemplars.view().baseline)).toEqual([5, 4, 3, 13, 12]);
    expect(add([span(a, 602, 15, 14)])).toBe(false);
  });

  it('name a trace once per endpoint, as slow as it was', () => {
    const { exemplars, add, a, b } = setUp();
    add([span(a, 0, 100, 7)]);
    add([span(a, 1, 300, 7)]);
    add([span(a, 2, 200, 7), span(b, 2, 250, 7)]);
    expect(exemplars.view().baseline.map(({ endpoint, durationMs }) => [endpoint, durationMs])).toEqual([
      ['GET /a', 0.3],
      ['GET /b', 0.25],
    ]);
  });

  it('leave out spans without a trace, series of others, slots before the run, and rows that came too late', () => {
    const { exemplars, add, stream, a, b } = setUp(SLOT0 + 10);
    const [other = 0] = stream.endpoints(1, 'shop', '3');
    expect(add([{ series: a, endMs: T0 + 20_000, durationUs: 5 }, span(other, 20, 5, 1), span(a, 9, 5, 2)])).toBe(false);
    expect(add([span(a, 20, 5, 3), span(b, 21, 5, 4)], 1)).toBe(true);
    expect(tracesOf(exemplars.view().baseline)).toEqual([4]);
  });

  const spans = fc.array(
    fc.record({
      series: fc.integer({ min: 0, max: 3 }),
      second: fc.integer({ min: 0, max: 2000 }),
      durationUs: fc.integer({ min: 1, max: 50 }),
      trace: fc.integer({ min: 0, max: 30 }),
      failed: fc.boolean(),
    }),
    { maxLength: 80 },
  );

  it('are the same when the run is saved and restored in between, and never more than five of a kind', () => {
    fc.assert(
      fc.property(spans, fc.nat({ max: 80 }), fc.integer({ min: 1, max: 9 }), (list, cut, size) => {
        const { stream, endpoints, a, b, canaryA, canaryB } = setUp();
        const ids = [a, b, canaryA, canaryB];
        const straight = new Exemplars(SLOT0);
        let restored = new Exemplars(SLOT0);
        for (let from = 0; from < list.length; from += size) {
          const some = list.slice(from, from + size);
          const deltas = stream.flush(
            some.map(({ series, second, durationUs, trace, failed }) => span(ids[series] as number, second, durationUs, trace, { failed })),
          );
          straight.add(deltas, 0, endpoints);
          if (from <= cut) restored = new Exemplars(SLOT0, JSON.parse(JSON.stringify(restored.snapshot())));
          restored.add(deltas, 0, new Map([...endpoints].reverse()));
        }
        expect(restored.view()).toEqual(straight.view());
        for (const arm of Object.values(straight.view())) {
          for (const failed of [false, true]) expect(arm.filter((each) => each.failed === failed).length).toBeLessThanOrEqual(5);
        }
      }),
    );
  });

  it('without fading are those of a sort over all requests, in whatever order they came', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.tuple(fc.integer({ min: 0, max: 500 }), fc.integer({ min: 1, max: 9 })), {
          selector: ([second]) => second,
          maxLength: 40,
        }),
        (list) => {
          const { exemplars, add, a } = setUp();
          for (const [second, durationUs] of list) add([span(a, second, durationUs, second + 1)]);
          const expected = list.toSorted(([atX, x], [atY, y]) => y - x || atY - atX).slice(0, 5);
          expect(tracesOf(exemplars.view().baseline)).toEqual(expected.map(([second]) => second + 1));
        },
      ),
    );
  });
});
