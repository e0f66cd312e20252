/** A promoted release is watched for a while against the one it replaced. */
import { expect, it } from 'vitest';
import { MAX_ACTIVE_RUNS } from '../../src/engine/rollouts.ts';
import { AVAILABILITY, Live, scenarioConfig } from './live.ts';
import { type Behaviour, type Pods, WORLD_START, World } from './world.ts';

const START_SEC = 300;
const BAKE_SEC = 600;
const BAKING = { canary: { bakeMs: BAKE_SEC * 1000 } };

/** Half of the traffic for the canary, and all of it so many seconds after `promotedSec`. */
function rollout(promotedSec: () => number, movesSec: number, behaviour: (second: number) => Behaviour): Pods[] {
  const isAlone = (second: number) => second > promotedSec() + movesSec;
  const pods: Pods = { service: 'checkout', version: 'v1', rate: 0 };
  return [
    { ...pods, rate: (second) => (second < START_SEC ? 80 : isAlone(second) ? 0 : 40) },
    { ...pods, version: 'v2', rate: (second) => (second < START_SEC ? 0 : isAlone(second) ? 80 : 40), behaviour },
  ];
}

/** Plays until the canary is promoted. */
function promoted(behaviour: (second: number) => Behaviour, config = scenarioConfig(BAKING), movesSec = 60) {
  let promotedSec = Number.POSITIVE_INFINITY;
  const live = new Live(config);
  const world = new World(rollout(() => promotedSec, movesSec, behaviour));
  live.play(world, START_SEC);
  live.start();
  while (live.run().state !== 'baking') {
    expect(world.second).toBeLessThan(START_SEC + 1500);
    live.play(world, world.second + 5);
  }
  promotedSec = world.second;
  return { live, world, promotedSec };
}

const HEALTHY = () => ({});
/** Turns bad so long after the run began. */
const LATE_SEC = 1150;
const badLate = (behaviour: Behaviour) => (second: number) => (second < LATE_SEC ? {} : behaviour);

it('a healthy release bakes for its time and ends as promoted, with exactly one signal', () => {
  const { live, world } = promoted(HEALTHY);
  expect(live.signals).toMatchObject([{ action: 'promote', reason: 'health_proven' }]);
  live.play(world, world.second + 100);
  expect(live.run()).toMatchObject({ state: 'baking', verdict: { decision: 'promote', reason: 'baking' } });
  expect(live.run().judgements.length).toBeGreaterThan(0);

  live.play(world, world.second + BAKE_SEC);
  const run = live.run();
  expect(run).toMatchObject({
    state: 'promoted',
    verdict: { decision: 'promote', reason: 'health_proven' },
    signalId: live.signals[0]?.id,
  });
  expect(run.history.slice(-3).map(({ decision, reason }) => `${decision} ${reason}`)).toEqual([
    'promote health_proven',
    'promote baking',
    'promote health_proven',
  ]);
  expect(live.signals).toHaveLength(1);
});

it.each([
  { what: 'fails 5 % of its requests', behaviour: { errorRatio: 0.05 }, withinSec: 90 },
  { what: 'is half as slow again', behaviour: { slowdown: 1.5 }, withinSec: 120 },
])('a release that $what long after the baseline is gone is rolled back within $withinSec s', ({ behaviour, withinSec }) => {
  const { live, world, promotedSec } = promoted(badLate(behaviour), scenarioConfig({ canary: { bakeMs: 1_800_000 } }));
  expect(LATE_SEC).toBeGreaterThan(promotedSec + 120);
  live.play(world, LATE_SEC);
  expect(live.run().state).toBe('baking');
  live.play(world, LATE_SEC + 300);
  const { state, verdict, signalId } = live.run();
  expect(state).toBe('rolled_back');
  expect(verdict).toMatchObject({ decision: 'rollback', reason: 'harm_proven' });
  expect(verdict.at - (WORLD_START + LATE_SEC * 1000)).toBeLessThanOrEqual(withinSec * 1000);
  expect(live.signals.map(({ action }) => action)).toEqual(['promote', 'rollback']);
  expect(signalId).toBe(live.signals[1]?.id);
  expect(live.signals[0]?.id).not.toBe(signalId);
});

it('a release that turns bad while the baseline still serves is compared with it', () => {
  const { live, world } = promoted(badLate({ errorRatio: 0.1 }), scenarioConfig(BAKING), BAKE_SEC);
  live.play(world, LATE_SEC + 40);
  expect(live.run().state).toBe('rolled_back');
  expect(live.signals.map(({ action }) => action)).toEqual(['promote', 'rollback']);
});

