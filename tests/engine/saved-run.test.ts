/** What becomes of saved runs that cannot be gone on with. */
import { expect, it } from 'vitest';
import type { LiveRunState } from '../../src/engine/saved-run.ts';
import { withoutBake } from '../../src/engine/saved-run.ts';
import { Live, scenarioConfig } from '../scenarios/live.ts';
import { World } from '../scenarios/world.ts';

function savedRun(bakeMs: number, second: number): LiveRunState {
  const live = new Live(scenarioConfig({ canary: { bakeMs } }));
  const pods = { service: 'checkout', rate: 60 };
  const world = new World([
    { ...pods, version: 'v1' },
    { ...pods, version: 'v2' },
  ]);
  live.play(world, 30);
  live.start();
  live.play(world, second);
  return JSON.parse(live.store.load({}).runs[0]?.json ?? 'null') as LiveRunState;
}

it('a bake is over as promoted, with the evidence it was promoted for', () => {
  const run = savedRun(3_600_000, 900);
  expect(run.state).toBe('baking');
  const over = withoutBake(run);
  expect(over).toMatchObject({ state: 'promoted', bake: null, comparison: null, final: { state: 'promoted' } });
  expect(over.final?.verdict).toMatchObject({ decision: 'promote', reason: 'health_proven' });
  expect(over.final?.judgements).toEqual(run.bake?.promotion.judgements);
  expect(over.final?.signalId).toBe(run.signalId);
});

it('any other run stays as it is', () => {
  const run = savedRun(0, 100);
  expect(run.state).toBe('running');
  expect(withoutBake(run)).toBe(run);
});
