/** What becomes of saved runs that cannot be gone on with. */
import { expect, it } from 'vitest';
import { Rollouts } from '../../src/engine/rollouts.ts';
import { PLAIN_STRICTNESS } from '../../src/engine/run-policy.ts';
import { type LiveRunState, remains, savedRun as savedRunOf, withoutBake } from '../../src/engine/saved-run.ts';
import { HistogramLayout } from '../../src/model/histogram-layout.ts';
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

it('of a run of another format that is over stays that it was and how it ended, so its signal is still current', () => {
  const { exemplars: _, strictness: __, ...foreign } = { ...savedRun(0, 900), format: 1, policy: { alpha: 1 } };
  expect(foreign.state).toBe('promoted');
  const policy = scenarioConfig().policies.fallback.canary;
  const rollouts = new Rollouts(new HistogramLayout(2, 60_000_000));
  rollouts.restore([remains(foreign as unknown as LiveRunState, policy)]);
  expect(rollouts.isCurrent('r1', 1)).toBe(true);
  const run = rollouts.find('r1');
  expect(run?.view()).toMatchObject({ state: 'promoted', verdict: { decision: 'promote' }, signalId: foreign.signalId });
  const older = { id: 'r0', service: 'checkout', baseline: { v: '1' }, canary: { v: '2' }, generation: 0 };
  expect(rollouts.start(older, policy, PLAIN_STRICTNESS, 0)).toEqual({ kind: 'conflict', newest: 1 });
  expect(savedRunOf(JSON.stringify(run?.save())).final).toEqual(run?.view());
});

it('of a bake of another format stays the promotion', () => {
  const policy = scenarioConfig().policies.fallback.canary;
  expect(remains({ ...savedRun(3_600_000, 900), format: 1 }, policy)).toMatchObject({
    state: 'promoted',
    final: { state: 'promoted', verdict: { decision: 'promote' } },
  });
});
