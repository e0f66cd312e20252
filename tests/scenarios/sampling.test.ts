/** Sampled spans stand for their requests, and releases sampled by different rules are not compared. */
import { expect, it } from 'vitest';
import { AVAILABILITY, Live, scenarioConfig } from './live.ts';
import type { ServedRequest } from './otlp-stream.ts';
import { type Pods, World } from './world.ts';

/** Keeps one span of `oneOf` and says so, as a consistent probability sampler does. */
function sampled(oneOf: 4 | 16, dropped?: ServedRequest[]): NonNullable<Pods['recorded']> {
  const traceState = oneOf === 4 ? 'ot=th:c' : 'ot=th:f';
  return (request, random) => {
    if (random() * oneOf < 1) return { ...request, traceState };
    dropped?.push(request);
    return null;
  };
}

function played(baseline: Partial<Pods>, canary: Partial<Pods>, until: number): Live {
  const live = new Live(scenarioConfig({ objectives: [AVAILABILITY] }));
  const world = new World([
    { service: 'checkout', version: 'v1', rate: 240, ...baseline },
    { service: 'checkout', version: 'v2', rate: (second) => (second < 60 ? 0 : 160), ...canary },
  ]);
  live.play(world, 60);
  live.start();
  live.play(world, until);
  return live;
}

it.each([
  { what: 'only the canary is sampled', baseline: {}, canary: { recorded: sampled(4) } },
  { what: 'the canary is sampled harder', baseline: { recorded: sampled(4) }, canary: { recorded: sampled(16) } },
])('when $what, a healthy and a failing canary alike are held as biased', ({ baseline, canary }) => {
  for (const errorRatio of [0.001, 0.3]) {
    const live = played(baseline, { ...canary, behaviour: () => ({ errorRatio }) }, 400);
    expect(live.run()).toMatchObject({ state: 'running', verdict: { decision: 'hold', reason: 'biased_sampling' }, signalId: null });
  }
});

it('when both are sampled alike, objectives count the requests that spans stand for, and decisions are made', () => {
  const healthy = played({ recorded: sampled(4) }, { recorded: sampled(4) }, 700);
  expect(healthy.run()).toMatchObject({ state: 'promoted' });
  const counted = healthy.telemetry.value('spans_total', { disposition: 'counted' });
  const evidence = healthy.service('checkout').objectives[0]?.judgement.evidence;
  expect(evidence?.kind === 'objective' ? evidence.valid : 0).toBe(counted * 4);

  const failing = played({ recorded: sampled(4) }, { recorded: sampled(4), behaviour: () => ({ errorRatio: 0.3 }) }, 120);
  expect(failing.run()).toMatchObject({ state: 'rolled_back' });
});

it('weights do not inflate evidence: the comparison counts spans', () => {
  const live = played({ recorded: sampled(4) }, { recorded: sampled(4) }, 300);
  expect(live.run().canaryRequests).toBeLessThan(40 * 240 * 1.1);
});
