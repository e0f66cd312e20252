/** Counts of some series over a piece of time: what sequential tests are fed with. Reused between readings. */

export class SlotReading {
  /** Spans as received, and those of them that failed. */
  requests = 0;
  failed = 0;
  /** The same as sums of sampling weights. */
  weight = 0;
  failedWeight = 0;
  /** Distinct buckets of spans with a latency that did not fail. */
  size = 0;
  /** Ascending; the first `size` count. */
  buckets: Int32Array = new Int32Array(64);
  counts: Float64Array = new Float64Array(64);
}
