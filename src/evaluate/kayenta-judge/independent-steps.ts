/** Values of neighbouring steps that go up and down together are fewer observations than they are numbers. */

/** Fewer steps say nothing about how they hang together. */
const MIN_STEPS = 8;
/** One-sided 5 % of the normal distribution: chance alone gives more in one of twenty series. */
const Z = 1.645;
const MAX_BLOCK = 10;

/**
 * How many steps in a row make one observation, 1 to 10: (1 + r) / (1 - r), rounded up, with the correlation r of neighbouring steps (Bayley and Hammersley
 * 1946). 1 unless r is above what chance gives a series of this length. Asked of the control only: harm that begins is no habit of the metric.
 */
export function stepsPerObservation(control: readonly number[]): number {
  if (control.length < MIN_STEPS) return 1;
  const mean = control.reduce((sum, value) => sum + value, 0) / control.length;
  let together = 0;
  let square = 0;
  for (let i = 0; i < control.length; i++) {
    const deviation = (control[i] as number) - mean;
    square += deviation * deviation;
    if (i > 0) together += deviation * ((control[i - 1] as number) - mean);
  }
  if (!(square > 0)) return 1;
  const r = Math.min(0.99, together / square);
  if (r <= Z / Math.sqrt(control.length)) return 1;
  return Math.min(MAX_BLOCK, Math.ceil((1 + r) / (1 - r)));
}

/** Means of `size` steps in a row; a rest of less than half of that is left out, so that no observation weighs much less than another. */
export function blockMeans(values: readonly number[], size: number): readonly number[] {
  if (size === 1) return values;
  const means: number[] = [];
  for (let start = 0; start < values.length; start += size) {
    const block = values.slice(start, start + size);
    if (block.length * 2 >= size) means.push(block.reduce((sum, value) => sum + value, 0) / block.length);
  }
  return means;
}
