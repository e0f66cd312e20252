/** New configuration takes effect exactly from its reload on; runs in flight keep theirs. */
import { expect, it } from 'vitest';
import type { Objective } from '../../src/model/objective.ts';
import { objective } from '../support/policies.ts';
import { AVAILABILITY, Live, type ScenarioConfig, scenarioConfig } from './live.ts';
import type { ServedRequest } from './otlp-stream.ts';
import { type Pods, World } from './world.ts';

const ENDPOINTS = { 'POST /checkout': 3, 'GET /health': 1 };

function latency(thresholdMs: number, name = 'fast'): Objective {
  return objective({ service: 'checkout', name, target: 0.9, sli: { kind: 'latency', thresholdNs: thresholdMs * 1e6 } });
}

function reload(live: Live, config: ScenarioConfig): void {
  live.config = config;
  live.stages.reconfigure(config);
}

function counted(live: Live, id: string): { good: number; valid: number } | undefined {
  const evidence = live.service('checkout').objectives.find((one) => one.id === id)?.judgement.evidence;
  return evidence?.kind === 'objective' ? { good: evidence.good, valid: evidence.valid } : undefined;
}

function shop(behaviour: NonNullable<Pods['behaviour']>, seen: ServedRequest[] = []): World {
  const recorded = (request: ServedRequest) => {
    seen.push(request);
    return request;
  };
  return new World([
    { service: 'checkout', version: 'v1', rate: 60, endpoints: ENDPOINTS, recorded },
    { service: 'checkout', version: 'v2', rate: 30, endpoints: ENDPOINTS, behaviour, recorded },
  ]);
}

it('a run keeps the policy it began with, and its signal the identity that goes with it', () => {
  const behaviour = (second: number) => (second < 120 ? {} : { errorRatio: 0.3 });
  const live = new Live(scenarioConfig({ canary: { id: 'first', sinks: ['one'] } }));
  const world = shop(behaviour);
  live.play(world, 30);
  live.start();
  live.play(world, 100);
  reload(live, scenarioConfig({ objectives: [AVAILABILITY], canary: { id: 'second', mode: 'observe', sinks: ['two'] } }));
  live.play(world, 200);
  expect(live.run()).toMatchObject({ state: 'rolled_back', rollout: { policyId: 'first' } });
  expect(live.signals).toMatchObject([{ policyId: 'first', action: 'rollback', sinks: ['one'] }]);

  live.start({ generation: 2 });
  live.play(world, 300);
  expect(live.run()).toMatchObject({ state: 'held', rollout: { policyId: 'second' }, verdict: { reason: 'observe_only' } });
  expect(live.signals).toHaveLength(1);
});

it('a latency objective that is new counts exactly from the reload on, an old one goes on, and the run in flight too', () => {
  const seen: ServedRequest[] = [];
  const live = new Live(scenarioConfig({ objectives: [AVAILABILITY, latency(100)] }));
  const world = shop((second) => (second < 200 ? {} : { errorRatio: 0.3 }), seen);
  live.play(world, 30);
  live.start();
  live.play(world, 120);
  const before = live.telemetry.value('spans_total', { disposition: 'counted' });
  reload(live, scenarioConfig({ objectives: [AVAILABILITY, latency(100), latency(60, 'faster')] }));
  live.play(world, 190);
  const after = live.telemetry.value('spans_total', { disposition: 'counted' });
  live.idle(live.now + 3000);

  expect(counted(live, AVAILABILITY.id)?.valid).toBe(after);
  expect(counted(live, latency(100).id)?.valid).toBe(after);
  expect(counted(live, latency(60, 'faster').id)?.valid).toBe(after - before);
  // What was exported after the reload is the tail of what each pod served.
  const slow = seen.filter(({ durationUs }) => durationUs > 100_000).length / seen.length;
  const old = counted(live, latency(100).id);
  expect(1 - (old?.good ?? 0) / (old?.valid ?? 1)).toBeCloseTo(slow, 2);

  live.play(world, 280);
  expect(live.run().state).toBe('rolled_back');
});

it('an objective whose limit is changed starts anew: what the old limit counted says nothing of the new one', () => {
  const live = new Live(scenarioConfig({ objectives: [latency(20)] }));
  const world = shop(() => ({}));
  live.play(world, 120);
  const before = live.telemetry.value('spans_total', { disposition: 'counted' });
  expect(counted(live, latency(20).id)?.good).toBeLessThan(before * 0.2);
  reload(live, scenarioConfig({ objectives: [latency(5000)] }));
  live.play(world, 180);
  live.idle(live.now + 3000);
  const after = live.telemetry.value('spans_total', { disposition: 'counted' });
  const now = counted(live, latency(5000).id);
  expect(now?.valid).toBe(after - before);
  expect((now?.good ?? 0) / (now?.valid ?? 1)).toBeGreaterThan(0.99);

  live.restart();
  expect(counted(live, latency(5000).id)).toEqual(now);
});

it('endpoints that are excluded disappear, those that are not stay', () => {
  const live = new Live(scenarioConfig({ objectives: [AVAILABILITY] }));
  const world = shop(() => ({}));
  live.play(world, 60);
  expect(live.service('checkout', 30_000).endpoints.map(({ endpoint }) => endpoint)).toContain('GET /health');
  reload(live, scenarioConfig({ objectives: [AVAILABILITY] }, { exclude: new Map([['checkout', [{ 'http.route': ['/health'] }]]]) }));
  live.play(world, 120);
  expect(new Set(live.service('checkout', 30_000).endpoints.map(({ endpoint }) => endpoint))).toEqual(new Set(['POST /checkout']));
  expect(live.telemetry.value('spans_total', { disposition: 'excluded' })).toBeGreaterThan(1000);
});

it('an objective that is removed and comes back goes on with the budget it had', () => {
  const live = new Live(scenarioConfig({ objectives: [AVAILABILITY, latency(100)] }));
  const world = shop(() => ({}));
  live.play(world, 60);
  const kept = live.telemetry.value('spans_total', { disposition: 'counted' });
  reload(live, scenarioConfig({ objectives: [latency(100)] }));
  live.play(world, 90);
  expect(live.service('checkout').objectives.map(({ id }) => id)).toEqual([latency(100).id]);
  const before = live.telemetry.value('spans_total', { disposition: 'counted' });
  reload(live, scenarioConfig({ objectives: [AVAILABILITY, latency(100)] }));
  live.play(world, 120);
  live.idle(live.now + 3000);
  const after = live.telemetry.value('spans_total', { disposition: 'counted' });
  const valid = counted(live, AVAILABILITY.id)?.valid ?? 0;
  // What waited for a flush at a reload is counted by the policies after it: a second or two of traffic.
  expect(Math.abs(valid - (kept + after - before))).toBeLessThan(90 * 2);
  expect(valid).toBeGreaterThan(after - before + kept / 2);

  live.restart();
  expect(counted(live, AVAILABILITY.id)?.valid).toBe(valid);
});
