/** By how much a quantile or an error ratio differs between two samples, with an interval: for reading, never for a decision. */
import type { Distribution } from '../../model/distribution.ts';
import type { Interval } from '../../model/judgement.ts';

/** Two-sided 95 % of the normal distribution. */
const Z = 1.959964;

/**
 * Interval of a proportion of which `share` was seen among `count` (Wilson 1927). Both ends lie in [0, 1] and enclose `share`; [0, 1] when `count` is 0.
 * Example: 0 of 1,000 gives [0, 0.00383].
 */
export function wilson(share: number, count: number): readonly [low: number, high: number] {
  if (count <= 0) return [0, 1];
  const z2 = Z * Z;
  const scale = 1 + z2 / count;
  const centre = (share + z2 / (2 * count)) / scale;
  const half = (Z / scale) * Math.sqrt((share * (1 - share)) / count + z2 / (4 * count * count));
  return [Math.max(0, Math.min(share, centre - half)), Math.min(1, Math.max(share, centre + half))];
}

/**
 * Candidate's minus baseline's error ratio, in [-1, 1]: Wilson's intervals joined by the square-and-add rule (Newcombe 1998, method 10), each sample
 * counted as that many fewer requests as its failures come in clumps (`phi` >= 1). Null when a side is empty.
 */
export function errorChange(baseline: RatioSample, candidate: RatioSample, phi: number): Interval | null {
  if (baseline.requests === 0 || candidate.requests === 0) return null;
  const b = baseline.failed / baseline.requests;
  const c = candidate.failed / candidate.requests;
  const [bLow, bHigh] = wilson(b, baseline.requests / phi);
  const [cLow, cHigh] = wilson(c, candidate.requests / phi);
  return { estimate: c - b, low: c - b - Math.hypot(c - cLow, bHigh - b), high: c - b + Math.hypot(cHigh - c, b - bLow) };
}

export interface RatioSample {
  readonly requests: number;
  readonly failed: number;
}

/**
 * Candidate's quantile `q` over the baseline's, minus 1. The interval of a quantile is read off the sample at Wilson's ends for `q` (no shape of the
 * latencies is assumed); the two are joined on the scale of logarithms by the square-and-add rule (Zou and Donner 2008). Null when a side is empty or its
 * quantile is 0.
 */
export function quantileChange(baseline: Quantiles, candidate: Quantiles, q: number, phi: number): Interval | null {
  const b = logQuantiles(baseline, q, phi);
  const c = logQuantiles(candidate, q, phi);
  if (b === null || c === null) return null;
  const difference = c.value - b.value;
  return {
    estimate: Math.expm1(difference),
    low: Math.expm1(difference - Math.hypot(c.value - c.low, b.high - b.value)),
    high: Math.expm1(difference + Math.hypot(c.high - c.value, b.value - b.low)),
  };
}

type Quantiles = Pick<Distribution, 'total' | 'quantile'>;

function logQuantiles(sample: Quantiles, q: number, phi: number): { value: number; low: number; high: number } | null {
  if (sample.total === 0) return null;
  const [low, high] = wilson(q, sample.total / phi);
  const value = sample.quantile(q);
  const lowest = sample.quantile(low);
  if (!(lowest > 0)) return null;
  return { value: Math.log(value), low: Math.log(lowest), high: Math.log(sample.quantile(high)) };
}
