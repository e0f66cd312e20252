/** A policy whose tolerances shrink with the error budget that is left: who has spent it can afford less. */
import type { CanaryPolicy, LatencyTolerance } from '../../model/policy.ts';

/** A spent budget halves tolerances. Below that, pods of one release differ by more than is tolerated (statistics: about three times their deviation). */
const LEAST = 0.5;

/**
 * What tolerances are multiplied by, in [0.5, 1]. `budgetRemaining` is that of the service's tightest objective when the run begins: 1 untouched, 0 spent,
 * negative overspent; null when nobody knows it, which changes nothing. Example: a quarter left gives 0.625.
 */
export function strictness(policy: CanaryPolicy, budgetRemaining: number | null): number {
  if (policy.strictness === 'fixed' || budgetRemaining === null) return 1;
  return LEAST + (1 - LEAST) * Math.min(1, Math.max(0, budgetRemaining));
}

/**
 * The policy with tolerances and margins against the baseline times `factor`, in (0, 1]. To be settled when a run begins and kept: a tolerance that
 * follows what happens in the run would void its test. The id stays, since it is of what was declared.
 */
export function stricterPolicy(policy: CanaryPolicy, factor: number): CanaryPolicy {
  if (factor === 1) return policy;
  const { p50, p95, p99 } = policy.latency;
  const { oddsRatio, addRatio, passAddRatio } = policy.errors;
  return {
    ...policy,
    latency: { p50: scaled(p50, factor), p95: scaled(p95, factor), p99: scaled(p99, factor) },
    errors: { oddsRatio: 1 + (oddsRatio - 1) * factor, addRatio: addRatio * factor, passAddRatio: passAddRatio * factor },
  };
}

function scaled({ ratio, addUs, passRatio, passAddUs }: LatencyTolerance, factor: number): LatencyTolerance {
  return { ratio: ratio * factor, addUs: addUs * factor, passRatio: passRatio * factor, passAddUs: passAddUs * factor };
}
