/**
 * The Mann-Whitney classifier of Spinnaker's Kayenta: rank-sum test by normal approximation, confidence interval of the shift as in R's `wilcox.test`,
 * and "High" when the interval's lower end lies beyond a quarter of the estimated shift itself.
 */

/** Kayenta's defaults (NetflixACAJudge): confidence 0.98, tolerance 0.25. */
const Z = 2.3263478740408408;
const TOLERANCE = 0.25;
const ROOT_ACCURACY = 1e-4;

/**
 * Standardised rank-sum statistic of `experiment` - `mu` against `control`, ties averaged, corrected for continuity by one half. NaN when all
 * observations are tied.
 */
export function rankSumZ(control: readonly number[], experiment: readonly number[], mu: number): number {
  const nx = experiment.length;
  const ny = control.length;
  const n = nx + ny;
  const values = Float64Array.from({ length: n }, (_, i) => (i < nx ? (experiment[i] as number) - mu : (control[i - nx] as number)));
  const sorted = values.toSorted();
  let tied = 0;
  const rankOf = new Map<number, number>();
  for (let from = 0; from < n; ) {
    let to = from + 1;
    while (to < n && sorted[to] === sorted[from]) to++;
    const size = to - from;
    tied += size ** 3 - size;
    rankOf.set(sorted[from] as number, (from + 1 + to) / 2);
    from = to;
  }
  let ranks = 0;
  for (let i = 0; i < nx; i++) ranks += rankOf.get(values[i] as number) as number;
  const surplus = ranks - (nx * (nx + 1)) / 2 - (nx * ny) / 2;
  const sigma = Math.sqrt(((nx * ny) / 12) * (n + 1 - tied / (n * (n - 1))));
  return sigma === 0 ? Number.NaN : (surplus - Math.sign(surplus) * 0.5) / sigma;
}

/** The shift at which `rankSumZ` falls through `z`, between the extremes of the differences. */
export function shiftAt(control: readonly number[], experiment: readonly number[], z: number): number {
  let low = Math.min(...experiment) - Math.max(...control);
  let high = Math.max(...experiment) - Math.min(...control);
  if (rankSumZ(control, experiment, low) <= z) return low;
  if (rankSumZ(control, experiment, high) >= z) return high;
  while (high - low > ROOT_ACCURACY) {
    const middle = (low + high) / 2;
    if (rankSumZ(control, experiment, middle) > z) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}

/** True when the experiment is classified as High, direction "increase". What cannot be tested is not. */
export function isHigh(control: readonly number[], experiment: readonly number[]): boolean {
  if (control.length === 0 || experiment.length === 0) return false;
  // The lower end must lie above zero at least, which is much cheaper to see. It does, too, where few points are all apart.
  const areApart = Math.min(...experiment) > Math.max(...control);
  if (!areApart && !(rankSumZ(control, experiment, 0) > Z)) return false;
  return shiftAt(control, experiment, Z) > TOLERANCE * Math.abs(shiftAt(control, experiment, 0));
}
