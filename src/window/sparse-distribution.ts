/** A histogram as its non-empty buckets: the window's answer to questions about latency. */
import { build, encodeIntoCompressedBase64, type Histogram } from 'hdr-histogram-js';
import type { Distribution, DistributionBucket } from '../model/distribution.ts';
import type { HistogramLayout } from '../model/histogram-layout.ts';
import type { CellSum } from './cell-sum.ts';

/** Failed and good spans, or good ones only. */
export type Selection = 'all' | 'ok';

export class SparseDistribution implements Distribution {
  readonly total: number;
  readonly failed: number;
  readonly layout: HistogramLayout;
  readonly #buckets: Int32Array;
  /** Spans in this bucket and all before it. */
  readonly #upTo: Float64Array;

  /** `buckets` ascend and match `counts`. */
  constructor(layout: HistogramLayout, buckets: Int32Array, counts: Float64Array, failed: number) {
    this.layout = layout;
    this.failed = failed;
    this.#buckets = buckets;
    this.#upTo = new Float64Array(buckets.length);
    let total = 0;
    for (let i = 0; i < buckets.length; i++) {
      total += counts[i] as number;
      this.#upTo[i] = total;
    }
    this.total = total;
  }

  countAtOrBelow(valueUs: number): number {
    let count = 0;
    for (let i = 0; i < this.#buckets.length; i++) {
      if (this.layout.highestEquivalentUs(this.#buckets[i] as number) > valueUs) break;
      count = this.#upTo[i] as number;
    }
    return count;
  }

  /** As hdr-histogram-js `getValueAtPercentile(100 q)`: for q = 0 the lower end of the first bucket. */
  quantile(q: number): number {
    if (this.total === 0 || Number.isNaN(q)) return Number.NaN;
    const exact = Math.min(q, 1) * this.total;
    // One unit in the last place less, so that a product rounded up does not skip a count.
    const wanted = Math.max(Math.ceil(exact - ulp(exact)), 1);
    let low = 0;
    let high = this.#upTo.length - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#upTo[middle] as number) >= wanted) high = middle;
      else low = middle + 1;
    }
    const bucket = this.#buckets[low] as number;
    return q <= 0 ? this.layout.lowestUs(bucket) : this.layout.highestEquivalentUs(bucket);
  }

  *buckets(): Generator<DistributionBucket> {
    let below = 0;
    for (let i = 0; i < this.#buckets.length; i++) {
      const bucket = this.#buckets[i] as number;
      const upTo = this.#upTo[i] as number;
      yield { lowUs: this.layout.lowestUs(bucket), highUs: this.layout.highestEquivalentUs(bucket), count: upTo - below };
      below = upTo;
    }
  }
}

/** Empties `sum` (of cells) into a distribution. */
export function drainDistribution(layout: HistogramLayout, sum: CellSum, which: Selection): SparseDistribution {
  const cells = new Int32Array(sum.size);
  const counts = new Float64Array(cells.length);
  sum.drain(cells, counts);
  let size = 0;
  let failed = 0;
  for (let i = 0; i < cells.length; i++) {
    const cell = cells[i] as number;
    const count = counts[i] as number;
    const isFailed = (cell & 1) === 1;
    if (isFailed && which === 'ok') continue;
    if (isFailed) failed += count;
    const bucket = cell >>> 1;
    if (size > 0 && cells[size - 1] === bucket) counts[size - 1] = (counts[size - 1] as number) + count;
    else {
      cells[size] = bucket;
      counts[size++] = count;
    }
  }
  return new SparseDistribution(layout, cells.slice(0, size), counts.slice(0, size), failed);
}

/** As text that every HdrHistogram reads: the compressed V2 encoding in base64. */
export function hdrText(distribution: Distribution, layout: HistogramLayout): string {
  return encodeIntoCompressedBase64(toHdr(distribution, layout));
}

/** The same counts as a histogram of hdr-histogram-js. */
export function toHdr(distribution: Distribution, layout: HistogramLayout): Histogram {
  const histogram = build({
    bitBucketSize: 64,
    autoResize: false,
    lowestDiscernibleValue: 1,
    highestTrackableValue: layout.highestUs,
    numberOfSignificantValueDigits: layout.digits as 1 | 2 | 3,
  });
  for (const bucket of distribution.buckets()) histogram.recordValueWithCount(bucket.lowUs, bucket.count);
  return histogram;
}

/** Distance from `value` to the next larger double. */
function ulp(value: number): number {
  if (value === 0) return Number.MIN_VALUE;
  const exponent = Math.floor(Math.log2(value));
  // log2 may round up to the next power of two.
  return 2 ** ((2 ** exponent > value ? exponent - 1 : exponent) - 52);
}
