/** What is counted and measured equals an independent recount of the decoded spans. */
import { build } from 'hdr-histogram-js';
import { describe, expect, it } from 'vitest';
import { objective } from '../support/policies.ts';
import { type DecodedSpan, decodedSpans } from './decoded-spans.ts';
import { Live, scenarioConfig } from './live.ts';
import { type Pods, WORLD_START, World } from './world.ts';

const ENDPOINTS = { 'POST /checkout': 1, 'GET /order/{id}': 3, 'GET /': 6 };
const OBJECTIVES = [
  objective({ service: 'checkout', name: 'availability', target: 0.99 }),
  objective({ service: 'checkout', name: 'quick', target: 0.9, sli: { kind: 'latency', thresholdNs: 100_000_000 } }),
  objective({
    service: 'checkout',
    name: 'orders',
    endpoint: 'GET /order/*',
    target: 0.9,
    sli: { kind: 'latency', thresholdNs: 55_555_000 },
  }),
  objective({ service: 'checkout', name: 'buying', endpoint: 'POST /checkout', target: 0.95 }),
  objective({ service: 'checkout', name: 'lately', target: 0.99, windowMs: 120_000 }),
];
const LATENCY_LIMIT_NS = new Map([
  ['quick', 100_000_000n],
  ['orders', 55_555_000n],
]);

describe.each([1, 2, 3, 4, 5])('in the random world %i', (seed) => {
  const messy: Partial<Pods> = {
    endpoints: ENDPOINTS,
    stragglers: { share: 0.02, fromMs: 1000, toMs: 45_000 },
    behaviour: (second) => ({ errorRatio: 0.01 + 0.02 * ((second >> 5) & 1), slowdown: 1 + ((second * seed) % 7) / 5 }),
  };
  const world = new World(
    [
      { service: 'checkout', version: 'v1', rate: (second) => 20 + ((second * seed) % 40), ...messy },
      { service: 'checkout', version: 'v2', rate: 15, pods: 2, ...messy },
      { service: 'search', version: 'v1', rate: 10 },
    ],
    seed,
  );
  const live = new Live(scenarioConfig({ objectives: OBJECTIVES }));
  const all: DecodedSpan[] = [];
  for (const arrival of world.until(420)) {
    live.arrive(arrival);
    all.push(...decodedSpans(arrival.bytes).filter(({ service }) => service === 'checkout'));
  }
  live.idle(WORLD_START + 425_000);
  const view = live.service('checkout', 600_000);
  const newestSec = Math.floor((view.newestAt ?? 0) / 1000) + 1;

  it('objectives count what an independent recount of the decoded spans counts', () => {
    for (const { id, windowMs } of OBJECTIVES) {
      const name = id.split(':').at(-1) ?? '';
      const limit = LATENCY_LIMIT_NS.get(name);
      // Edges of windows are rounded outward to ten seconds.
      const from = Math.floor((newestSec * 1000 - windowMs) / 10_000) * 10_000;
      const valid = all.filter(
        ({ endpoint, endMs }) =>
          endMs >= from &&
          (name !== 'orders' || endpoint.startsWith('GET /order/')) &&
          (name !== 'buying' || endpoint === 'POST /checkout'),
      );
      const bad = valid.filter(({ failed, durationNs }) => (limit === undefined ? failed : durationNs > limit)).length;
      const evidence = view.objectives.find((one) => one.id === id)?.judgement.evidence;
      expect(evidence, id).toMatchObject({ valid: valid.length, good: valid.length - bad });
    }
  });

  it('rows of status count and measure what hdr-histogram-js does', () => {
    expect(view.endpoints).toHaveLength(6);
    for (const row of view.endpoints) {
      const mine = all.filter(({ release, endpoint }) => release === row.release && endpoint === row.endpoint);
      expect(row).toMatchObject({ requests: mine.length, failed: mine.filter(({ failed }) => failed).length });
      const oracle = build({ lowestDiscernibleValue: 1, highestTrackableValue: 60_000_000, numberOfSignificantValueDigits: 2 });
      for (const { durationNs } of mine) oracle.recordValue(Number(durationNs / 1000n));
      expect(row.p50Ms).toBe(oracle.getValueAtPercentile(50) / 1000);
      expect(row.p95Ms).toBe(oracle.getValueAtPercentile(95) / 1000);
      expect(row.p99Ms).toBe(oracle.getValueAtPercentile(99) / 1000);
    }
  });
});
