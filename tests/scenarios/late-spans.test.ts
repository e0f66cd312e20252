/** Late spans count for objectives as long as they may, and never roll back. */
import { expect, it } from 'vitest';
import { AVAILABILITY, Live, scenarioConfig } from './live.ts';
import type { ServedRequest } from './otlp-stream.ts';
import { type Pods, WORLD_START, World } from './world.ts';

const BASELINE: Pods = { service: 'checkout', version: 'v1', rate: 60 };
const CANARY: Pods = { service: 'checkout', version: 'v2', rate: (second) => (second < 60 ? 0 : 60) };

function played(pods: readonly Pods[], until: number, playedTo = 60): { live: Live; world: World } {
  const live = new Live(scenarioConfig({ objectives: [AVAILABILITY] }));
  const world = new World(pods);
  live.play(world, playedTo);
  live.start();
  live.play(world, until);
  return { live, world };
}

it('half a percent of spans that come half a minute late neither stop nor sway the verdict', () => {
  const stragglers = { share: 0.005, fromMs: 20_000, toMs: 50_000 };
  const { live } = played([BASELINE, { ...CANARY, stragglers }], 600);
  expect(live.run()).toMatchObject({ state: 'promoted' });

  const bad = played([BASELINE, { ...CANARY, stragglers, behaviour: () => ({ errorRatio: 0.1 }) }], 180);
  expect(bad.live.run()).toMatchObject({ state: 'rolled_back' });
});

it('when five percent come late, judging waits for them from then on', () => {
  const stragglers = { share: 0.05, fromMs: 20_000, toMs: 50_000 };
  const { live, world } = played([BASELINE, { ...CANARY, stragglers }], 200);
  expect(live.run().lagMs).toBeGreaterThan(40_000);
  expect(live.run().verdict.decision).not.toBe('rollback');
  live.play(world, 1200);
  expect(live.run()).toMatchObject({ state: 'promoted' });

  const bad = played([BASELINE, { ...CANARY, stragglers, behaviour: () => ({ errorRatio: 0.1 }) }], 900);
  expect(bad.live.run()).toMatchObject({ state: 'rolled_back' });
});

it('a canary of which every twelfth request comes late is never rolled back for that', () => {
  // 8 % of the canary's requests arrive late, failing or not; its error rate is the baseline's.
  const stragglers = { share: 0.08, fromMs: 5_000, toMs: 55_000 };
  const { live } = played([BASELINE, { ...CANARY, stragglers }], 900);
  expect(live.run().history.map(({ decision }) => decision)).not.toContain('rollback');
});

it('what comes within a minute counts for objectives, to the last request; what comes later is counted as late', () => {
  const seen: ServedRequest[] = [];
  const recorded = (request: ServedRequest) => {
    seen.push(request);
    return request;
  };
  const world = new World([
    { ...BASELINE, rate: (second) => (second < 120 ? 60 : 0), recorded, stragglers: { share: 0.05, fromMs: 20_000, toMs: 50_000 } },
    { service: 'search', version: 'v1', rate: 20 },
  ]);
  const live = new Live(scenarioConfig({ objectives: [AVAILABILITY] }));
  live.play(world, 300);
  expect(live.telemetry.value('late_spans_total')).toBe(0);
  expect(live.service('checkout').objectives[0]?.judgement.evidence).toMatchObject({
    valid: seen.length,
    good: seen.filter(({ failed }) => !failed).length,
  });

  const tooLate = new World([{ ...BASELINE, stragglers: { share: 0.02, fromMs: 70_000, toMs: 90_000 } }]);
  const second = new Live(scenarioConfig({ objectives: [AVAILABILITY] }));
  second.play(tooLate, 300);
  const late = second.telemetry.value('late_spans_total');
  expect(late).toBeGreaterThan(60 * 200 * 0.015);
  expect(second.service('checkout').lateSpans).toBe(late);
  const evidence = second.service('checkout').objectives[0]?.judgement.evidence;
  const received = second.telemetry.value('spans_total', { disposition: 'counted' });
  expect(evidence?.kind === 'objective' ? evidence.valid : 0).toBe(received - late);
});

it('more than one percent later than a minute holds the run; it never fails for it', () => {
  const stragglers = { share: 0.03, fromMs: 70_000, toMs: 90_000 };
  const { live } = played([BASELINE, { ...CANARY, stragglers, behaviour: () => ({ errorRatio: 0.002 }) }], 500);
  expect(live.run()).toMatchObject({ state: 'running', verdict: { decision: 'hold', reason: 'late_telemetry' } });
  expect(live.run().lateRequests).toBeGreaterThan(100);
  expect(live.run().verdict.at).toBeLessThan(WORLD_START + 500_000);
});

it.each([
  { errorRatio: 0.3, ends: 'rolled_back', withinSec: 30 },
  { errorRatio: 0.001, ends: 'promoted', withinSec: 420 },
])(
  'a canary that exports less often than its baseline is $ends within $withinSec s: judging waits for it',
  ({ errorRatio, ends, withinSec }) => {
    const live = new Live(scenarioConfig());
    const world = new World([
      { ...BASELINE, rate: 200, exportMs: 1000 },
      { ...CANARY, rate: (second) => (second < 600 ? 0 : 20), exportMs: 5000, behaviour: () => ({ errorRatio }) },
    ]);
    live.play(world, 600);
    live.start();
    const lagBefore = live.service('checkout').lagMs ?? 0;
    live.play(world, 600 + withinSec);
    expect(live.run().lagMs).toBeGreaterThan(lagBefore);
    expect(live.run()).toMatchObject({ state: ends });
  },
);

it.each([0.01, 0.02])(
  'a bad canary of %f of the traffic that exports less often than its baseline is rolled back within seconds',
  (share) => {
    const rate = 1000;
    const live = new Live(scenarioConfig());
    const world = new World([
      { ...BASELINE, rate: rate * (1 - share), exportMs: 1000 },
      { ...CANARY, rate: (second) => (second < 300 ? 0 : rate * share), exportMs: 5000, behaviour: () => ({ errorRatio: 0.3 }) },
    ]);
    live.play(world, 300);
    live.start();
    expect(live.service('checkout').lagMs).toBeLessThan(3000);
    live.play(world, 340);
    expect(live.run()).toMatchObject({ state: 'rolled_back' });
  },
);

it('a good canary of one percent that exports less often than its baseline is never rolled back, and is judged', () => {
  const live = new Live(scenarioConfig());
  const world = new World([
    { ...BASELINE, rate: 200, exportMs: 1000 },
    { ...CANARY, rate: (second) => (second < 120 ? 0 : 2), exportMs: 5000 },
  ]);
  live.play(world, 120);
  live.start();
  live.play(world, 600);
  expect(live.run().history.map(({ decision }) => decision)).not.toContain('rollback');
  expect(live.run().verdict.reason).not.toBe('late_telemetry');
});

it('a third release of two thousandths of the traffic, a minute late, delays nobody', () => {
  const live = new Live(scenarioConfig());
  const world = new World([
    { ...BASELINE, rate: 200, exportMs: 1000 },
    { ...BASELINE, version: 'v0', rate: 0.4, pods: 1, stragglers: { share: 1, fromMs: 55_000, toMs: 59_000 } },
    { ...CANARY, rate: (second) => (second < 300 ? 0 : 20), exportMs: 1000, behaviour: () => ({ errorRatio: 0.3 }) },
  ]);
  live.play(world, 300);
  live.start();
  live.play(world, 330);
  expect(live.service('checkout').lagMs).toBeLessThan(3000);
  expect(live.run()).toMatchObject({ state: 'rolled_back' });
});
