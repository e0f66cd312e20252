/** The six things compared on every endpoint, with the tolerance, margin and share of money of each. */
import type { CanaryPolicy, LatencyTolerance } from '../../model/policy.ts';
import { type BetTable, betTable, HARM_BETS, SAFE_BETS } from './block-evidence.ts';
import { PROCESS_LIMITS, type ProcessLimits, type ProcessRules, processRules } from './process-rules.ts';

export type CheckMetric = 'p50' | 'p95' | 'p99' | 'errors' | 'p50x2' | 'errorsSevere';

/** Bad is "slower than the baseline's quantile `q`, pushed up by the tolerance". */
export interface LatencyRule {
  readonly q: number;
  readonly tolerance: LatencyTolerance;
}

export interface CheckRule {
  readonly metric: CheckMetric;
  /** Share of an endpoint's money; the six add up to 1. */
  readonly weight: number;
  /** Null: bad is a failed request. */
  readonly latency: LatencyRule | null;
  readonly isSevere: boolean;
  /** Bets while the canary warms up. */
  readonly betsInWarmup: boolean;
  readonly harm: BetTable;
  /** Null for severe checks: they only ever prove harm. */
  readonly safe: BetTable | null;
  readonly harmRules: ProcessRules;
  readonly safeRules: ProcessRules;
  readonly limits: ProcessLimits;
}

/** Twice the median is severe, but not within 10 ms; so are 3 percentage points more errors. */
const SEVERE_RATIO = 1;
const SEVERE_ADD_US = 10_000;
const SEVERE_ADD_RATIO = 0.03;

/** The six rules of a policy. A severe check never begins below the tolerance of its plain sibling. */
export function checkRules(policy: CanaryPolicy, limits: ProcessLimits = PROCESS_LIMITS): readonly CheckRule[] {
  const { latency, errors } = policy;
  const rules = (isSevere: boolean) => processRules(policy, limits, isSevere);
  const slow = (metric: CheckMetric, weight: number, q: number, tolerance: LatencyTolerance, isSevere = false): CheckRule => ({
    metric,
    weight,
    latency: { q, tolerance },
    isSevere,
    betsInWarmup: true,
    harm: betTable(HARM_BETS, 1, 0),
    safe: isSevere ? null : betTable(SAFE_BETS, 1, 0),
    harmRules: rules(isSevere),
    safeRules: rules(false),
    limits,
  });
  const failing = (metric: CheckMetric, weight: number, psi0: number, delta: number, isSevere: boolean): CheckRule => ({
    metric,
    weight,
    latency: null,
    isSevere,
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
  return [
    slow('p50', 0.15, 0.5, latency.p50),
    slow('p95', 0.2, 0.95, latency.p95),
    slow('p99', 0.25, 0.99, latency.p99),
    failing('errors', 0.25, errors.oddsRatio, errors.addRatio, false),
    slow('p50x2', 0.05, 0.5, severeMedian, true),
    failing('errorsSevere', 0.1, 1, Math.max(SEVERE_ADD_RATIO, largestAddition(errors.oddsRatio) + errors.addRatio), true),
  ];
}

/** The most that an odds ratio >= 1 can add to a probability: (√ψ − 1) / (√ψ + 1), reached where both sides are equally far from one half. */
function largestAddition(oddsRatio: number): number {
  const root = Math.sqrt(oddsRatio);
  return (root - 1) / (root + 1);
}
