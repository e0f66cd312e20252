/** Telemetry that cannot be believed is named, gravest first. */
import { describe, expect, it } from 'vitest';
import { distrust, type EndpointTiming, type Telemetry } from '../../src/decide/trust.ts';

const good: Telemetry = {
  now: 100_000,
  newestAt: 99_000,
  freshnessMs: 30_000,
  baseline: { received: 10_000, weight: 10_000, recent: { received: 10_000, late: 5 } },
  canary: { received: 1_000, weight: 1_000, recent: { received: 1_000, late: 1 } },
  endpoints: [timing(10_000, 0, 1_000, 0)],
  clockJumped: false,
  stateUnknown: false,
  inputDoubt: null,
};

function timing(baseline: number, baselineUntimed: number, canary: number, canaryUntimed: number): EndpointTiming {
  return { baseline: { received: baseline, untimed: baselineUntimed }, canary: { received: canary, untimed: canaryUntimed } };
}

describe('telemetry', () => {
  it.each<[string, Partial<Telemetry>, string | null]>([
    ['is believed when fresh, punctual and sampled alike', {}, null],
    ['that never came is no data', { newestAt: null }, 'no_data'],
    ['that stopped is stale', { newestAt: 69_999 }, 'stale_telemetry'],
    [
      'is late when over 1 % of the canary comes after judging',
      { canary: { received: 1_000, weight: 1_000, recent: { received: 1_000, late: 11 } } },
      'late_telemetry',
    ],
    ['is not called late on a handful of spans', { canary: { received: 99, weight: 99, recent: { received: 99, late: 50 } } }, null],
    [
      'is biased when one arm keeps one span of two',
      { canary: { received: 1_000, weight: 2_000, recent: { received: 1_000, late: 0 } } },
      'biased_sampling',
    ],
    [
      'is believed when both arms are sampled alike',
      {
        baseline: { received: 1_000, weight: 10_000, recent: { received: 1_000, late: 0 } },
        canary: { received: 100, weight: 1_000, recent: { received: 100, late: 0 } },
      },
      null,
    ],
    ['is unusable when the canary lacks latencies that the baseline has', { endpoints: [timing(10_000, 0, 1_000, 30)] }, 'data_quality'],
    ['is unusable when the baseline lacks latencies that the canary has', { endpoints: [timing(10_000, 900, 1_000, 0)] }, 'data_quality'],
    ['is believed when both lack the latencies of streams', { endpoints: [timing(10_000, 5_000, 1_000, 510)] }, null],
    ['is believed when one endpoint of many is uneven', { endpoints: [timing(10_000, 0, 1_000, 0), timing(50, 0, 5, 4)] }, null],
    ['is not called unusable on a handful of spans', { endpoints: [timing(90, 0, 90, 20)] }, null],
    ['is in doubt after a jump of the clock', { clockJumped: true }, 'clock_jump'],
    ['is in doubt when state was lost', { stateUnknown: true, clockJumped: true }, 'state_unknown'],
    ['without a canary is no distrust', { canary: { received: 0, weight: 0, recent: { received: 0, late: 0 } } }, null],
  ])('%s', (_, change, expected) => {
    expect(distrust({ ...good, ...change })).toBe(expected);
  });
});
