/** What one check says: an outcome that never collapses, a reason from a closed set, and the numbers behind it. */
import type { EpochMs } from './time.ts';

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
  'burn_proven',
  'criterion_breached',
  'silence_proven',
  // not enough to say
  'no_data',
  'no_canary',
  'no_baseline',
  'baseline_used_up',
  'too_few_samples',
  'warming_up',
  'horizon_reached',
  'not_judgeable',
  'baking',
  // not to be trusted
  'stale_telemetry',
  'late_telemetry',
  'biased_sampling',
  'data_quality',
  'overflow',
  'confounded',
  'tolerance_too_small',
  'clock_jump',
  'state_unknown',
  'input_lagging',
  'input_gap',
  // policy
  'shared_failure',
  'cool_down',
  'breaker_open',
  'observe_only',
  'muted',
  'deadline_passed',
  'superseded',
  'aborted',
  'rollout_over',
  'common_cause',
  'overridden',
] as const;
export type Reason = (typeof REASONS)[number];

/** What may be wrong with spans on their way to us: not all up to now have been counted yet, or some never will be. */
export type InputDoubt = Extract<Reason, 'input_lagging' | 'input_gap'>;

/** Bad of total in one release. */
export interface ArmCounts {
  readonly bad: number;
  readonly total: number;
}

/** Evidence at one moment, for a drawing over time. */
export interface TrailPoint {
  readonly at: EpochMs;
  /** ln of a wealth. */
  readonly logE: number;
}

/** An estimate and where the truth lies with the stated confidence at every moment at once. For reading, never for the decision. */
export interface Interval {
  readonly estimate: number;
  readonly low: number;
  readonly high: number;
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
  /** `pod`: evidence that no single pod can bring about, whatever it does. `request`: spans name no pod, or the canary has too few. */
  readonly level: 'request' | 'pod';
  /** Odds of bad, canary to baseline, with its 95 % anytime-valid interval; null before anything could be compared. */
  readonly oddsRatio: Interval | null;
  /** ln of the wealth at which this check would decide the run by itself. */
  readonly logNeeded: number;
  /** When harm probably began; null while there is no evidence of any. */
  readonly onsetAt: EpochMs | null;
  /** ln of the wealth over time, oldest first, at most 32 points. */
  readonly trail: readonly TrailPoint[];
  /** Promotion asks for proof of it however little traffic there is. */
  readonly isCritical: boolean;
}

/** Numbers of a check that asks the canary alone: does it burn the budget, does it send at all, does it keep an absolute limit. */
export interface GuardEvidence {
  readonly kind: 'guard';
  readonly guard: 'burn' | 'silence' | 'criterion';
  /** `(all)` for the whole service. */
  readonly endpoint: string;
  /** Of the canary: bad of total; for silence, requests of the canary of those of both releases. */
  readonly canary: ArmCounts;
  readonly baseline: ArmCounts;
  /** The ratio that must not be exceeded (undercut, for silence), in (0, 1); 0 while a first plan of silence settles. */
  readonly limitRatio: number;
  /** Bad means slower than this many µs; null for failures and requests. */
  readonly edgeUs: number | null;
  /** As for comparisons; silence is that of all pods. */
  readonly level: 'request' | 'pod';
  readonly logE: number;
  readonly logNeeded: number;
  readonly weight: number;
  readonly share: number;
}

/** Whether both releases get the same mixture of requests. */
export interface TrafficMixEvidence {
  readonly kind: 'mix';
  /** Half the sum of the differences of shares, in [0, 1], beyond what chance explains; 0 alike, 1 nothing in common. */
  readonly distance: number;
  readonly limit: number;
  readonly baselineRequests: number;
  readonly canaryRequests: number;
  /** The endpoints that differ most, at most 5. */
  readonly endpoints: readonly { readonly endpoint: string; readonly baselineShare: number; readonly canaryShare: number }[];
}

/** How much pods of the baseline differ among themselves, against what is tolerated between releases. */
export interface PodSpreadEvidence {
  readonly kind: 'spread';
  readonly endpoint: string;
  readonly metric: string;
  readonly pods: number;
  /** Standard deviation of the pods' quantiles, relative to the quantile. */
  readonly relativeSd: number;
  /** The policy's tolerance; below three times `relativeSd` pods alone may look like harm. */
  readonly toleranceRatio: number;
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

export type Evidence = ComparisonEvidence | ObjectiveEvidence | GuardEvidence | TrafficMixEvidence | PodSpreadEvidence;

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
