/** What requests of the simulated service take, as tables that make drawing one a matter of two look-ups. */
import { HistogramLayout } from '../../../src/model/histogram-layout.ts';
import type { Random } from './random.ts';

export const LAYOUT = new HistogramLayout();

/** Weight, median in µs and log standard deviation; p50/p95/p99 are 46.6/164/469 ms together. */
const FAST = { weight: 0.7, medianUs: 40_000, sigma: 0.35 };
const MIDDLE = { weight: 0.27, medianUs: 85_000, sigma: 0.5 };
const SLOW = { weight: 0.03, medianUs: 330_000, sigma: 0.8 };

/** Logarithms are kept in steps of a thousandth: an eighth of a histogram's bucket at most. */
const STEPS = 1024;
const LOWEST = Math.floor(Math.log(1000) * STEPS);
const HIGHEST = Math.ceil(Math.log(60e6) * STEPS);
/** Room for shifts of the whole: no slower than e³, no faster than e⁻². */
const SHIFT_DOWN = 2 * STEPS;
const SHIFT_UP = 3 * STEPS;
const QUANTILES = 1 << 15;

/** Bucket of each log step, shifts included. */
const BUCKETS: Uint16Array = Uint16Array.from({ length: HIGHEST - LOWEST + SHIFT_DOWN + SHIFT_UP }, (_, step) =>
  LAYOUT.index(Math.exp((step + LOWEST - SHIFT_DOWN + 0.5) / STEPS)),
);

/** Log steps at evenly spaced quantiles. */
export class Latencies {
  readonly #steps: Int32Array;

  /** `tailFactor` multiplies the slow requests, and so p99, leaving the median as it is. */
  constructor(tailFactor = 1) {
    const parts = [FAST, MIDDLE, { ...SLOW, medianUs: SLOW.medianUs * tailFactor }];
    this.#steps = new Int32Array(QUANTILES);
    let quantile = 0;
    for (let step = LOWEST; step < HIGHEST && quantile < QUANTILES; step++) {
      const upper = (step + 1) / STEPS;
      let below = 0;
      for (const { weight, medianUs, sigma } of parts) below += weight * normalCdf((upper - Math.log(medianUs)) / sigma);
      while (quantile < QUANTILES && (quantile + 0.5) / QUANTILES <= below) this.#steps[quantile++] = step - LOWEST + SHIFT_DOWN;
    }
    this.#steps.fill(HIGHEST - 1 - LOWEST + SHIFT_DOWN, quantile);
  }

  /**
   * Adds `count` requests, slower by the logarithm `shift`, to `cells` at `offset` + 2 · bucket. Two draws are taken of each 32 bits. Returns nothing:
   * this is the inner loop of the simulation.
   */
  add(random: Random, count: number, shift: number, cells: Uint16Array, offset: number): void {
    const steps = this.#steps;
    const by = stepsOf(shift);
    for (let left = count; left > 0; left -= 2) {
      const bits = random.bits();
      const one = offset + 2 * (BUCKETS[(steps[bits >>> 17] as number) + by] as number);
      cells[one] = (cells[one] as number) + 1;
      if (left === 1) return;
      const two = offset + 2 * (BUCKETS[(steps[(bits >>> 1) & (QUANTILES - 1)] as number) + by] as number);
      cells[two] = (cells[two] as number) + 1;
    }
  }

  /** The lowest and the highest bucket that `add` can touch at this shift. */
  lowestBucket(shift: number): number {
    return BUCKETS[(this.#steps[0] as number) + stepsOf(shift)] as number;
  }

  highestBucket(shift: number): number {
    return BUCKETS[(this.#steps[QUANTILES - 1] as number) + stepsOf(shift)] as number;
  }

  /** One request in µs. */
  draw(random: Random, shift: number): number {
    return Math.exp(((this.#steps[random.bits() >>> 17] as number) + LOWEST - SHIFT_DOWN + 0.5) / STEPS + shift);
  }

  quantileUs(q: number): number {
    return Math.exp(((this.#steps[Math.floor(q * QUANTILES)] as number) + LOWEST - SHIFT_DOWN + 0.5) / STEPS);
  }
}

function stepsOf(shift: number): number {
  return Math.max(-SHIFT_DOWN, Math.min(SHIFT_UP - 1, Math.round(shift * STEPS)));
}

/** Abramowitz and Stegun 26.2.17, absolute error below 7.5e-8. */
function normalCdf(z: number): number {
  const t = 1 / (1 + 0.2316419 * Math.abs(z));
  const series = t * (0.31938153 + t * (-0.356563782 + t * (1.781477937 + t * (-1.821255978 + t * 1.330274429))));
  const tail = Math.exp((-z * z) / 2) * 0.3989422804014327 * series;
  return z > 0 ? 1 - tail : tail;
}
