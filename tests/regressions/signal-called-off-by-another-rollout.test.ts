/** Which rollouts and verdicts call off a signal that is still on its way, and which do not. */
import { beforeEach, describe, expect, it } from 'vitest';
import type { RolloutRequest } from '../../src/engine/rollouts.ts';
import { Live, scenarioConfig } from '../scenarios/live.ts';
import { WORLD_START, World } from '../scenarios/world.ts';

const IN_SHOP = { kind: 'Deployment', namespace: 'shop', name: 'checkout', fence: '2' } as const;
const V3 = { 'service.version': 'v3' };

let live: Live;
beforeEach(() => {
  live = new Live(scenarioConfig({ canary: { bakeMs: 1_800_000 } }));
});

const start = (change: Partial<RolloutRequest>) => live.start({ target: IN_SHOP, ...change });

describe('a rollout', () => {
  it.each<[string, boolean, Partial<RolloutRequest>]>([
    ['of the same service in another namespace', true, { target: { ...IN_SHOP, namespace: 'staging' }, generation: 1 }],
    ['that was found in the traffic', true, { target: null, origin: 'policy', generation: 1 }],
    ['of the same service and namespace', false, { target: { ...IN_SHOP, fence: '3' }, generation: 8 }],
    ['of the same service that names no object', false, { target: null, generation: 8 }],
  ])('%s that begins later leaves the signal current: %s', (_, isCurrent, later) => {
    start({ generation: 7 });
    live.engine.abortRollout('r1');
    expect(start({ id: 'later', canary: V3, ...later }).kind).toBe('started');
    expect(live.engine.rollouts.isCurrent('r1', 7)).toBe(isCurrent);
    live.restart();
    expect(live.engine.rollouts.isCurrent('r1', 7)).toBe(isCurrent);
  });

  it('in another namespace ends no run, and is not held against its generations', () => {
    start({ generation: 7 });
    expect(start({ id: 'other', target: { ...IN_SHOP, namespace: 'staging' }, generation: 3 }).kind).toBe('started');
    expect([live.run('r1').state, live.run('other').state]).toEqual(['pending', 'pending']);
    expect(start({ id: 'stale', generation: 6 })).toEqual({ kind: 'conflict', newest: 7 });
  });
});

it('a promotion that is still on its way when the same release is rolled back is not sent after the rollback', () => {
  const world = new World([
    { service: 'checkout', version: 'v1', rate: 60 },
    { service: 'checkout', version: 'v2', rate: 60, behaviour: (second) => (second < 1_200 ? {} : { errorRatio: 0.3 }) },
  ]);
  live.play(world, 30);
  live.start();
  live.play(world, 1_195);
  expect(live.run().state).toBe('baking');
  const standing = () => live.signals.map((signal) => live.engine.controls.standing(signal, live.engine.rollouts, WORLD_START));
  expect(standing()).toEqual(['send']);
  live.play(world, 1_400);
  expect(live.signals.map(({ action }) => action)).toEqual(['promote', 'rollback']);
  expect(standing()).toEqual(['superseded', 'send']);
});
