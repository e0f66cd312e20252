/** A small synthetic service: Poisson traffic with log-normal latencies and failures, the same for the same seed. */
import type { ArmSlot } from '../../src/evaluate/canary/arm-slot.ts';
import type { CanaryComparison } from '../../src/evaluate/canary/comparison.ts';
import { HistogramLayout } from '../../src/model/histogram-layout.ts';
import { slotStartMs } from '../../src/model/time.ts';

export const LAYOUT = new HistogramLayout();
export const START = 1_700_000_000;
export const NOTHING: ArmSlot = { requests: 0, failed: 0, size: 0, buckets: [], counts: [] };

/** Uniform draws in [0, 1) (a 32-bit counter through a multiply-xorshift mix). */
export function seeded(seed: number): () => number {
  let counter = Math.imul(seed + 1, 0x9e3779b1);
  return () => {
    counter = (counter + 0x6d2b79f5) | 0;
    let mixed = Math.imul(counter ^ (counter >>> 15), counter | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

function normal(random: () => number): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}

export function poisson(random: () => number, mean: number): number {
  if (mean > 60) return Math.max(0, Math.round(mean + Math.sqrt(mean) * normal(random)));
  let count = 0;
  for (let left = Math.exp(-mean), product = random(); product > left; product *= random()) count++;
  return count;
}

/** Latencies in µs at 8,192 evenly spaced quantiles: p50/p95/p99 about 47/164/469 ms. */
const LATENCIES: Float64Array = (() => {
  const random = seeded(7);
  const drawn = Float64Array.from({ length: 131_072 }, () => {
    const kind = random();
    const [median, sigma] = kind < 0.7 ? [40_000, 0.35] : kind < 0.97 ? [85_000, 0.5] : [330_000, 0.8];
    return median * Math.exp(sigma * normal(random));
  }).sort();
  return Float64Array.from({ length: 8192 }, (_, index) => drawn[index * 16 + 8] as number);
})();

/** One second of one release. `slowdown` multiplies latencies. */
export function armSlot(random: () => number, rate: number, errorRatio: number, slowdown = 1): ArmSlot {
  const failed = poisson(random, rate * errorRatio);
  const served = poisson(random, rate * (1 - errorRatio));
  const buckets = new Uint16Array(served);
  for (let i = 0; i < served; i++) buckets[i] = LAYOUT.index((LATENCIES[(random() * 8192) | 0] as number) * slowdown);
  return sparse(failed, buckets.sort());
}

/** The arm of `failed` failures and one served request per entry of `buckets`, ascending. */
export function sparse(failed: number, buckets: ArrayLike<number>): ArmSlot {
  const touched: number[] = [];
  const counts: number[] = [];
  for (let i = 0; i < buckets.length; i++) {
    const bucket = buckets[i] as number;
    if (touched.at(-1) === bucket) counts[counts.length - 1] = (counts.at(-1) as number) + 1;
    else {
      touched.push(bucket);
      counts.push(1);
    }
  }
  return { requests: failed + buckets.length, failed, size: touched.length, buckets: touched, counts };
}

/** An arm without latencies. */
export function counted(requests: number, failed: number): ArmSlot {
  return { requests, failed, size: 0, buckets: [], counts: [] };
}

export interface World {
  /** Canary requests per second; the baseline gets 19 times as many. */
  readonly rate: number;
  readonly baseline?: (second: number) => { readonly errorRatio?: number; readonly slowdown?: number };
  readonly canary?: (second: number) => { readonly errorRatio?: number; readonly slowdown?: number };
}

const ERROR_RATIO = 0.001;
const BASELINE_PER_CANARY = 19;

/** Primes five minutes and lets `seconds` pass; stops at the first conclusion. Returns the outcome and the second it came. */
export function roll(comparison: CanaryComparison, world: World, seconds: number, seed: number, endpoint = 'GET /') {
  const random = seeded(seed);
  const baselineRate = world.rate * BASELINE_PER_CANARY;
  for (let back = 30; back > 0; back--) {
    comparison.prime(endpoint, slotStartMs(START - (back - 1) * 10), armSlot(random, baselineRate * 10, ERROR_RATIO));
  }
  for (let second = 0; second < seconds; second++) {
    const { errorRatio = ERROR_RATIO, slowdown = 1 } = world.baseline?.(second) ?? {};
    const { errorRatio: canaryErrors = errorRatio, slowdown: canarySlowdown = slowdown } = world.canary?.(second) ?? {};
    comparison.feed(
      endpoint,
      START + second,
      armSlot(random, baselineRate, errorRatio, slowdown),
      armSlot(random, world.rate, canaryErrors, canarySlowdown),
    );
    comparison.endSlot(START + second);
    const { outcome } = comparison.judge();
    if (outcome !== 'inconclusive') return { outcome, second: second + 1 };
  }
  return { outcome: 'inconclusive' as const, second: seconds };
}
