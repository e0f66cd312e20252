/** Where all traffic moves at once, the canary is compared with what its baseline was before. */
import { expect, it } from 'vitest';
import { Live, scenarioConfig } from './live.ts';
import { type Behaviour, type Pods, WORLD_START, World } from './world.ts';

/** The old release stops and the new one starts. */
const SWITCH_SEC = 400;
const PREVIOUS = { canary: { baseline: { kind: 'previous', shiftMs: 0 } } } as const;

function recreated(behaviour: (second: number) => Behaviour = () => ({}), rate = 60): Pods[] {
  const pods: Pods = { service: 'checkout', version: 'v1', rate: 0, endpoints: { 'POST /checkout': 3, 'GET /': 1 } };
  return [
    { ...pods, rate: (second) => (second < SWITCH_SEC ? rate : 0) },
    { ...pods, version: 'v2', rate: (second) => (second < SWITCH_SEC + 5 ? 0 : rate), behaviour },
  ];
}

function live(world: World, request: Parameters<Live['start']>[0] = {}): Live {
  const service = new Live(scenarioConfig(PREVIOUS));
  service.play(world, SWITCH_SEC - 20);
  service.start(request);
  return service;
}

it('a healthy release is promoted against the one before it, and never rolled back', () => {
  const world = new World(recreated());
  const service = live(world);
  service.play(world, SWITCH_SEC);
  expect(service.run()).toMatchObject({ state: 'running', verdict: { decision: 'hold', reason: 'no_canary' } });
  service.play(world, SWITCH_SEC + 100);
  expect(service.run()).toMatchObject({ state: 'running', verdict: { decision: 'continue' } });
  expect(service.run().baselineRequests).toBeGreaterThan(9 * 10 * 50);
  service.play(world, SWITCH_SEC + 1400);
  expect(service.run()).toMatchObject({ state: 'promoted', verdict: { reason: 'health_proven' } });
  expect(service.signals).toMatchObject([{ action: 'promote' }]);
});

it.each([
  { what: 'fails 5 % of its requests', behaviour: { errorRatio: 0.05 }, withinSec: 60 },
  { what: 'is half as slow again', behaviour: { slowdown: 1.5 }, withinSec: 90 },
])('a release that $what is rolled back within $withinSec s', ({ behaviour, withinSec }) => {
  const world = new World(recreated(() => behaviour));
  const service = live(world);
  service.play(world, SWITCH_SEC + 200);
  const { state, verdict } = service.run();
  expect(state).toBe('rolled_back');
  expect(verdict.at - (WORLD_START + (SWITCH_SEC + 5) * 1000)).toBeLessThanOrEqual(withinSec * 1000);
  expect(service.signals).toMatchObject([{ action: 'rollback', reason: 'harm_proven' }]);
});

it.each([
  { how: 'through', state: 'rolled_back', what: 'a rollout that is through is judged on: its release can be taken back' },
  { how: 'over', state: 'aborted', what: 'a rollout that was given up is judged no more' },
] as const)('$what', ({ how, state }) => {
  const world = new World(recreated((second) => ({ errorRatio: second > SWITCH_SEC + 30 ? 0.3 : 0 })));
  const service = live(world);
  service.play(world, SWITCH_SEC + 20);
  service.engine.endRollout(service.run().rollout.id, how);
  service.play(world, SWITCH_SEC + 200);
  expect(service.run()).toMatchObject({ state });
  expect(service.signals.map(({ action }) => action)).toEqual(state === 'rolled_back' ? ['rollback'] : []);
});

it('no request of the baseline is compared twice: when its past is used up, the run is held', () => {
  // A small baseline, so that nothing is proven either way.
  const world = new World(recreated(() => ({}), 3));
  const service = live(world, { deadline: WORLD_START + 3_000_000 });
  service.play(world, 2600);
  const run = service.run();
  expect(run).toMatchObject({ state: 'running', verdict: { decision: 'hold', reason: 'baseline_used_up' } });
  // Two thirds of what the baseline sent before the switch; the first third sets the edges.
  expect(run.baselineRequests).toBeGreaterThan(600);
  expect(run.baselineRequests).toBeLessThanOrEqual((SWITCH_SEC * 3 * 2) / 3 + 60);
  service.play(world, 3060);
  expect(service.run()).toMatchObject({ state: 'expired', verdict: { decision: 'hold', reason: 'baseline_used_up' } });
});

it('with hardly any past in memory it is soon used up, and the run is held', () => {
  const world = new World(recreated());
  const service = new Live(scenarioConfig(PREVIOUS));
  for (const _ of world.until(SWITCH_SEC));
  service.idle(WORLD_START + SWITCH_SEC * 1000);
  service.start();
  service.play(world, SWITCH_SEC + 120);
  expect(service.run()).toMatchObject({ state: 'running', verdict: { decision: 'hold', reason: 'baseline_used_up' } });
});

it.each(['restart', 'crash'] as const)('a %s in the middle changes neither the verdict nor the one signal', (how) => {
  const world = new World(recreated(() => ({ slowdown: 1.3 })));
  const service = live(world);
  service.play(world, SWITCH_SEC + 35);
  expect(service.run()).toMatchObject({ state: 'running', verdict: { decision: 'continue' } });
  service[how]();
  service.play(world, SWITCH_SEC + 200);
  expect(service.run()).toMatchObject({ state: 'rolled_back', verdict: { reason: 'harm_proven' } });
  expect(service.signals).toHaveLength(1);
});

it('what the old release sent late as it stopped does not keep the new one from being judged', () => {
  // The backlog of one pod comes more than a minute after it was served.
  const backlog: Pods = {
    service: 'checkout',
    version: 'v1',
    pods: 1,
    rate: (second) => (second >= SWITCH_SEC - 15 && second < SWITCH_SEC ? 20 : 0),
    stragglers: { share: 1, fromMs: 62_000, toMs: 70_000 },
  };
  const bad = (second: number) => (second < SWITCH_SEC + 150 ? {} : { errorRatio: 0.1 });
  const world = new World([...recreated(bad), backlog]);
  const service = live(world);
  service.play(world, SWITCH_SEC + 300);
  expect(service.run().lateRequests).toBeGreaterThan(100);
  expect(service.run()).toMatchObject({ state: 'rolled_back', verdict: { reason: 'harm_proven' } });
});
