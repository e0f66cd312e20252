/** A restart took the baseline's last minutes into the reference a second time: the run knew the baseline better than it had seen it. */
import { expect, it } from 'vitest';
import { Live, scenarioConfig } from '../scenarios/live.ts';
import { World } from '../scenarios/world.ts';

/** Unfaded weight of all baseline requests behind what "slow" means. */
function referenceMass(live: Live): number {
  const [endpoint] = live.engine.rollouts.find('r1')?.save().comparison?.endpoints ?? [];
  let mass = 0;
  for (const chunk of endpoint?.reference.chunks ?? []) for (let i = 2; i < chunk.length; i += 2) mass += chunk[i] as number;
  return mass;
}

it('a restart adds nothing to the reference but what comes after it', () => {
  const live = new Live(scenarioConfig());
  const world = new World([
    { service: 'checkout', version: 'v1', rate: 40 },
    { service: 'checkout', version: 'v2', rate: 10 },
  ]);
  live.play(world, 300);
  live.start();
  live.play(world, 330);
  const before = referenceMass(live);
  live.restart();
  live.play(world, 350);
  expect(live.run().state).toBe('running');
  expect(referenceMass(live)).toBeGreaterThan(before);
  expect(referenceMass(live)).toBeLessThan(before * 1.2);
});