it.each(['restart', 'crash'] as const)('a %s in the middle of a bake sends nothing twice and forgets nothing', (how) => {
  const healthy = promoted(HEALTHY);
  const { live, world } = healthy;
  live.play(world, world.second + 200);
  const before = live.run();
  live[how]();
  expect(live.run()).toMatchObject({ state: 'baking', rollout: before.rollout, history: before.history });
  live.play(world, world.second + BAKE_SEC);
  expect(live.run().state).toBe('promoted');
  expect(live.signals.map(({ action }) => action)).toEqual(['promote']);

  const late = promoted(badLate({ errorRatio: 0.1 }), scenarioConfig({ canary: { bakeMs: 1_800_000 } }));
  late.live.play(late.world, LATE_SEC + 15);
  late.live[how]();
  late.live.play(late.world, LATE_SEC + 200);
  expect(late.live.run().state).toBe('rolled_back');
  expect(late.live.signals.map(({ action }) => action)).toEqual(['promote', 'rollback']);
});

it('a crash between the promotion and the bake promotes once', () => {
  const { live, world } = promoted(HEALTHY);
  live.crash();
  live.play(world, world.second + BAKE_SEC + 100);
  expect(live.run().state).toBe('promoted');
  expect(live.signals.map(({ action }) => action)).toEqual(['promote']);
});

it('neither the deadline of the rollout nor silence ends a bake; its own time does', () => {
  const { live, world } = promoted(HEALTHY);
  const until = world.second + BAKE_SEC + 200;
  live.idle(WORLD_START + (until - 300) * 1000);
  expect(live.run()).toMatchObject({ state: 'baking', verdict: { decision: 'promote', reason: 'baking' } });
  live.idle(WORLD_START + until * 1000);
  expect(live.run()).toMatchObject({ state: 'promoted', verdict: { reason: 'health_proven' } });
  expect(live.signals).toHaveLength(1);
});

it('a newer rollout of the service ends a bake, and so does an abort; nobody is told to hold', () => {
  const superseded = promoted(HEALTHY).live;
  superseded.start({ id: 'r2', generation: 2, baseline: { 'service.version': 'v2' }, canary: { 'service.version': 'v3' } });
  expect(superseded.run()).toMatchObject({ state: 'superseded', verdict: { decision: 'promote', reason: 'superseded' } });
  expect(superseded.signals).toHaveLength(1);
  const aborted = promoted(HEALTHY).live;
  aborted.engine.abortRollout('r1');
  expect(aborted.run()).toMatchObject({ state: 'aborted', verdict: { decision: 'promote', reason: 'aborted' } });
});

it('a bake makes room for a rollout that would be refused otherwise, and its promotion stands', () => {
  const { live } = promoted(HEALTHY);
  const startOf = (service: string) => live.start({ id: service, service }).kind;
  for (let i = 1; i < MAX_ACTIVE_RUNS; i++) expect(startOf(`service-${i}`)).toBe('started');
  expect(live.run().state).toBe('baking');
  expect(startOf('one more')).toBe('started');
  expect(live.run()).toMatchObject({ state: 'promoted', verdict: { decision: 'promote', reason: 'health_proven' } });
  expect(startOf('another one')).toBe('full');
  live.restart();
  expect(live.run().state).toBe('promoted');
  expect(live.signals).toHaveLength(1);
});

it('a bad release that nobody announced is found and rolled back while an announced one bakes', () => {
  const pods: Pods = { service: 'checkout', version: 'v1', rate: (second) => (second < 900 ? 60 : 0) };
  const world = new World([
    pods,
    { ...pods, version: 'v2', rate: 60 },
    { ...pods, version: 'v3', rate: (second) => (second < 1000 ? 0 : 60), behaviour: () => ({ errorRatio: 0.3 }) },
  ]);
  const live = new Live(scenarioConfig({ canary: { bakeMs: 3_600_000, trackBy: 'service.version' } }));
  live.play(world, 30);
  live.start();
  live.play(world, 990);
  expect(live.run().state).toBe('baking');
  live.play(world, 1100);
  expect(live.run().state).toBe('superseded');
  expect(live.signals.map(({ action, rolloutId }) => `${action} ${rolloutId === 'r1'}`)).toEqual(['promote true', 'rollback false']);
});

it('the guard stands before a rollback of a bake as well', () => {
  const { live, world } = promoted(
    badLate({ errorRatio: 0.1 }),
    scenarioConfig({ canary: { bakeMs: 1_800_000 }, maxRollbacksPerHour: 0, objectives: [AVAILABILITY] }),
  );
  live.play(world, LATE_SEC + 200);
  expect(live.run()).toMatchObject({ state: 'held', verdict: { decision: 'hold', reason: 'breaker_open' } });
  expect(live.signals.map(({ action }) => action)).toEqual(['promote', 'hold']);
});
