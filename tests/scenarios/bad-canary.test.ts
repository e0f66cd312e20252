/** Canaries that are really bad are rolled back in time, and the verdict says why. */
import { expect, it } from 'vitest';
import { AVAILABILITY, Live, scenarioConfig } from './live.ts';
import { type Behaviour, WORLD_START, World } from './world.ts';

const TEN = Object.fromEntries(Array.from({ length: 10 }, (_, i) => [`GET /page/${i}`, 1]));
const START_SEC = 300;
const BAD_SEC = 360;

function badCanary(behaviour: (endpoint: string) => Behaviour, endpoints: Record<string, number>, rate: number) {
  const live = new Live(scenarioConfig({ objectives: [AVAILABILITY] }));
  const world = new World([
    { service: 'checkout', version: 'v1', rate: rate * 4, endpoints },
    {
      service: 'checkout',
      version: 'v2',
      rate: (second) => (second < START_SEC ? 0 : rate),
      endpoints,
      behaviour: (second, endpoint) => (second < BAD_SEC ? {} : behaviour(endpoint)),
    },
  ]);
  live.play(world, START_SEC);
  live.start();
  live.play(world, BAD_SEC);
  expect(live.run()).toMatchObject({ state: 'running', signalId: null });
  live.play(world, BAD_SEC + 120);
  return live;
}

it.each([
  { what: 'failing 30 % of its requests', behaviour: { errorRatio: 0.3 }, withinSec: 12, decidedBy: /^errors(Severe)? POST \/checkout$/ },
  { what: 'failing 5 % of its requests', behaviour: { errorRatio: 0.05 }, withinSec: 30, decidedBy: /^errors(Severe)? POST \/checkout$/ },
  { what: 'half as slow again', behaviour: { slowdown: 1.5 }, withinSec: 30, decidedBy: /^p(50|95|99|50x2) POST \/checkout$/ },
])('a canary $what is rolled back within $withinSec s of event time', ({ behaviour, withinSec, decidedBy }) => {
  const live = badCanary(() => behaviour, { 'POST /checkout': 1 }, 50);
  const { state, verdict, signalId } = live.run();

  expect(state).toBe('rolled_back');
  expect(verdict).toMatchObject({ decision: 'rollback', reason: 'harm_proven' });
  expect(verdict.at - (WORLD_START + BAD_SEC * 1000)).toBeLessThanOrEqual(withinSec * 1000);
  expect(verdict.decidedBy).toMatch(decidedBy);
  expect(live.signals).toMatchObject([{ id: signalId, action: 'rollback', rolloutId: 'r1', generation: 1, evidenceAt: verdict.at }]);
});

it('one endpoint of ten that became three times slower is named, with its counts, in the verdict and the signal', () => {
  const slow = 'GET /page/7';
  const live = badCanary((endpoint) => (endpoint === slow ? { slowdown: 3 } : {}), TEN, 50);
  const { state, verdict, judgements } = live.run();

  expect(state).toBe('rolled_back');
  expect(verdict.at - (WORLD_START + BAD_SEC * 1000)).toBeLessThanOrEqual(60_000);
  expect(verdict.decidedBy).toMatch(/^p(50|95|99|50x2) GET \/page\/7$/);
  const failing = judgements.filter(({ outcome }) => outcome === 'fail');
  expect(failing.map(({ evidence }) => (evidence.kind === 'comparison' ? evidence.endpoint : ''))).toContain(slow);
  const decisive = judgements.find(({ check }) => check === verdict.decidedBy);
  const evidence = decisive?.evidence.kind === 'comparison' ? decisive.evidence : undefined;
  expect(evidence?.canary.bad).toBeGreaterThan(10);
  expect(live.signals[0]?.summary).toContain(`canary ${evidence?.canary.bad} of ${evidence?.canary.total} slower than`);
  expect(live.signals[0]?.summary).toContain('GET /page/7');
});
