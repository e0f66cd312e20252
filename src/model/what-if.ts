/** What an objective would say that was never declared: asked of exact counts and stored histograms. */
import type { Sli } from './objective.ts';
import type { DurationMs, EpochMs } from './time.ts';

export interface WhatIfQuery {
  readonly service: string;
  /** As in Objective: a pattern, an exact endpoint, or null for the whole service. */
  readonly endpoint: string | null;
  readonly sli: Extract<Sli, { readonly kind: 'availability' | 'errorRate' | 'latency' }>;
  /** Ratio of good to valid, in (0, 1). */
  readonly target: number;
  /** As the file would have it. */
  readonly text: string;
  readonly windowMs: DurationMs;
}

/** Both ends belong to it; they are the same where the answer is exact. */
export interface Interval {
  readonly least: number;
  readonly most: number;
}

export interface WhatIfView extends Omit<WhatIfQuery, 'sli'> {
  /** Exact counts (availability, error rate), or stored histograms of spans as received (latency), which know a bucket and not a duration. */
  readonly basis: 'counts' | 'histograms';
  /** Edges as they were counted: the begin is rounded outward to what is stored. */
  readonly from: EpochMs;
  readonly to: EpochMs;
  /** Begin of the first slot that has something of it; null: nothing has. Later than `from`: the window is not full. */
  readonly dataFrom: EpochMs | null;
  readonly valid: number;
  readonly bad: Interval;
  /**
   * Of a latency: the bucket the limit lies in, whose spans may be good or bad; both ends belong to it, in ms, and the last bucket has no end.
   * Null where no span is in doubt.
   */
  readonly bucket: { readonly lowMs: number; readonly highMs: number | null; readonly count: number } | null;
  /** True when spans stand for more than themselves: histograms count them as received. */
  readonly isSampled: boolean;
  /** As in ObjectiveReport; `sli` and `budgetRemaining` are null without valid requests. */
  readonly allowedBad: number;
  readonly sli: Interval | null;
  readonly budgetRemaining: Interval | null;
  /** Undecided: the bucket in doubt decides. */
  readonly outcome: 'met' | 'breached' | 'undecided' | 'no_data';
}
