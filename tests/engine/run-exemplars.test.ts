/** A run shows requests to look at, from the flushes it was in flight for, and goes on with them after a restart. */
import { describe, expect, it } from 'vitest';
import { Engine } from '../../src/engine.ts';
import type { Checkpoint } from '../../src/model/checkpoint.ts';
import { policies } from '../support/policies.ts';
import { kept, type Span, Stream } from '../window/stream.ts';

const T0 = 1_790_000_000_000;
const ROLLOUT = {
  id: 'r1',
  service: 'shop',
  generation: 1,
  startedAt: T0,
  baseline: { 'service.version': '1' },
  canary: { 'service.version': '2' },
};

function setUp() {
  const stream = new Stream();
  const [baseline = 0] = stream.endpoints(1, 'shop', '1');
  const [canary = 0] = stream.endpoints(1, 'shop', '2');
  const engine = new Engine(policies({}), stream.layout);
  engine.startRollout(ROLLOUT, T0);
  /** A second of traffic; the canary's last request fails. */
  const second = (n: number): Span[] =>
    Array.from({ length: 6 }, (_, i) => ({
      series: i % 2 === 0 ? baseline : canary,
      endMs: T0 + n * 1000 + i * 100,
      durationUs: 1000 + ((n * 37 + i * 11) % 101),
      failed: i === 5,
      trace: n * 10 + i + 1,
    }));
  return { stream, engine, second };
}

const shown = (engine: Engine) => engine.rollouts.find('r1')?.view().exemplars;

/** As a store gives it back. */
function restored(saved: Checkpoint, stream: Stream, now: number): Engine {
  const engine = new Engine(policies({}), stream.layout);
  engine.restore(JSON.parse(JSON.stringify({ ...saved, series: [], slots: [], counts: [], countKeys: [] })), now);
  return engine;
}

describe('the exemplars of a run in flight', () => {
  it('are those of its own releases, the failed ones apart', () => {
    const { stream, engine, second } = setUp();
    engine.merge(stream.flush(second(1)));
    const { baseline, canary } = shown(engine) ?? { baseline: [], canary: [] };
    expect(baseline.map(({ failed }) => failed)).toEqual([false]);
    expect(canary.map(({ failed, at }) => [failed, at])).toEqual([
      [false, T0 + 1000],
      [true, T0 + 1000],
    ]);
  });

  it('are not counted twice when a flush comes again', () => {
    const { stream, engine, second } = setUp();
    const deltas = kept(stream.flush(second(1)));
    engine.merge(deltas);
    const before = shown(engine);
    expect(engine.merge({ ...deltas, slowestNs: deltas.slowestNs.map((ns) => ns * 2) }).duplicate).toBe(true);
    expect(shown(engine)).toEqual(before);
  });

  it('are the same when the process was restarted in between', () => {
    const { stream, engine, second } = setUp();
    const flushes = Array.from({ length: 30 }, (_, n) => kept(stream.flush(second(n))));
    for (const deltas of flushes.slice(0, 15)) engine.merge(deltas);
    const saved = engine.checkpoint(T0 + 15_000);
    const info = (id: number) => stream.table.info(id);
    const other = restored(saved, stream, T0 + 15_000);
    expect(shown(other)).toEqual(shown(engine));
    for (const deltas of flushes.slice(15)) {
      engine.merge(deltas);
      other.merge({ ...deltas, announced: Array.from({ length: stream.table.idEnd }, (_, id) => info(id)) });
    }
    expect(shown(other)).toEqual(shown(engine));
    expect(shown(engine)?.canary.length).toBe(10);
  });

  it('stay in sight when the run is over, and take nothing more', () => {
    const { stream, engine, second } = setUp();
    engine.merge(stream.flush(second(1)));
    const before = shown(engine);
    engine.abortRollout('r1');
    engine.merge(stream.flush(second(2)));
    expect(shown(engine)).toEqual(before);
    expect(before?.canary.length).toBe(2);
  });
});
