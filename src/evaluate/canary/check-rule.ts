/** The things compared on every endpoint, six unless some are muted, with the tolerance, margin and share of money of each. */
import type { CanaryPolicy, CheckName, LatencyTolerance } from '../../model/policy.ts';
import { type BetTable, betTable, HARM_BETS, SAFE_BETS } from './block-evidence.ts';
import type { Asking } from './harm-test.ts';
import { PROCESS_LIMITS, type ProcessLimits, type ProcessRules, processRules } from './process-rules.ts';

export type CheckMetric = 'p50' | 'p95' | 'p99' | 'errors' | 'p50x2' | 'errorsSevere';

/** Bad is "slower than the baseline's quantile `q`, pushed up by the tolerance". */
export interface LatencyRule {
  readonly q: number;
  readonly tolerance: LatencyTolerance;
}

export interface CheckRule {
  readonly metric: CheckMetric;
  /** Share of an endpoint's money; all add up to 1. */
  readonly weight: number;
  /** Promotion asks for proof of it on every endpoint that both releases serve. */
  readonly isCritical: boolean;
  /** Null: bad is a failed request. */
  readonly latency: LatencyRule | null;
  readonly isSevere: boolean;
  /** How groups of the canary's pods are asked for harm. */
  readonly asks: Asking;
  /** Bets while the canary warms up. */
  readonly betsInWarmup: boolean;
  readonly harm: BetTable;
  /** Null for severe checks: they only ever prove harm. */
  readonly safe: BetTable | null;
  readonly harmRules: ProcessRules;
  readonly safeRules: ProcessRules;
  readonly limits: ProcessLimits;
}

/** Shares as measured, and whose setting they follow: what is severe goes with its plain sibling. */
const SHARES: Readonly<Record<CheckMetric, { readonly share: number; readonly check: CheckName }>> = {
  p50: { share: 0.15, check: 'p50' },
  p95: { share: 0.2, check: 'p95' },
  p99: { share: 0.25, check: 'p99' },
  errors: { share: 0.25, check: 'errors' },
  p50x2: { share: 0.05, check: 'p50' },
  errorsSevere: { share: 0.1, check: 'errors' },
};

/** Twice the median is severe, but not within 10 ms; so are 3 percentage points more errors. */
const SEVERE_RATIO = 1;
const SEVERE_ADD_US = 10_000;
const SEVERE_ADD_RATIO = 0.03;

/**
 * The rules of a policy, without those of muted checks; none when all are muted. Weights are the usual shares times the policy's weights, and add up to 1:
 * what one check gains the others lose, so the chance of a false alarm stays what it is. A severe check never begins below what the policy
 * tolerates of its plain sibling; what pods of the baseline differ by widens the plain one alone.
 */
export function checkRules(policy: CanaryPolicy, limits: ProcessLimits = PROCESS_LIMITS): readonly CheckRule[] {
  const { latency, errors } = policy;
  const rules = (isSevere: boolean) => processRules(policy, limits, isSevere);
  const judged = (Object.keys(SHARES) as CheckMetric[]).filter((metric) => !policy.checks[SHARES[metric].check].isMuted);
  const asked = (metric: CheckMetric): number => SHARES[metric].share * policy.checks[SHARES[metric].check].weight;
  const total = judged.reduce((sum, metric) => sum + asked(metric), 0);
  const standing = (metric: CheckMetric) => ({
    metric,
    weight: asked(metric) / total,
    isCritical: policy.checks[SHARES[metric].check].isCritical,
  });
  const slow = (metric: CheckMetric, q: number, tolerance: LatencyTolerance, isSevere = false): CheckRule => ({
    ...standing(metric),
    latency: { q, tolerance },
    isSevere,
    asks: isSevere ? 'quickly' : 'patiently',
    betsInWarmup: true,
    harm: betTable(HARM_BETS, 1, 0),
    safe: isSevere ? null : betTable(SAFE_BETS, 1, 0),
    harmRules: rules(isSevere),
    safeRules: rules(false),
    limits,
  });
  const failing = (metric: CheckMetric, psi0: number, delta: number, isSevere: boolean): CheckRule => ({
    ...standing(metric),
    latency: null,
    isSevere,
    asks: isSevere ? 'quickly' : 'both ways',
    betsInWarmup: isSevere,
    harm: betTable(HARM_BETS, psi0, delta),
    safe: isSevere ? null : betTable(SAFE_BETS, 1, errors.passAddRatio),
    harmRules: rules(isSevere),
    safeRules: rules(false),
    limits,
  });
  const severeMedian: LatencyTolerance = {
    ...latency.p50,
    ratio: Math.max(SEVERE_RATIO, latency.p50.ratio),
    addUs: Math.max(SEVERE_ADD_US, latency.p50.addUs),
  };
  const all = [
    slow('p50', 0.5, latency.p50),
    slow('p95', 0.95, latency.p95),
    slow('p99', 0.99, latency.p99),
    failing('errors', errors.oddsRatio, errors.addRatio, false),
    slow('p50x2', 0.5, severeMedian, true),
    failing('errorsSevere', 1, Math.max(SEVERE_ADD_RATIO, largestAddition(errors.oddsRatio) + errors.addRatio), true),
  ];
  return all.filter(({ metric }) => judged.includes(metric));
}

/** The most that an odds ratio >= 1 can add to a probability: (√ψ − 1) / (√ψ + 1), reached where both sides are equally far from one half. */
function largestAddition(oddsRatio: number): number {
  const root = Math.sqrt(oddsRatio);
  return (root - 1) / (root + 1);
}
