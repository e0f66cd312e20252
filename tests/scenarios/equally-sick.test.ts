/** Trouble that both releases share is no reason to roll back, nor to promote. */
import { expect, it } from 'vitest';
import { objective } from '../support/policies.ts';
import { AVAILABILITY, Live, scenarioConfig } from './live.ts';
import { type Behaviour, World } from './world.ts';

const sickFrom =
  (start: number, end: number, errorRatio: number) =>
  (second: number): Behaviour =>
    second >= start && second < end ? { errorRatio, slowdown: 2 } : {};

it.each([
  { errorRatio: 0.3, what: 'a third of all requests' },
  { errorRatio: 0.2, what: 'a fifth of all requests' },
])(
  'while both releases fail $what alike, nothing is rolled back and nothing promoted; afterwards the canary is promoted',
  ({ errorRatio }) => {
    const live = new Live(scenarioConfig({ objectives: [AVAILABILITY] }));
    const behaviour = sickFrom(120, 700, errorRatio);
    const world = new World([
      { service: 'checkout', version: 'v1', rate: 80, behaviour },
      { service: 'checkout', version: 'v2', rate: 40, behaviour },
      { service: 'payment', version: 'v1', rate: 40 },
      { service: 'payment', version: 'v2', rate: 20, behaviour: sickFrom(120, 700, 0.2) },
    ]);
    live.play(world, 60);
    live.start();
    live.start({ id: 'r2', service: 'payment' });
    live.play(world, 700);
    expect(live.run()).toMatchObject({ state: 'running', signalId: null });
    expect(live.signalsOf()).toEqual([]);
    expect(live.run('r2').state).toBe('rolled_back');

    live.play(world, 1400);
    expect(live.run()).toMatchObject({ state: 'promoted' });
  },
);

it('a canary proven healthy while an objective of its service burns is held as a shared failure, and promoted after it', () => {
  // Both are slow alike, so the comparison finds nothing: only the objective knows that something is wrong.
  const fast = objective({ service: 'checkout', name: 'fast', target: 0.95, sli: { kind: 'latency', thresholdNs: 80_000_000 } });
  const live = new Live(scenarioConfig({ objectives: [fast] }));
  const behaviour = (second: number): Behaviour => (second < 600 ? { slowdown: 4 } : {});
  const world = new World([
    { service: 'checkout', version: 'v1', rate: 80, behaviour },
    { service: 'checkout', version: 'v2', rate: 40, behaviour },
  ]);
  live.play(world, 60);
  live.start();
  live.play(world, 600);
  expect(live.run()).toMatchObject({ state: 'running', verdict: { decision: 'hold', reason: 'shared_failure' } });
  live.play(world, 1200);
  expect(live.run()).toMatchObject({ state: 'promoted' });
});

it('while the baseline fails more than the canary may, nothing is proven and the run is held, without any objective', () => {
  const live = new Live(scenarioConfig({ canary: { maxErrorRatio: 0.0144, minPassMs: 1_200_000 } }));
  const outage = sickFrom(200, 400, 0.2);
  const world = new World([
    { service: 'checkout', version: 'v1', rate: 80, behaviour: outage },
    { service: 'checkout', version: 'v2', rate: 40, behaviour: outage },
  ]);
  live.play(world, 60);
  live.start();
  live.play(world, 190);
  expect(live.run()).toMatchObject({ state: 'running', verdict: { decision: 'continue' } });
  live.play(world, 300);
  expect(live.run()).toMatchObject({ state: 'running', verdict: { decision: 'hold', reason: 'shared_failure' } });
  live.play(world, 500);
  expect(live.run()).toMatchObject({ state: 'running', verdict: { decision: 'continue' } });
  expect(live.signals).toEqual([]);
});
