/** Batches that are sent twice roll nothing back. */
import { expect, it } from 'vitest';
import { AVAILABILITY, Live, scenarioConfig } from './live.ts';
import type { ServedRequest } from './otlp-stream.ts';
import { type Pods, World } from './world.ts';

function shop(change: Partial<Pods>, canary: Partial<Pods> = {}): World {
  return new World([
    { service: 'checkout', version: 'v1', rate: 60, ...change },
    { service: 'checkout', version: 'v2', rate: (second) => (second < 60 ? 0 : 40), ...change, ...canary },
  ]);
}

function played(world: World, until: number): Live {
  const live = new Live(scenarioConfig({ objectives: [AVAILABILITY] }));
  live.play(world, 60);
  live.start();
  live.play(world, until);
  return live;
}

it('a fifth of all batches sent twice causes no rollback, and a failing canary among them is rolled back', () => {
  expect(played(shop({ resent: 0.2 }), 700).run()).toMatchObject({ state: 'promoted' });
  expect(played(shop({ resent: 0.2 }, { behaviour: () => ({ errorRatio: 0.1 }) }), 150).run()).toMatchObject({ state: 'rolled_back' });
});

it('a batch that is sent again counts again: OTLP knows no identity of requests', () => {
  const seen: ServedRequest[] = [];
  const recorded = (request: ServedRequest) => {
    seen.push(request);
    return request;
  };
  const live = new Live(scenarioConfig({ objectives: [AVAILABILITY] }));
  live.play(new World([{ service: 'checkout', version: 'v1', rate: (second) => (second < 60 ? 60 : 0), resent: 1, recorded }]), 90);
  expect(live.service('checkout').objectives[0]?.judgement.evidence).toMatchObject({ valid: 2 * seen.length });
});
