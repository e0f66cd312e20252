/** A run whose state makes no sense is held, and told of; every other run is judged as if it were not there. */
import { expect, it } from 'vitest';
import { MemoryStore } from '../../src/store/memory-store.ts';
import { Live, scenarioConfig } from './live.ts';
import { World } from './world.ts';

/** Gives back one run otherwise than it was saved: the next slot of the run is not the next slot of its comparison. */
class ForgetfulStore extends MemoryStore {
  broken: string | null = null;

  override load(...options: Parameters<MemoryStore['load']>): ReturnType<MemoryStore['load']> {
    const state = super.load(...options);
    return { ...state, runs: state.runs.map((run) => (run.id === this.broken ? { ...run, json: outOfStep(run.json) } : run)) };
  }
}

function outOfStep(json: string): string {
  const run = JSON.parse(json) as { comparison: { time: { nextSlot: number } } };
  run.comparison.time.nextSlot += 1_000_000;
  return JSON.stringify(run);
}

const SERVICES = ['checkout', 'payment', 'search'];

function shop(mode: 'rollback' | 'observe', bakeMs: number, breakSec: number) {
  const store = new ForgetfulStore();
  const live = new Live(scenarioConfig({ canary: { mode, bakeMs } }), store);
  live.mayBreak = true;
  const world = new World(
    SERVICES.flatMap((service) => [
      { service, version: 'v1', rate: 40 },
      {
        service,
        version: 'v2',
        rate: 40,
        behaviour: (second) => (second < breakSec + 20 ? {} : { errorRatio: service === 'payment' ? 0 : 0.3 }),
      },
    ]),
  );
  live.play(world, 30);
  for (const service of SERVICES) live.start({ id: service, service });
  live.play(world, breakSec);
  store.broken = 'payment';
  live.restart();
  live.play(world, breakSec + 80);
  return live;
}

it('a run that breaks is held and told of, and the runs behind it are rolled back as they should be', () => {
  const live = shop('rollback', 0, 100);
  expect(live.run('payment')).toMatchObject({ state: 'held', verdict: { decision: 'hold', reason: 'state_unknown' }, judgements: [] });
  expect(live.run('checkout').state).toBe('rolled_back');
  expect(live.run('search').state).toBe('rolled_back');
  expect(live.signals.map(({ rolloutId, action, reason }) => [rolloutId, action, reason])).toEqual([
    ['payment', 'hold', 'state_unknown'],
    ['checkout', 'rollback', 'harm_proven'],
    ['search', 'rollback', 'harm_proven'],
  ]);
  const faults = live.telemetry.lines.filter(({ level }) => level === 'error');
  expect(faults).toHaveLength(1);
  expect(faults[0]?.fields).toMatchObject({ rollout: 'payment', service: 'payment', fault: expect.stringContaining('the next one is') });
});

it('a broken run of a policy that observes tells nobody', () => {
  const live = shop('observe', 0, 100);
  expect(live.run('payment')).toMatchObject({ state: 'held', verdict: { reason: 'state_unknown' } });
  expect(live.signals).toEqual([]);
});

it('a bake that breaks leaves the promotion as it was', () => {
  const live = shop('rollback', 1_800_000, 1100);
  expect(live.run('payment')).toMatchObject({ state: 'promoted', verdict: { decision: 'promote', reason: 'health_proven' } });
  expect(live.signalsOf('payment').map(({ action }) => action)).toEqual(['promote']);
  expect(live.telemetry.lines.filter(({ level }) => level === 'error')).toHaveLength(1);
});
