/** A service that has spent its error budget is judged more strictly than one that has not. */
import { expect, it } from 'vitest';
import { objective } from '../support/policies.ts';
import { Live, scenarioConfig } from './live.ts';
import { World } from './world.ts';

const START_SEC = 300;

function judged(baseline: number, strictness: 'fixed' | 'budget' = 'budget', target = 0.99) {
  const objectives = [
    objective({ service: 'checkout', target }),
    // A latency objective has no say: its budget is not spent by failures.
    objective({ service: 'checkout', name: 'fast', target: 0.999, sli: { kind: 'latency', thresholdNs: 1_000_000 } }),
  ];
  const live = new Live(scenarioConfig({ objectives, canary: { strictness } }));
  const world = new World([
    { service: 'checkout', version: 'v1', rate: 100, behaviour: (second) => ({ errorRatio: second < START_SEC - 20 ? baseline : 0 }) },
    { service: 'checkout', version: 'v2', rate: (second) => (second < START_SEC ? 0 : 50) },
  ]);
  live.play(world, START_SEC);
  live.start();
  return { live, world };
}

it.each([
  { what: 'untouched', baseline: 0, low: 1, high: 1 },
  { what: 'spent by a third', baseline: 0.0033, low: 0.6, high: 0.8 },
  { what: 'nearly spent', baseline: 0.009, low: 0.5, high: 0.5 },
  { what: 'overspent', baseline: 0.03, low: 0.5, high: 0.5 },
])(
  'with a budget that is $what, tolerances are multiplied by $low to $high, for the whole run and over a restart',
  ({ baseline, low, high }) => {
    const { live, world } = judged(baseline);
    const { strictness } = live.run();
    expect(strictness).toBeGreaterThanOrEqual(low);
    expect(strictness).toBeLessThanOrEqual(high);
    live.play(world, START_SEC + 100);
    live.crash();
    live.play(world, START_SEC + 120);
    expect(live.run().strictness).toBe(strictness);
  },
);

it('a policy that does not ask for it, and a service without objectives, are judged as configured', () => {
  expect(judged(0.03, 'fixed').live.run().strictness).toBe(1);
  const live = new Live(scenarioConfig({ canary: { strictness: 'budget' } }));
  live.play(new World([{ service: 'checkout', version: 'v1', rate: 20, behaviour: () => ({ errorRatio: 0.2 }) }]), 100);
  live.start();
  expect(live.run().strictness).toBe(1);
});
