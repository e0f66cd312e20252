/** When telemetry stops for a while, the run waits, and goes on behind the gap. */
import { expect, it } from 'vitest';
import { AVAILABILITY, Live, scenarioConfig } from './live.ts';
import { type Behaviour, type Pods, WORLD_START, World } from './world.ts';

const GAP = { from: 200, to: 380 };
const outsideGap = (second: number) => second < GAP.from || second >= GAP.to;
const seconds = (at: number) => (at - WORLD_START) / 1000;

function shop(change: { readonly baseline?: Partial<Pods>; readonly canary?: Partial<Pods> }): World {
  return new World([
    { service: 'checkout', version: 'v1', rate: 80, ...change.baseline },
    { service: 'checkout', version: 'v2', rate: (second) => (second < 60 ? 0 : 40), ...change.canary },
    { service: 'search', version: 'v1', rate: 10 },
  ]);
}

function played(world: World, until: number, config = scenarioConfig({ objectives: [AVAILABILITY] })): Live {
  const live = new Live(config);
  live.play(world, 60);
  live.start();
  live.play(world, until);
  return live;
}

it('a gap of three minutes in all telemetry holds the run as stale, and evidence goes on behind it', () => {
  const world = shop({ baseline: { exports: outsideGap }, canary: { exports: outsideGap } });
  const live = played(world, GAP.from);
  const before = live.run();
  expect(before).toMatchObject({ state: 'running', verdict: { decision: 'continue' } });

  live.play(world, GAP.to - 5);
  expect(live.run()).toMatchObject({ state: 'running', verdict: { decision: 'hold', reason: 'stale_telemetry' } });
  expect(live.run().canaryRequests - before.canaryRequests).toBeLessThan(40 * 10);

  live.play(world, GAP.to + 30);
  expect(live.run()).toMatchObject({ state: 'running', verdict: { decision: 'continue', reason: 'accumulating' } });
  expect(live.run().canaryRequests).toBeGreaterThan(before.canaryRequests + 40 * 15);
  live.play(world, 900);
  expect(live.run()).toMatchObject({ state: 'promoted' });
  expect(live.signalsOf()).toMatchObject([{ action: 'promote' }]);
});

it.each(['canary', 'baseline'] as const)('an agent that is down for the %s alone neither rolls back nor promotes in the gap', (arm) => {
  const world = shop({ [arm]: { exports: outsideGap } });
  const live = played(world, GAP.to);
  expect(live.run()).toMatchObject({ state: 'running', signalId: null });

  live.play(world, 900);
  expect(live.run()).toMatchObject({ state: 'promoted' });
});

it.each([
  { what: 'all agents', baseline: { exports: outsideGap }, canary: { exports: outsideGap } },
  { what: "the canary's agent", canary: { exports: outsideGap } },
])('a canary that turns bad after a gap of $what is still rolled back', ({ baseline, canary }) => {
  const behaviour = (second: number): Behaviour => (second < 400 ? {} : { errorRatio: 0.2 });
  const live = played(shop({ ...(baseline && { baseline }), canary: { ...canary, behaviour } }), 440);
  expect(live.run().state).toBe('rolled_back');
  expect(seconds(live.run().verdict.at)).toBeGreaterThan(400);
  expect(live.signalsOf()).toHaveLength(1);
});

it('a service is judged no sooner for what others send: their spans do not make its own fresh', () => {
  const world = shop({ baseline: { exports: outsideGap }, canary: { exports: outsideGap } });
  const live = played(world, GAP.to - 5);
  expect(live.service('search').newestAt).toBeGreaterThan(WORLD_START + (GAP.to - 15) * 1000);
  expect(live.service('checkout').newestAt).toBeLessThan(WORLD_START + GAP.from * 1000);
});

it('an agent that sends everything late after the gap holds the run: what came behind the watermark was not judged', () => {
  // The agent keeps its spans for three minutes and then sends them all.
  const held: { at: number; bytes: Uint8Array<ArrayBuffer> }[] = [];
  const world = shop({ canary: { behaviour: () => ({ errorRatio: 0.002 }) } });
  const live = played(world, GAP.from);
  for (const arrival of world.until(GAP.to)) held.push(arrival);
  live.idle(WORLD_START + GAP.to * 1000);
  for (const { bytes } of held) live.arrive({ at: WORLD_START + GAP.to * 1000 + 50, bytes });
  live.play(world, GAP.to + 30);
  expect(live.run()).toMatchObject({ state: 'running', verdict: { decision: 'hold', reason: 'late_telemetry' } });
  expect(live.run().lateRequests).toBeGreaterThan(1000);
  live.play(world, 900);
  expect(live.run()).toMatchObject({ state: 'promoted' });
  expect(seconds(live.run().verdict.at)).toBeGreaterThan(GAP.to + 60);
  expect(live.run().history.map(({ decision }) => decision)).not.toContain('rollback');
});
