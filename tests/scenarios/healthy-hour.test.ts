/** A healthy canary is left alone and promoted. */
import { expect, it } from 'vitest';
import { AVAILABILITY, Live, scenarioConfig } from './live.ts';
import { WORLD_START, World } from './world.ts';

const HOUR = 3600;
const ENDPOINTS = { 'POST /checkout': 3, 'GET /order/{id}': 5, 'GET /health': 1 };
/** Load and latency swing for both releases alike. */
const swing = (second: number) => ({ slowdown: 1 + 0.3 * Math.sin(second / 200), errorRatio: 0.002 + 0.001 * Math.sin(second / 90) });

it('an hour of a healthy canary never looks harmful, and ends in its promotion when the policy allows it', () => {
  const live = new Live(scenarioConfig({ objectives: [AVAILABILITY], canary: { minPassMs: 3_500_000, horizonMs: 3_600_000 } }));
  const world = new World(
    ['v1', 'v2'].map((version) => ({ service: 'checkout', version, rate: 50, endpoints: ENDPOINTS, behaviour: swing })),
  );
  live.play(world, 300);
  live.start();
  live.play(world, 300 + HOUR);
  const run = live.run();
  expect(run).toMatchObject({ state: 'promoted', verdict: { decision: 'promote', reason: 'health_proven' } });
  expect(run.verdict.at).toBeGreaterThanOrEqual(WORLD_START + 3_800_000);
  expect(run.verdict.at).toBeLessThan(WORLD_START + 3_900_000);
  expect(run.verdict.logWealth).toBeLessThanOrEqual(0);
  expect(run.canaryRequests).toBeGreaterThan(50 * 3400);
  expect(run.lateRequests / run.canaryRequests).toBeLessThan(0.01);
  expect(live.signals).toMatchObject([{ rolloutId: 'r1', action: 'promote' }]);
});

it('a split that ramps from 1 % to 50 % is no harm', () => {
  const share = (second: number) => Math.min(0.5, 0.01 + (0.49 * Math.max(0, second - 300)) / 2400);
  const live = new Live(scenarioConfig({ objectives: [AVAILABILITY], canary: { minPassMs: 3_000_000 } }));
  const world = new World([
    { service: 'checkout', version: 'v1', rate: (second) => 100 * (1 - share(second)), endpoints: ENDPOINTS, behaviour: swing },
    { service: 'checkout', version: 'v2', rate: (second) => 100 * share(second), endpoints: ENDPOINTS, behaviour: swing },
  ]);
  live.play(world, 300);
  live.start();
  live.play(world, 300 + HOUR);
  expect(live.run()).toMatchObject({ state: 'promoted' });
  expect(live.run().history.map(({ decision }) => decision)).not.toContain('rollback');
});

it('a healthy canary of a policy that asks for no more is promoted when its five minutes are over', () => {
  const live = new Live(scenarioConfig());
  const world = new World(['v1', 'v2'].map((version) => ({ service: 'checkout', version, rate: 50 })));
  live.play(world, 60);
  live.start();
  live.play(world, 355);
  expect(live.run().state).toBe('running');
  live.play(world, 500);
  expect(live.run()).toMatchObject({ state: 'promoted' });
  expect(live.run().verdict.at).toBeGreaterThanOrEqual(WORLD_START + 360_000);
});
