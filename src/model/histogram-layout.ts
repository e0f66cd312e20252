/** Where a latency falls among the buckets: the HDR layout, bit-compatible with hdr-histogram-js (lowest discernible value 1 µs). */

/**
 * Bucket geometry for values in whole microseconds from 0 to `highestUs`. A bucket `i` holds values in [lowestUs(i), lowestUs(i + 1)).
 * Formula: HdrHistogram's `countsArrayIndex` with unit magnitude 0.
 */
export class HistogramLayout {
  /** Significant decimal digits, 1 to 3: relative bucket width is at most 10^-digits. */
  readonly digits: number;
  /** Highest trackable value in µs; larger values are counted in its bucket. At most 2^31 - 1. */
  readonly highestUs: number;
  /** Number of buckets. */
  readonly size: number;
  readonly #halfMagnitude: number;
  readonly #half: number;
  readonly #mask: number;

  constructor(digits = 2, highestUs = 60_000_000) {
    if (!Number.isInteger(digits) || digits < 1 || digits > 3) throw new RangeError(`histogram digits must be 1, 2 or 3, not ${digits}`);
    if (!Number.isInteger(highestUs) || highestUs < 2 || highestUs > 0x7fffffff) {
      throw new RangeError(`highest trackable value must be 2 to 2147483647 µs, not ${highestUs}`);
    }
    this.digits = digits;
    this.highestUs = highestUs;
    const magnitude = Math.ceil(Math.log2(2 * 10 ** digits));
    this.#halfMagnitude = magnitude - 1;
    this.#half = 2 ** (magnitude - 1);
    this.#mask = 2 ** magnitude - 1;
    let buckets = 1;
    for (let reach = 2 ** magnitude; reach <= highestUs; reach *= 2) buckets++;
    this.size = (buckets + 1) * this.#half;
  }

  /** Bucket of a value in µs; negative counts as 0, beyond `highestUs` as `highestUs`. The fraction is dropped. */
  index(valueUs: number): number {
    const value = valueUs > this.highestUs ? this.highestUs : valueUs < 0 ? 0 : valueUs | 0;
    const bucket = 31 - Math.clz32(value | this.#mask) - this.#halfMagnitude;
    return ((bucket + 1) << this.#halfMagnitude) + ((value >>> bucket) - this.#half);
  }

  /** Smallest value of a bucket in µs; `lowestUs(size)` is the end of the last one. */
  lowestUs(index: number): number {
    let bucket = (index >> this.#halfMagnitude) - 1;
    let sub = (index & (this.#half - 1)) + this.#half;
    if (bucket < 0) {
      sub -= this.#half;
      bucket = 0;
    }
    return sub * 2 ** bucket;
  }

  /** Largest whole value of a bucket in µs. */
  highestEquivalentUs(index: number): number {
    return this.lowestUs(index + 1) - 1;
  }
}
