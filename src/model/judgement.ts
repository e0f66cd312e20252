/** What one check says: an outcome that never collapses, a reason from a closed set, and the numbers behind it. */

/** `inconclusive` is neither good nor bad: no data, too little, or data that cannot be trusted. */
export type Outcome = 'pass' | 'fail' | 'inconclusive';

/** Why a judgement or verdict is what it is. Text is rendered at the edge (`model/reason-text.ts`). */
export const REASONS = [
  // evidence
  'harm_proven',
  'health_proven',
  'accumulating',
  'objective_met',
  'objective_breached',
  // not enough to say
  'no_data',
  'no_canary',
  'no_baseline',
  'too_few_samples',
  'warming_up',
  'horizon_reached',
  // not to be trusted
  'stale_telemetry',
  'late_telemetry',
  'biased_sampling',
  'data_quality',
  'overflow',
  'clock_jump',
  'state_unknown',
  // policy
  'shared_failure',
  'cool_down',
  'breaker_open',
  'observe_only',
  'deadline_passed',
  'superseded',
  'aborted',
] as const;
export type Reason = (typeof REASONS)[number];

/** Bad of total in one release. */
export interface ArmCounts {
  readonly bad: number;
  readonly total: number;
}

/** Numbers of one canary comparison (statistics: `evaluate/canary`). Logarithms are natural. */
export interface ComparisonEvidence {
  readonly kind: 'comparison';
  readonly endpoint: string;
  /** `p50`, `p95`, `p99`, `errors`, `p50x2` (severe latency), `errorsSevere`. */
  readonly metric: string;
  /** "Bad" means above these many µs in the baseline / canary; null for errors or while there is no reference. */
  readonly baselineEdgeUs: number | null;
  readonly canaryEdgeUs: number | null;
  readonly baseline: ArmCounts;
  readonly canary: ArmCounts;
  /** ln of the harm process's wealth, and of the limit it must reach. */
  readonly logE: number;
  /** Share of the portfolio's money on this check, [0, 1], and its share of the wealth now. */
  readonly weight: number;
  readonly share: number;
  /** ln of the highest wealth of the safe process so far; null for severe metrics. */
  readonly logSafe: number | null;
  /** Estimated overdispersion, >= 1. */
  readonly phi: number;
  /** Incident windows with positive evidence. */
  readonly incidentWindows: number;
}

/** Numbers of one objective. */
export interface ObjectiveEvidence {
  readonly kind: 'objective';
  readonly objective: string;
  readonly good: number;
  readonly valid: number;
  /** good / valid; null when nothing was valid. */
  readonly sli: number | null;
  readonly target: number;
  /** 1 - bad / ((1 - target) * valid): 1 untouched, 0 spent, negative overspent; null when nothing was valid. */
  readonly budgetRemaining: number | null;
}

export type Evidence = ComparisonEvidence | ObjectiveEvidence;

/** What one check inside a run, or one objective, says now. */
export interface Judgement {
  /** `errors POST /checkout`, or the objective's id. */
  readonly check: string;
  readonly outcome: Outcome;
  readonly reason: Reason;
  readonly evidence: Evidence;
}

const SEVERITY: Readonly<Record<Outcome, number>> = { pass: 0, inconclusive: 1, fail: 2 };

/** Folds outcomes: any fail is fail, else any inconclusive is inconclusive, else pass. Nothing to fold is inconclusive. */
export function worst(outcomes: Iterable<Outcome>): Outcome {
  let folded: Outcome | undefined;
  for (const outcome of outcomes) {
    if (folded === undefined || SEVERITY[outcome] > SEVERITY[folded]) folded = outcome;
  }
  return folded ?? 'inconclusive';
}
