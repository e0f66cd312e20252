/** Pieces of the past told no pods, so where all traffic moves at once a single sick pod was taken for the release. */
import { expect, it } from 'vitest';
import { Live, scenarioConfig } from '../scenarios/live.ts';
import { type Pods, World } from '../scenarios/world.ts';

const SWITCH_SEC = 400;
const SICK = { errorRatio: 0.4 };

function world(sickPods: number): World {
  const pods: Pods = { service: 'checkout', version: 'v1', rate: (second) => (second < SWITCH_SEC ? 60 : 0) };
  const canary = (pod: number): Pods => ({
    ...pods,
    version: 'v2',
    pods: 1,
    attributes: { 'service.instance.id': `c${pod}` },
    rate: (second) => (second < SWITCH_SEC + 5 ? 0 : 20),
    behaviour: (second) => (pod < sickPods && second >= SWITCH_SEC + 60 ? SICK : {}),
  });
  return new World([pods, canary(0), canary(1), canary(2)]);
}

it.each([
  { sickPods: 1, state: 'running' },
  { sickPods: 2, state: 'rolled_back' },
])('of three pods that are compared with the past $sickPods that fail leave the run as $state', ({ sickPods, state }) => {
  const live = new Live(
    scenarioConfig({ canary: { baseline: { kind: 'previous', shiftMs: 0 }, maxErrorRatio: null, minPassMs: 3_000_000 } }),
  );
  const played = world(sickPods);
  live.play(played, SWITCH_SEC);
  live.start();
  live.play(played, SWITCH_SEC + 300);
  const run = live.run();
  expect(run.state).toBe(state);
  expect(run.judgements.find(({ check }) => check === 'errors POST /checkout')?.evidence).toMatchObject({ level: 'pod' });
});
