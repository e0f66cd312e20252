/** What a query asks of the slots, and the time line that answers it. */
import type { HistogramLayout } from './histogram-layout.ts';
import type { EpochMs } from './time.ts';

/** Series that are read as one; all of one service, whose newest complete second is theirs. A series is in one group of a request only. */
export interface MetricGroup {
  readonly service: string;
  readonly ids: readonly number[];
}

export interface MetricScanRequest {
  readonly groups: readonly MetricGroup[];
  readonly fromMs: EpochMs;
  readonly toMs: EpochMs;
  /** Begin of the windows whose histograms are asked for; Infinity: counts alone will do. */
  readonly cellsFromMs: EpochMs;
}

/** Sums of sampling weights. */
export interface MetricCounts {
  readonly requests: number;
  readonly failed: number;
  /** Requests with a latency, and those of them that failed. */
  readonly timed: number;
  readonly timedFailed: number;
}

/** Buckets of the layout, ascending, and how many requests they hold, by weight. */
export interface MetricHistogram {
  readonly buckets: ArrayLike<number>;
  readonly counts: ArrayLike<number>;
}

/** Edges of a window in seconds, as the slots that are kept allow. */
export interface MetricWindow {
  readonly fromSec: number;
  readonly toSec: number;
}

export type MetricOutcome = 'all' | 'ok' | 'failed';

/** What was read for one request. */
export interface MetricTimeline {
  readonly layout: HistogramLayout;
  /** End of the newest second of a service that is complete, as far as its lateness tells. */
  completeTo(service: string): EpochMs;
  /** Edges set back to slots that are kept: 1 s for a minute and a half, then 10 s, 1 min, 10 min and 1 h. At least one slot. */
  window(fromMs: EpochMs, toMs: EpochMs): MetricWindow;
  counts(group: number, window: MetricWindow): MetricCounts;
  /** Windows of a group that move forward cost least. */
  histogram(group: number, window: MetricWindow, outcome: MetricOutcome): MetricHistogram;
  /** True when some spans stood for more than themselves. */
  readonly isSampled: boolean;
  /** Begin of what is kept at all. */
  readonly keptFromMs: EpochMs;
}

/** Too much was asked for: what, and the limit it went over. */
export interface MetricRefusal {
  readonly kind: 'too_much' | 'timeout' | 'busy';
  readonly detail: string;
}
