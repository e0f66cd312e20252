/** What keeps a verdict back: warm-up, few requests, the mode of the policy, a short incident, the end of the time. */
import { expect, it } from 'vitest';
import { Live, scenarioConfig } from './live.ts';
import { type Behaviour, type Pods, World } from './world.ts';

const CANARY_FROM = 60;

function played(config: Parameters<typeof scenarioConfig>[0], canary: Partial<Pods>, until: number): Live {
  const live = new Live(scenarioConfig(config));
  const world = new World([
    { service: 'checkout', version: 'v1', rate: 60 },
    { service: 'checkout', version: 'v2', rate: (second) => (second < CANARY_FROM ? 0 : 30), ...canary },
  ]);
  live.play(world, CANARY_FROM);
  live.start();
  live.play(world, until);
  return live;
}

it('a canary that is slow while its caches are cold is forgiven during warm-up, and only then', () => {
  const behaviour = (second: number): Behaviour => (second < CANARY_FROM + 100 ? { slowdown: 1.8 } : {});
  expect(played({ canary: { warmupMs: 120_000 } }, { behaviour }, 900).run()).toMatchObject({ state: 'promoted' });
  expect(played({ canary: { warmupMs: 0 } }, { behaviour }, 200).run()).toMatchObject({ state: 'rolled_back' });
  expect(played({ canary: { warmupMs: 120_000 } }, { behaviour: () => ({ slowdown: 1.8 }) }, 400).run()).toMatchObject({
    state: 'rolled_back',
  });
});

it('a canary that fails half of everything is rolled back during warm-up too', () => {
  const live = played({ canary: { warmupMs: 120_000 } }, { behaviour: () => ({ errorRatio: 0.5 }) }, CANARY_FROM + 40);
  expect(live.run()).toMatchObject({ state: 'rolled_back' });
});

it('a handful of requests proves nothing, even when all of them fail', () => {
  const rate = (second: number) => (second < CANARY_FROM ? 0 : 0.5);
  const few = played({}, { rate, behaviour: () => ({ errorRatio: 1 }) }, 360);
  expect(few.run()).toMatchObject({ state: 'running', verdict: { decision: 'continue', reason: 'too_few_samples' } });
  expect(few.run().canaryRequests).toBeGreaterThan(100);
  const enough = played({}, { rate, behaviour: () => ({ errorRatio: 1 }) }, 600);
  expect(enough.run()).toMatchObject({ state: 'rolled_back' });
});

it.each([
  { mode: 'observe', state: 'held', reason: 'observe_only', actions: [] },
  { mode: 'hold', state: 'held', reason: 'harm_proven', actions: ['hold'] },
  { mode: 'rollback', state: 'rolled_back', reason: 'harm_proven', actions: ['rollback'] },
] as const)('in mode $mode a failing canary leaves signals $actions', ({ mode, state, reason, actions }) => {
  const live = played({ canary: { mode } }, { behaviour: () => ({ errorRatio: 0.3 }) }, 150);
  expect(live.run()).toMatchObject({ state, verdict: { reason } });
  expect(live.signals.map(({ action }) => action)).toEqual(actions);
});

it('one pod that stalls for four seconds is an incident, not a release', () => {
  const behaviour = (second: number): Behaviour => (second >= 120 && second < 124 ? { slowdown: 3 } : {});
  expect(played({}, { behaviour }, 200).run()).toMatchObject({ state: 'running' });
});

it('at the end of its time an undecided canary is held or promoted, as its policy says', () => {
  const slow = { rate: (second: number) => (second < CANARY_FROM ? 0 : 2) };
  const config = (onInconclusive: 'hold' | 'promote') => ({ canary: { onInconclusive, horizonMs: 400_000 } });
  expect(played(config('hold'), slow, 480).run()).toMatchObject({ state: 'expired', verdict: { decision: 'hold' } });
  expect(played(config('promote'), slow, 480).run()).toMatchObject({ state: 'promoted' });
});
