/** All that evaluation may know of a histogram. */

/** A bucket that holds something: values in [lowUs, highUs] µs. */
export interface DistributionBucket {
  readonly lowUs: number;
  readonly highUs: number;
  readonly count: number;
}

/** Latencies of some series over some window. Counts are spans, unweighted. */
export interface Distribution {
  /** Spans with a latency. */
  readonly total: number;
  /** Those of them that failed. */
  readonly failed: number;
  /** Spans in buckets that lie wholly at or below `valueUs`. */
  countAtOrBelow(valueUs: number): number;
  /** Upper end, in µs, of the bucket that holds quantile `q` in [0, 1] (as hdr-histogram-js has it); NaN when empty. */
  quantile(q: number): number;
  /** Non-empty buckets, ascending. */
  buckets(): Iterable<DistributionBucket>;
}

/** Exact counts over a window, as sums of sampling weights; plain integers when nothing is sampled. */
export interface Counts {
  /** Spans as received. */
  readonly spans: number;
  /** Spans as received that failed. */
  readonly failedSpans: number;
  /** Requests they stand for. */
  readonly requests: number;
  readonly failed: number;
}
