/** From which bucket on a request counts as slow, per release: the canary's edge is the baseline's quantile pushed up by the tolerance. */
import type { HistogramLayout } from '../../model/histogram-layout.ts';
import type { DurationMs } from '../../model/time.ts';
import type { LatencyRule } from './check-rule.ts';
import type { ReferenceHistogram } from './reference-histogram.ts';

/** Bucket indexes; a request is slow when its bucket is this one or higher. The layout's size means: nothing is slow. */
export interface Edges {
  readonly baseline: number;
  readonly canary: number;
  /** The canary's edge for proving health. */
  readonly pass: number;
  /** The canary's edge as the policy alone would have it, and how far above the baseline's it lies, relative to that. */
  readonly tolerated: number;
  readonly toleratedRatio: number;
}

export type BucketScale = Pick<HistogramLayout, 'size' | 'lowestUs' | 'index'>;

/** The reference must hold this many requests above the quantile, else the check waits. */
const MIN_ABOVE = 10;
/** While a canary warms up, latencies up to this multiple of the baseline's quantile are tolerated. */
const WARMUP_RATIO = 2.5;

/**
 * Edges for a block that begins at `atMs`, from the baseline before it; null while the reference is too small to know the quantile. `leastRatio` is what must
 * be tolerated whatever the policy says; a larger tolerance never finds harm where there is none.
 */
export function edgesAt(
  reference: ReferenceHistogram,
  scale: BucketScale,
  rule: LatencyRule,
  atMs: DurationMs,
  isWarmup: boolean,
  leastRatio = 0,
): Edges | null {
  if (!knowsQuantile(reference, rule.q, atMs)) return null;
  const baseline = reference.edge(rule.q);
  const valueUs = scale.lowestUs(baseline);
  const { ratio, addUs, passRatio, passAddUs } = rule.tolerance;
  const toleratedUs = Math.max(valueUs * (1 + ratio), valueUs + addUs);
  const tolerated = edgeAtOrAbove(scale, toleratedUs);
  const forgivenUs = Math.max(toleratedUs, (1 + leastRatio) * valueUs, isWarmup ? WARMUP_RATIO * valueUs : 0);
  return {
    baseline,
    canary: edgeAtOrAbove(scale, forgivenUs),
    pass: edgeAtOrAbove(scale, Math.max(valueUs * (1 + passRatio), valueUs + passAddUs)),
    tolerated,
    toleratedRatio: valueUs > 0 ? scale.lowestUs(tolerated) / valueUs - 1 : 0,
  };
}

/** True when the reference at `atMs` holds enough requests above its quantile `q`. */
export function knowsQuantile(reference: ReferenceHistogram, q: number, atMs: DurationMs): boolean {
  // The tolerance of floating point keeps exactly ten from counting as nine.
  return reference.requests(atMs) * (1 - q) >= MIN_ABOVE - 1e-9;
}

/** The lowest bucket that begins at `valueUs` or above; the number of buckets when none does. */
export function edgeAtOrAbove(scale: BucketScale, valueUs: number): number {
  const bucket = scale.index(valueUs);
  return scale.lowestUs(bucket) >= valueUs ? bucket : bucket + 1;
}
