/** Without traffic of a release nothing is decided. */
import { expect, it } from 'vitest';
import { Live, scenarioConfig } from './live.ts';
import { type Pods, WORLD_START, World } from './world.ts';

const BASELINE: Pods = { service: 'checkout', version: 'v1', rate: 40 };
const DEADLINE = WORLD_START + 420_000;

it.each([
  { what: 'the baseline serves on', from: [{ ...BASELINE }], ends: 'no_canary' },
  {
    what: 'the service itself falls silent',
    from: [{ ...BASELINE, rate: (second: number) => (second < 200 ? 40 : 0) }],
    ends: 'stale_telemetry',
  },
  { what: 'the service is never heard of', from: [{ ...BASELINE, service: 'payment' }], ends: 'no_data' },
] as const)('a canary without traffic is held, and expires as held at its deadline, while $what', ({ from, ends }) => {
  const live = new Live(scenarioConfig({ canary: { onInconclusive: 'promote' } }));
  const world = new World(from);
  live.play(world, 60);
  live.start({ deadline: DEADLINE });
  live.play(world, 190);
  expect(live.run()).toMatchObject({ state: 'running', verdict: { decision: 'hold' }, canaryRequests: 0 });

  live.play(world, 600);
  expect(live.run()).toMatchObject({ state: 'expired', verdict: { decision: 'hold', reason: ends } });
  expect(live.signalsOf()).toMatchObject([{ action: 'hold', reason: ends }]);
  expect(live.run().history.map(({ decision }) => decision)).not.toContain('continue');
});

it('a service whose baseline sends nothing is held, and another one is rolled back in the same minutes', () => {
  const live = new Live(scenarioConfig());
  const world = new World([
    { ...BASELINE, rate: 0 },
    { ...BASELINE, version: 'v2', behaviour: () => ({ errorRatio: 0.5 }) },
    { ...BASELINE, service: 'payment' },
    { ...BASELINE, service: 'payment', version: 'v2', rate: 20, behaviour: () => ({ errorRatio: 0.3 }) },
  ]);
  live.play(world, 5);
  live.start();
  live.start({ id: 'r2', service: 'payment' });
  live.play(world, 120);

  expect(live.run()).toMatchObject({ state: 'running', verdict: { decision: 'hold', reason: 'no_baseline' } });
  expect(live.run('r2').state).toBe('rolled_back');
  expect(live.signals.map(({ rolloutId, action }) => [rolloutId, action])).toEqual([['r2', 'rollback']]);
});

it('a canary that fell silent after a good start is not promoted', () => {
  const live = new Live(scenarioConfig());
  const world = new World([BASELINE, { ...BASELINE, version: 'v2', rate: (second) => (second > 20 && second < 250 ? 40 : 0) }]);
  live.play(world, 20);
  live.start({ deadline: WORLD_START + 900_000 });
  live.play(world, 890);
  expect(live.run().state).toBe('running');
  live.play(world, 960);
  expect(live.signalsOf()).toMatchObject([{ action: 'hold' }]);
});
