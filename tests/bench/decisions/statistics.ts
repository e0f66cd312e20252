/** The few statistics that the report needs: exact binomial bounds and quantiles. */

/**
 * Exact one-sided 95 % upper bound of a probability of which `hits` of `runs` were seen (Clopper and Pearson 1934): the largest p under which so few have
 * a chance of 5 %. 1 without runs or when all were hits. Example: 0 of 1,000 gives 0.002991.
 */
export function upperBound(hits: number, runs: number): number {
  if (hits >= runs) return 1;
  let low = hits / runs;
  let high = 1;
  for (let i = 0; i < 60; i++) {
    const middle = (low + high) / 2;
    if (binomialCdf(hits, runs, middle) > 0.05) low = middle;
    else high = middle;
  }
  return high;
}

/** Chance of at most `hits` in `runs` at probability `p` in (0, 1). */
export function binomialCdf(hits: number, runs: number, p: number): number {
  let logTerm = runs * Math.log1p(-p);
  let sum = Math.exp(logTerm);
  for (let k = 1; k <= hits; k++) {
    logTerm += Math.log((runs - k + 1) / k) + Math.log(p) - Math.log1p(-p);
    sum += Math.exp(logTerm);
  }
  return sum;
}

/** Of `runs` values of which those missing are beyond all others; null when the quantile is among the missing. */
export function quantile(values: readonly number[], runs: number, q: number): number | null {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(q * runs) - 1)] ?? null;
}
