/** Clocks that are wrong change no window and roll nothing back. */
import { describe, expect, it } from 'vitest';
import { Live, scenarioConfig } from './live.ts';
import { requestBytes, resourceField } from './otlp-stream.ts';
import { type Pods, WORLD_START, World } from './world.ts';

const BASELINE: Pods = { service: 'checkout', version: 'v1', rate: 80 };
const CANARY: Pods = { service: 'checkout', version: 'v2', rate: (second) => (second < 60 ? 0 : 60) };
const MINUTE = 60_000;
const YEAR = 365 * 24 * 60 * MINUTE;

function played(pods: readonly Pods[], until: number): Live {
  const live = new Live(scenarioConfig());
  const world = new World(pods);
  live.play(world, 60);
  live.start();
  live.play(world, until);
  return live;
}

function spans(live: Live, disposition: string): number {
  return live.telemetry.value('spans_total', { disposition });
}

describe.each([
  { what: 'ten minutes ahead', skewMs: 10 * MINUTE, disposition: 'future' },
  { what: 'two hours behind', skewMs: -120 * MINUTE, disposition: 'ancient' },
])('with one pod of the canary $what', ({ skewMs, disposition }) => {
  const clockSkewMs = (pod: number) => (pod === 0 ? skewMs : 0);

  it('its spans are refused and counted, and the others are judged as if it were not there', () => {
    const live = played([BASELINE, { ...CANARY, clockSkewMs }], 240);
    expect(live.run()).toMatchObject({ state: 'running', verdict: { decision: 'continue' } });
    expect(spans(live, disposition)).toBeGreaterThan(3000);
    expect(live.service('checkout').newestAt).toBeLessThanOrEqual(live.now);
    expect(live.service('checkout').newestAt).toBeGreaterThan(live.now - 5000);

    const canary = live.service('checkout', MINUTE).endpoints.find(({ release }) => release === 'v2');
    expect(canary?.requests).toBeGreaterThan(40 * 50);
    expect(canary?.requests).toBeLessThan(40 * 70);
  });

  it('a canary that fails on its other pods is rolled back', () => {
    const live = played([BASELINE, { ...CANARY, clockSkewMs, behaviour: () => ({ errorRatio: 0.3 }) }], 120);
    expect(live.run().state).toBe('rolled_back');
  });
});

it('a pod three minutes behind is too late to be judged: the run is held and says so', () => {
  const live = played([BASELINE, { ...CANARY, clockSkewMs: (pod) => (pod === 0 ? -3 * MINUTE : 0) }], 300);
  expect(live.run()).toMatchObject({ state: 'running', verdict: { decision: 'hold', reason: 'late_telemetry' } });
  expect(live.telemetry.value('late_spans_total')).toBeGreaterThan(3000);
});

it('a pod four seconds ahead, within the tolerated skew, is judged with the others', () => {
  const clockSkewMs = (pod: number) => (pod === 0 ? 4000 : 0);
  const healthy = played([BASELINE, { ...CANARY, clockSkewMs }], 600);
  expect(healthy.run().state).toBe('promoted');
  const failing = played([BASELINE, { ...CANARY, clockSkewMs, behaviour: () => ({ errorRatio: 0.3 }) }], 300);
  expect(failing.run().state).toBe('rolled_back');
});

it('one span a year ahead changes no window and no verdict', () => {
  const pods = [BASELINE, { ...CANARY, behaviour: () => ({ errorRatio: 0.02 }) }];
  const undisturbed = played(pods, 300);
  const live = new Live(scenarioConfig());
  const world = new World(pods);
  live.play(world, 60);
  live.start();
  live.play(world, 62);
  const bogus = { endUs: (WORLD_START + YEAR) * 1000, durationUs: 5000, endpoint: 'POST /checkout', failed: true };
  live.arrive({ at: live.now, bytes: requestBytes(resourceField({ 'service.name': 'checkout', 'service.version': 'v2' }), [bogus]) });
  live.play(world, 300);

  expect(spans(live, 'future')).toBe(1);
  expect(live.run()).toEqual(undisturbed.run());
  expect(live.run().state).toBe('rolled_back');
  expect(live.service('checkout').endpoints).toEqual(undisturbed.service('checkout').endpoints);
});

it('negative durations in the canary alone cause no rollback and improve no percentile', () => {
  const negative: Partial<Pods> = {
    recorded: (request, random) => (random() < 0.02 ? { ...request, durationUs: -request.durationUs } : request),
  };
  const live = played([BASELINE, { ...CANARY, ...negative }], 240);
  const undisturbed = played([BASELINE, CANARY], 240);
  expect(live.run().state).toBe('running');
  expect(spans(live, 'negative_duration')).toBeGreaterThan(100);

  const [of, as] = [live, undisturbed].map((one) => one.service('checkout', 2 * MINUTE).endpoints.find(({ release }) => release === 'v2'));
  expect(of?.requests).toBeGreaterThan(6000);
  for (const percentile of ['p50Ms', 'p95Ms', 'p99Ms'] as const) {
    expect((of?.[percentile] ?? 0) / (as?.[percentile] ?? 1)).toBeGreaterThan(0.8);
    expect((of?.[percentile] ?? 0) / (as?.[percentile] ?? 1)).toBeLessThan(1.25);
  }
});

it('a canary whose slow requests lose their durations is not promoted', () => {
  const hidden: Partial<Pods> = {
    behaviour: () => ({ slowdown: 1.5 }),
    recorded: (request) => (request.durationUs > 50_000 ? { ...request, durationUs: -request.durationUs } : request),
  };
  const live = played([BASELINE, { ...CANARY, ...hidden }], 600);
  expect(live.run().state).toBe('running');
  expect(live.run().verdict).toMatchObject({ decision: 'hold', reason: 'data_quality' });
});
