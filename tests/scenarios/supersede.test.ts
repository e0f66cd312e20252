/** The newest rollout of a service is the only one that may still signal. */
import { expect, it } from 'vitest';
import { MAX_ACTIVE_RUNS } from '../../src/engine/rollouts.ts';
import { Live, scenarioConfig } from './live.ts';
import { WORLD_START, World } from './world.ts';

const V3 = { 'service.version': 'v3' };

function shop(): World {
  return new World([
    { service: 'checkout', version: 'v1', rate: 60 },
    { service: 'checkout', version: 'v2', rate: 30, behaviour: (second) => (second < 90 ? {} : { errorRatio: 0.3 }) },
    {
      service: 'checkout',
      version: 'v3',
      rate: (second) => (second < 80 ? 0 : 30),
      behaviour: (second) => (second < 200 ? {} : { errorRatio: 0.3 }),
    },
  ]);
}

it('a newer rollout supersedes the one in flight, which never signals again', () => {
  const live = new Live(scenarioConfig());
  const world = shop();
  live.play(world, 30);
  live.start();
  live.play(world, 80);
  expect(live.start({ id: 'r2', canary: V3, generation: 2 }).kind).toBe('started');
  expect(live.run()).toMatchObject({ state: 'superseded', verdict: { decision: 'hold', reason: 'superseded' } });
  live.play(world, 180);
  expect(live.signals).toEqual([]);
  expect(live.run('r2').state).toBe('running');

  live.play(world, 260);
  expect(live.run('r2').state).toBe('rolled_back');
  expect(live.signals.map(({ rolloutId, generation, action }) => [rolloutId, generation, action])).toEqual([['r2', 2, 'rollback']]);
});

it('a stale generation is refused and leaves the newer run as it is', () => {
  const live = new Live(scenarioConfig());
  const world = shop();
  live.play(world, 30);
  live.start({ generation: 5 });
  live.play(world, 40);
  const before = live.run();
  expect(live.start({ generation: 4 })).toEqual({ kind: 'conflict', newest: 5 });
  expect(live.start({ id: 'other', generation: 4 })).toEqual({ kind: 'conflict', newest: 5 });
  expect(live.start({ generation: 5 }).kind).toBe('exists');
  expect(live.run()).toEqual(before);
});

it('a signal of a superseded generation is not current any more, across a restart too', () => {
  const live = new Live(scenarioConfig());
  const world = shop();
  live.play(world, 30);
  live.start();
  live.play(world, 130);
  const [signal] = live.signals;
  expect(signal).toMatchObject({ rolloutId: 'r1', generation: 1, action: 'rollback' });
  expect(live.engine.rollouts.isCurrent('r1', 1)).toBe(true);

  live.start({ generation: 2, canary: V3 });
  expect(live.engine.rollouts.isCurrent('r1', 1)).toBe(false);
  expect(live.engine.rollouts.isCurrent('r1', 2)).toBe(true);
  live.restart();
  expect(live.engine.rollouts.isCurrent('r1', 1)).toBe(false);
  expect(live.engine.rollouts.isCurrent('r1', 2)).toBe(true);

  live.start({ id: 'r9', generation: 3, canary: V3 });
  expect(live.engine.rollouts.isCurrent('r1', 2)).toBe(false);
  live.restart();
  expect(live.engine.rollouts.isCurrent('r1', 2)).toBe(false);
  expect(live.engine.rollouts.isCurrent('r9', 3)).toBe(true);
});

it.each([
  { what: 'started in the same millisecond', startedAt: WORLD_START + 30_000 },
  { what: 'that began earlier by the clock of its deploy system', startedAt: WORLD_START + 25_000 },
])('a second rollout $what supersedes the first', ({ startedAt }) => {
  const live = new Live(scenarioConfig());
  live.play(shop(), 30);
  live.start();
  live.start({ id: 'r2', generation: 2, canary: V3, startedAt });
  const current = () => [live.engine.rollouts.isCurrent('r1', 1), live.engine.rollouts.isCurrent('r2', 2)];
  expect(current()).toEqual([false, true]);
  live.restart();
  expect(current()).toEqual([false, true]);
});

it('a release that nobody announced does not end the run of one that was announced', () => {
  const live = new Live(scenarioConfig({ canary: { trackBy: 'service.version' } }));
  const world = shop();
  live.play(world, 70);
  live.start();
  live.play(world, 180);
  expect([...live.engine.rollouts.all()].map((run) => run.rollout.id)).toEqual(['r1']);
  expect(live.run().state).toBe('rolled_back');
  expect(live.engine.rollouts.isCurrent('r1', 1)).toBe(true);
});

it('a newer rollout takes the place of the one in flight although there is no room for one more', () => {
  const live = new Live(scenarioConfig());
  for (let i = 0; i < MAX_ACTIVE_RUNS; i++) {
    const request = { id: `r${i}`, service: `service-${i}`, baseline: { 'service.version': 'v1' }, canary: V3, generation: 1 };
    expect(live.engine.startRollout(request, WORLD_START).kind).toBe('started');
  }
  expect(live.start({ id: 'more' }).kind).toBe('full');
  expect(live.start({ id: 'r7', service: 'service-7', generation: 2 }).kind).toBe('started');
});

it('an aborted run says nothing more', () => {
  const live = new Live(scenarioConfig());
  const world = shop();
  live.play(world, 30);
  live.start();
  live.play(world, 60);
  live.engine.abortRollout('r1');
  live.play(world, 200);
  expect(live.run()).toMatchObject({ state: 'aborted' });
  expect(live.signals).toEqual([]);
});
