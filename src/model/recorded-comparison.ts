/** What two recordings of spans, compared endpoint by endpoint, say about the newer one. */
import type { Interval, Outcome, Reason } from './judgement.ts';
import type { Outlook } from './outlook.ts';
import type { CheckName } from './policy.ts';
import type { DurationMs, EpochMs } from './time.ts';

/** One endpoint, or a whole recording, on one side: the requests that were compared. */
export interface RecordedSide {
  readonly requests: number;
  readonly failed: number;
  /** Of a latency metric, the quantile in µs of the requests that did not fail; of errors, failed / requests. Null where there is none. */
  readonly value: number | null;
}

/** What is compared, on one endpoint. */
export interface ComparedMetric {
  readonly endpoint: string;
  readonly metric: CheckName;
  readonly outcome: Outcome;
  readonly reason: Reason;
  readonly baseline: RecordedSide;
  readonly candidate: RecordedSide;
  /**
   * Latency: candidate / baseline - 1. Errors: the difference of the two ratios. With the 95 % interval of one look at independent requests; for reading,
   * no outcome depends on it. Null where a side has no value.
   */
  readonly change: Interval | null;
  readonly limit: MetricLimit;
  /** ln of the evidence of harm, and of what proves it alone. */
  readonly logE: number;
  readonly logNeeded: number;
  /** Of what is inconclusive: the smallest regression that recordings like these would prove, about; null: none, or not asked. */
  readonly smallest: Outlook['effect'] | null;
}

/** Beyond `harm` it is worse; within `healthy` it must be proven to be as good. */
export type MetricLimit =
  /** As ratios of the baseline's quantile, and as an absolute addition; the larger of the two counts. */
  | { readonly kind: 'latency'; readonly harm: LatencyLimit; readonly healthy: LatencyLimit }
  /** As additional error probability, on top of odds that are `oddsRatio` times as high. */
  | { readonly kind: 'errors'; readonly oddsRatio: number; readonly harm: number; readonly healthy: number };

export interface LatencyLimit {
  readonly ratio: number;
  readonly addUs: number;
}

/**
 * The change at which the limit for harm lies, on the scale of `change`: of latency the larger of ratio and addition, of errors what the odds and the addition
 * allow together. Infinity where the baseline has no latency to compare with.
 */
export function limitAsChange({ limit, baseline }: Pick<ComparedMetric, 'limit' | 'baseline'>): number {
  const value = baseline.value ?? 0;
  if (limit.kind === 'errors') return limit.harm + (limit.oddsRatio - 1) * value;
  return value > 0 ? Math.max(limit.harm.ratio, limit.harm.addUs / value) : Number.POSITIVE_INFINITY;
}

/** Requests that were not compared, and why not. */
export interface UncomparedEndpoint {
  readonly endpoint: string;
  /** `no_canary`: only the baseline has it; `no_baseline`: only the candidate. */
  readonly reason: 'no_canary' | 'no_baseline' | 'overflow' | 'muted';
  readonly baselineRequests: number;
  readonly candidateRequests: number;
}

/** One service's part of a recording. */
export interface RecordedSpan {
  /** End of the first request, rounded down to a second; null when there is none. */
  readonly from: EpochMs | null;
  /** From the first to the last request, in whole seconds. */
  readonly lengthMs: DurationMs;
  readonly requests: number;
}

export interface ComparedService {
  readonly service: string;
  readonly outcome: Outcome;
  readonly reason: Reason;
  /** By endpoint, then p50, p95, p99, errors. */
  readonly metrics: readonly ComparedMetric[];
  readonly uncompared: readonly UncomparedEndpoint[];
  /** How long the recordings overlap once their first requests lie on one another; the rest of the longer one is compared with nothing. */
  readonly comparedMs: DurationMs;
  readonly baseline: RecordedSpan;
  readonly candidate: RecordedSpan;
  /** The endpoints get clearly different shares of the requests. */
  readonly isMixedDifferently: boolean;
}

export interface RecordingComparison {
  readonly outcome: Outcome;
  /** Ascending by name. */
  readonly services: readonly ComparedService[];
  /** Chance of ever calling a candidate worse that is as good, over all of it. */
  readonly alpha: number;
}
