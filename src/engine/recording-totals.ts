/** Adds up what was compared of one endpoint in one recording. */
import type { HistogramLayout } from '../model/histogram-layout.ts';
import type { SlotReading } from '../window/slot-reading.ts';
import { SparseDistribution } from '../window/sparse-distribution.ts';

export class RecordingTotals {
  requests = 0;
  failed = 0;
  /** Requests that the spans stand for. */
  weight = 0;
  /** Spans with a latency, failed ones included. */
  timed = 0;
  readonly #layout: HistogramLayout;
  readonly #served = new Map<number, number>();

  constructor(layout: HistogramLayout) {
    this.#layout = layout;
  }

  add(reading: SlotReading): void {
    this.requests += reading.requests;
    this.failed += reading.failed;
    this.weight += reading.weight;
    this.timed += reading.timedFailed;
    for (let i = 0; i < reading.size; i++) {
      const count = reading.counts[i] as number;
      const bucket = reading.buckets[i] as number;
      this.timed += count;
      this.#served.set(bucket, (this.#served.get(bucket) ?? 0) + count);
    }
  }

  addTotals(other: RecordingTotals): void {
    this.requests += other.requests;
    this.failed += other.failed;
    this.weight += other.weight;
    this.timed += other.timed;
    for (const [bucket, count] of other.#served) this.#served.set(bucket, (this.#served.get(bucket) ?? 0) + count);
  }

  /** Latencies of the requests that did not fail. */
  latencies(): SparseDistribution {
    const buckets = Int32Array.from(this.#served.keys()).sort();
    const counts = Float64Array.from(buckets, (bucket) => this.#served.get(bucket) ?? 0);
    return new SparseDistribution(this.#layout, buckets, counts, 0);
  }
}
