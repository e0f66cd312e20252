/** A policy as the comparison of one run takes it: its tolerances by what is left of the error budget, its chance of error split between run and bake. */
import type { CanaryPolicy, LatencyTolerance } from '../model/policy.ts';

/** Of the chance of ever rolling back a healthy release, what the bake may take when there is one; the run takes the rest. */
const BAKE_ALPHA_SHARE = 0.2;
/** Tolerances never shrink below this part: with less, pods that differ a little would look like harm. */
const STRICTEST = 0.5;
/** Of a bake, the longest part in which the pods that take over are still granted to be cold. */
const WARMUP_SHARE = 0.25;

/** How strict one run is from its begin to its end. */
export interface Strictness {
  /** Tolerances are multiplied by it, in [0.5, 1]. */
  readonly factor: number;
  /** The error budget is spent: promotion waits twice as long. */
  readonly isOverspent: boolean;
}

export const PLAIN_STRICTNESS: Strictness = { factor: 1, isOverspent: false };

/** By the error budget that the tightest objective has left (1 untouched, 0 or less spent); null, when there is none to go by, is as configured. */
export function strictnessOf(policy: Pick<CanaryPolicy, 'strictness'>, budgetRemaining: number | null): Strictness {
  if (policy.strictness === 'fixed' || budgetRemaining === null) return PLAIN_STRICTNESS;
  return { factor: Math.min(1, Math.max(STRICTEST, budgetRemaining)), isOverspent: budgetRemaining <= 0 };
}

/** For the run itself. Pass margins stay: they say what is good enough, not how much harm is let pass. */
export function runPolicy(policy: CanaryPolicy, strictness: Strictness): CanaryPolicy {
  const strict = stricter(policy, strictness.factor);
  return {
    ...strict,
    alpha: policy.bakeMs > 0 ? policy.alpha * (1 - BAKE_ALPHA_SHARE) : policy.alpha,
    minPassMs: strictness.isOverspent ? Math.max(policy.minPassMs, Math.min(2 * policy.minPassMs, policy.horizonMs / 2)) : policy.minPassMs,
  };
}

/** For the bake: the same harm, with money that enters over its own time. Its health is proven already. */
export function bakePolicy(policy: CanaryPolicy, strictness: Strictness): CanaryPolicy {
  const { bakeMs } = policy;
  return {
    ...stricter(policy, strictness.factor),
    alpha: policy.alpha * BAKE_ALPHA_SHARE,
    warmupMs: Math.min(policy.warmupMs, bakeMs * WARMUP_SHARE),
    horizonMs: bakeMs,
    minPassMs: bakeMs,
  };
}

function stricter(policy: CanaryPolicy, factor: number): CanaryPolicy {
  if (factor === 1) return policy;
  const { p50, p95, p99 } = policy.latency;
  const { errors } = policy;
  return {
    ...policy,
    latency: { p50: scaled(p50, factor), p95: scaled(p95, factor), p99: scaled(p99, factor) },
    errors: { ...errors, addRatio: errors.addRatio * factor, oddsRatio: 1 + (errors.oddsRatio - 1) * factor },
  };
}

function scaled(tolerance: LatencyTolerance, factor: number): LatencyTolerance {
  return { ...tolerance, ratio: tolerance.ratio * factor, addUs: tolerance.addUs * factor };
}
