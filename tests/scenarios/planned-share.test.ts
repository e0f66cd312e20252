/** A deploy system that says which share of the traffic the canary is meant to get hears when it does not. */
import { expect, it } from 'vitest';
import { Live, scenarioConfig } from './live.ts';
import { type Pods, WORLD_START, World } from './world.ts';

const START_SEC = 120;
const DEAD_SEC = 400;
const BACK_SEC = 600;

/** `share` of 100 requests a second is planned for the canary; from DEAD_SEC to BACK_SEC it gets only `part` of that, and the baseline the rest. */
function shop(share: (second: number) => number, part = 0): Pods[] {
  const canary = (second: number) => (second < START_SEC ? 0 : 100 * share(second) * (second < DEAD_SEC || second >= BACK_SEC ? 1 : part));
  return [
    { service: 'checkout', version: 'v1', rate: (second) => 100 - canary(second) },
    { service: 'checkout', version: 'v2', rate: canary },
  ];
}

function played(
  pods: Pods[],
  canary: Parameters<typeof scenarioConfig>[0] = {},
  canaryShare: number | null = 0.2,
): { live: Live; world: World } {
  const live = new Live(scenarioConfig(canary));
  const world = new World(pods);
  live.play(world, START_SEC);
  live.start({ canaryShare, deadline: WORLD_START + 3_000_000 });
  return { live, world };
}

it.each([
  { what: 'gets nothing', part: 0 },
  { what: 'gets a tenth of it', part: 0.1 },
])('a canary that $what is held with the reason, within a minute, and goes on when it is back', ({ part }) => {
  const { live, world } = played(
    shop(() => 0.2, part),
    { canary: { minPassMs: 1_200_000 } },
  );
  live.play(world, DEAD_SEC);
  expect(live.run()).toMatchObject({ state: 'running', verdict: { decision: 'continue' }, rollout: { canaryShare: 0.2 } });
  live.play(world, DEAD_SEC + 60);
  expect(live.run()).toMatchObject({ state: 'running', verdict: { decision: 'hold', reason: 'silence_proven' } });
  live.play(world, BACK_SEC + 60);
  expect(live.run()).toMatchObject({ state: 'running', verdict: { decision: 'continue' } });
  expect(live.signals).toEqual([]);
});

it('is rolled back where the policy takes silence for harm', () => {
  const { live, world } = played(
    shop(() => 0.2),
    { canary: { onSilence: 'rollback', minPassMs: 1_200_000 } },
  );
  live.play(world, DEAD_SEC + 60);
  expect(live.run()).toMatchObject({ state: 'rolled_back', verdict: { reason: 'silence_proven' } });
  expect(live.signals).toMatchObject([{ action: 'rollback', reason: 'silence_proven' }]);
});

it('nothing of it is said where nobody told a share', () => {
  const { live, world } = played(
    shop(() => 0.2, 0.1),
    { canary: { onSilence: 'rollback', minPassMs: 1_200_000 } },
    null,
  );
  live.play(world, DEAD_SEC + 120);
  expect(live.run()).toMatchObject({ state: 'running', verdict: { decision: 'continue' } });
});

it('a ramp is told by sending the rollout again; the run goes on, and a restart does not forget the plan', () => {
  const ramp = (second: number) => (second < 200 ? 0.05 : second < 300 ? 0.2 : 0.5);
  const { live, world } = played(shop(ramp), { canary: { onSilence: 'rollback', minPassMs: 1_200_000 } }, 0.05);
  live.play(world, 200);
  const before = live.run();
  expect(live.start({ canaryShare: 0.2 }).kind).toBe('exists');
  expect(live.run().rollout).toEqual({ ...before.rollout, canaryShare: 0.2 });
  live.play(world, 300);
  live.start({ canaryShare: 0.5 });
  // Sent again without a word about the share, it stays.
  live.start();
  live.crash();
  expect(live.run().rollout.canaryShare).toBe(0.5);
  live.play(world, DEAD_SEC - 5);
  expect(live.run()).toMatchObject({ state: 'running', verdict: { decision: 'continue' } });
  live.play(world, DEAD_SEC + 60);
  expect(live.run()).toMatchObject({ state: 'rolled_back', verdict: { reason: 'silence_proven' } });
});

it('a run that is over keeps the share it ended with', () => {
  const { live, world } = played(shop(() => 0.2));
  live.play(world, 200);
  live.engine.abortRollout('r1');
  expect(live.start({ canaryShare: 0.9 }).kind).toBe('exists');
  expect(live.run().rollout.canaryShare).toBe(0.2);
});
