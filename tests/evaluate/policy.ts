/** The canary policy that tests start from: the published defaults, without warm-up and without a least number of requests. */
import type { CanaryPolicy } from '../../src/model/policy.ts';

export function canaryPolicy(changes: Partial<CanaryPolicy> = {}): CanaryPolicy {
  return {
    id: 'policy',
    mode: 'rollback',
    track: null,
    trackBy: null,
    alpha: 0.01,
    beta: 0.05,
    warmupMs: 0,
    horizonMs: 3_600_000,
    minPassMs: 300_000,
    minRequests: 1,
    incidentWindowMs: 5000,
    latency: {
      p50: { ratio: 0.1, addUs: 2000, passRatio: 0.25, passAddUs: 5000 },
      p95: { ratio: 0.1, addUs: 5000, passRatio: 0.3, passAddUs: 10_000 },
      p99: { ratio: 0.15, addUs: 5000, passRatio: 0.5, passAddUs: 10_000 },
    },
    errors: { oddsRatio: 1.1, addRatio: 0.0005, passAddRatio: 0.005 },
    checks: {
      p50: { weight: 1, isCritical: false, isMuted: false },
      p95: { weight: 1, isCritical: false, isMuted: false },
      p99: { weight: 1, isCritical: false, isMuted: false },
      errors: { weight: 1, isCritical: false, isMuted: false },
    },
    endpoints: [],
    criteria: [],
    maxErrorRatio: null,
    onSilence: 'hold',
    baseline: { kind: 'concurrent' },
    bakeMs: 0,
    strictness: 'fixed',
    freshnessMs: 60_000,
    coolDownMs: 1_800_000,
    onInconclusive: 'hold',
    signalTtlMs: 600_000,
    sinks: [],
    ...changes,
  };
}
