/** A restart or crash loses no verdict, sends no signal twice and forgets no guard. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { MemoryStore } from '../../src/store/memory-store.ts';
import { SqliteStore } from '../../src/store/sqlite-store.ts';
import type { Store } from '../../src/store/store.ts';
import { objective } from '../support/policies.ts';
import { AVAILABILITY, Live, scenarioConfig } from './live.ts';
import { type Pods, WORLD_START, World } from './world.ts';

const undo: (() => void)[] = [];
afterEach(() => {
  for (const act of undo.splice(0)) act();
});

const STORES: readonly { readonly kind: string; make(): Store }[] = [
  { kind: 'memory', make: () => new MemoryStore() },
  {
    kind: 'sqlite',
    make: () => {
      const folder = mkdtempSync(join(tmpdir(), 'slipstream-scenario-'));
      const store = new SqliteStore(folder);
      undo.push(() => {
        store.close();
        rmSync(folder, { recursive: true });
      });
      return store;
    },
  },
];

const BAD_SEC = 120;
const config = () => scenarioConfig({ objectives: [AVAILABILITY] });
const pods = (service: string, from = BAD_SEC): Pods[] => [
  { service, version: 'v1', rate: 60 },
  { service, version: 'v2', rate: 30, behaviour: (second) => (second < from ? {} : { errorRatio: 0.05 }) },
];

const expected = uninterrupted();

function uninterrupted(): Live {
  const live = new Live(config());
  const world = new World(pods('checkout'));
  live.play(world, 30);
  live.start();
  live.play(world, 300);
  return live;
}

describe.each(STORES)('with state in $kind', ({ make }) => {
  it.each([
    { when: 'before anything is wrong', second: 90, crash: false },
    { when: 'in the middle of the evidence', second: BAD_SEC + 8, crash: false },
    { when: 'by a crash in the middle of the evidence', second: BAD_SEC + 8, crash: true },
    { when: 'after the decision', second: BAD_SEC + 60, crash: false },
    { when: 'by a crash after the decision', second: BAD_SEC + 60, crash: true },
  ])('a restart $when changes neither the verdict nor the one signal', ({ second, crash }) => {
    const live = new Live(config(), make());
    const world = new World(pods('checkout'));
    live.play(world, 30);
    live.start();
    live.play(world, second);
    const before = live.run();
    if (crash) live.crash();
    else live.restart();
    if (before.state !== 'running') expect(live.run()).toEqual(before);
    live.play(world, 400);

    expect(expected.run().state).toBe('rolled_back');
    expect(live.run()).toMatchObject({ state: 'rolled_back', signalId: expected.run().signalId });
    expect(live.run().verdict.reason).toBe('harm_proven');
    expect(live.signals.map(({ id }) => id)).toEqual(expected.signals.map(({ id }) => id));
    if (second > BAD_SEC + 30) expect(live.run().verdict).toEqual(expected.run().verdict);
  });

  it('five restarts in a row, one a crash, still send one signal', () => {
    const live = new Live(config(), make());
    const world = new World(pods('checkout'));
    live.play(world, 30);
    live.start();
    for (let second = BAD_SEC - 20; second < BAD_SEC + 230; second += 50) {
      live.play(world, second);
      if (second === BAD_SEC + 30) live.crash(2000);
      else live.restart(2000);
    }
    live.play(world, 500);
    expect(live.run().state).toBe('rolled_back');
    expect(live.signals).toHaveLength(1);
  });

  it('an hour of silence while it was down is a gap, not evidence', () => {
    const live = new Live(scenarioConfig({ canary: { horizonMs: 10_800_000 } }), make());
    const world = new World(pods('checkout', Number.POSITIVE_INFINITY));
    live.play(world, 30);
    live.start({ deadline: WORLD_START + 10_800_000 });
    live.play(world, 200);
    const before = live.run();
    live.restart();
    for (const _ of world.until(3800));
    live.crash(3_600_000);
    expect(live.run()).toMatchObject({ state: 'running', canaryRequests: before.canaryRequests });
    live.play(world, 3830);
    expect(live.run().verdict.decision).toBe('continue');
    expect(live.signals).toEqual([]);
  });

  it('cool-down and breaker survive', () => {
    const live = new Live(scenarioConfig({ maxRollbacksPerHour: 2 }), make());
    const world = new World(['checkout', 'payment', 'search'].flatMap((service, i) => pods(service, 100 + i * 100)));
    live.play(world, 30);
    for (const [i, service] of ['checkout', 'payment', 'search'].entries()) live.start({ id: `r${i + 1}`, service });
    live.play(world, 280);
    expect(live.run('r2').state).toBe('rolled_back');
    live.restart();
    live.start({ id: 'r4', generation: 2 });
    live.play(world, 500);

    expect(live.run('r3')).toMatchObject({ state: 'held', verdict: { decision: 'hold', reason: 'breaker_open' } });
    expect(live.run('r4')).toMatchObject({ state: 'held', verdict: { decision: 'hold', reason: 'cool_down' } });
    expect(live.signals.map(({ rolloutId, action }) => [rolloutId, action])).toEqual([
      ['r1', 'rollback'],
      ['r2', 'rollback'],
      ['r4', 'hold'],
      ['r3', 'hold'],
    ]);
  });

  it('a restart with other latency limits in the configuration goes on with the run', () => {
    const limit = (ms: number) =>
      objective({ service: 'checkout', name: 'fast', target: 0.9, sli: { kind: 'latency', thresholdNs: ms * 1_000_000 } });
    const live = new Live(scenarioConfig({ objectives: [limit(100)] }), make());
    const world = new World(pods('checkout'));
    live.play(world, 30);
    live.start();
    live.play(world, 100);
    const before = live.run();
    live.config = scenarioConfig({ objectives: [limit(200)] });
    live.restart();
    live.play(world, 118);
    expect(live.run()).toMatchObject({ state: 'running', verdict: { decision: 'continue' } });
    expect(live.run().canaryRequests).toBeGreaterThan(before.canaryRequests + 30 * 8);
    live.play(world, 300);
    expect(live.run().state).toBe('rolled_back');
    expect(live.signals).toHaveLength(1);
  });

  it('counts of objectives go on where they were', () => {
    const live = new Live(config(), make());
    const world = new World(pods('checkout'));
    live.play(world, 100);
    live.restart();
    const before = live.service('checkout').objectives[0]?.judgement.evidence;
    expect(before).toMatchObject({ kind: 'objective', valid: expect.any(Number) });
    live.restart();
    expect(live.service('checkout').objectives[0]?.judgement.evidence).toEqual(before);
    expect(live.service('checkout').endpoints).toHaveLength(2);
  });
});
