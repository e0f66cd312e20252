/** Pods changed their lanes with every restart, so the errors of a single one came to lie in two groups and were taken for those of the release. */
import { expect, it } from 'vitest';
import { Live, scenarioConfig } from '../scenarios/live.ts';
import { type Pods, World } from '../scenarios/world.ts';

const START_SEC = 300;
const SICK = { fromSec: 420, toSec: 660 };

function pod(version: string, name: string, more: Pick<Pods, 'rate'> & Partial<Pods>): Pods {
  return { service: 'checkout', version, pods: 1, exportMs: 1000, attributes: { 'service.instance.id': name }, ...more };
}

function world(seed: number): World {
  const canary = { rate: (second: number) => (second < START_SEC ? 0 : 20) };
  const isSick = (second: number) => second >= SICK.fromSec && second < SICK.toSec;
  return new World(
    [
      ...['b0', 'b1', 'b2', 'b3', 'b4', 'b5'].map((name) => pod('v1', name, { rate: 20 })),
      // Which one is heard first after a restart differs from second to second.
      pod('v2', 'c0', { ...canary, exportMs: 2000, behaviour: (second) => (isSick(second) ? { errorRatio: 0.4 } : {}) }),
      pod('v2', 'c1', canary),
      pod('v2', 'c2', { ...canary, exportMs: 5000 }),
    ],
    seed,
  );
}

it.each(['restart', 'crash'] as const)('four minutes of errors of one pod of three stay those of one pod over every %s', (how) => {
  for (const seed of [1, 2, 3]) {
    const live = new Live(scenarioConfig({ canary: { minPassMs: 3_000_000 } }));
    const played = world(seed);
    live.play(played, START_SEC);
    live.start();
    for (const second of [460, 520, 581]) {
      live.play(played, second);
      live[how]();
    }
    live.play(played, SICK.toSec);
    const { state, verdict, judgements } = live.run();
    expect({ seed, state }).toEqual({ seed, state: 'running' });
    expect(verdict.logWealth).toBeLessThan(0.5);
    expect(judgements.find(({ check }) => check === 'errors POST /checkout')?.evidence).toMatchObject({ level: 'pod' });
  }
});
