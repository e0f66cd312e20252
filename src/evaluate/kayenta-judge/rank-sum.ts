/** Wilcoxon's rank sum test, one-sided: are the values of one sample larger than those of another? */

/** Additions up to which the distribution is counted out; beyond, both samples are large enough for the normal one. */
const MAX_EXACT_STEPS = 1_000_000;

/** Values that differ from all the rest, up to which those alone are dealt. */
const MAX_OTHERS = 20;

/**
 * Probability that ranks dealt out at random give `larger` a sum at least as high as it has, in (0, 1]; ties share their mean rank and the distribution is
 * that of the tied ranks, so it holds for every size of samples. Counted out where that is cheap (Mann and Whitney 1947), else the normal approximation
 * with corrections for ties and continuity (Lehmann 1975, 1.4). 1 when a sample is empty.
 */
export function rankSumP(larger: readonly number[], other: readonly number[]): number {
  const [n, m] = [larger.length, other.length];
  if (n === 0 || m === 0) return 1;
  const ranks = doubledRanks(larger, other);
  let observed = 0;
  for (let i = 0; i < n; i++) observed += ranks[i] as number;
  const total = (n + m) * (n + m + 1);
  // The smaller sample is dealt: its sum being low says that the other's is high.
  const k = Math.min(n, m);
  const most = Math.min(k * 2 * (n + m), total);
  if ((n + m) * k * most > MAX_EXACT_STEPS) return tiedP(ranks, n, observed) ?? normalP(ranks, n, observed);
  const ways = sumCounts(ranks, k, most).subarray(k * (most + 1));
  const isLarger = n <= m;
  let hits = 0;
  let all = 0;
  for (let sum = 0; sum <= most; sum++) {
    const count = ways[sum] as number;
    all += count;
    if (isLarger ? sum >= observed : sum <= total - observed) hits += count;
  }
  return hits / all;
}

/** Twice the mean rank of each value, first those of `a`: whole numbers also where ranks are shared. */
function doubledRanks(a: readonly number[], b: readonly number[]): Float64Array {
  const values = [...a, ...b];
  const order = values.map((_, i) => i).sort((x, y) => (values[x] as number) - (values[y] as number));
  const ranks = new Float64Array(values.length);
  for (let start = 0; start < order.length; ) {
    let end = start;
    while (end < order.length && values[order[end] as number] === values[order[start] as number]) end++;
    for (let i = start; i < end; i++) ranks[order[i] as number] = start + 1 + end;
    start = end;
  }
  return ranks;
}

/** In how many ways up to `k` of the ranks add up to each sum, up to `most`: rows by how many they are. */
function sumCounts(ranks: Float64Array, k: number, most: number): Float64Array {
  const width = most + 1;
  const ways = new Float64Array((k + 1) * width);
  ways[0] = 1;
  for (const rank of ranks) {
    for (let chosen = k; chosen > 0; chosen--) {
      const [to, from] = [chosen * width, (chosen - 1) * width - rank];
      for (let sum = rank; sum <= most; sum++) ways[to + sum] = (ways[to + sum] as number) + (ways[from + sum] as number);
    }
  }
  return ways;
}

/**
 * Counted out for samples that are nearly all alike, as counts of rare errors are, for which the normal distribution is far off: only the few that differ are
 * dealt one by one, those below and those above the usual value apart, so that the cost does not grow with the samples. Null when they are too many.
 */
function tiedP(ranks: Float64Array, n: number, observed: number): number | null {
  const counts = new Map<number, number>();
  for (const rank of ranks) counts.set(rank, (counts.get(rank) ?? 0) + 1);
  const [usual, alike] = [...counts].reduce((most, entry) => (entry[1] > most[1] ? entry : most));
  const others = ranks.filter((rank) => rank !== usual);
  if (others.length > MAX_OTHERS) return null;
  const below = dealt(others.filter((rank) => rank < usual));
  const above = dealt(others.filter((rank) => rank > usual));
  const logAll = logChoose(ranks.length, n);
  let p = 0;
  for (let low = 0; low <= below.size; low++) {
    for (let high = 0; high <= above.size; high++) {
      const rest = n - low - high;
      if (rest < 0 || rest > alike) continue;
      const missing = observed - rest * usual - low * below.base - high * above.base;
      let hits = 0;
      for (let sum = 0; sum <= below.most; sum++) {
        const ways = below.ways(low, sum);
        if (ways > 0) hits += ways * above.waysFrom(high, missing - sum);
      }
      if (hits > 0) p += hits * Math.exp(logChoose(alike, rest) - logAll);
    }
  }
  return Math.min(1, p);
}

/** Sums of any of a few ranks that lie close together, each told by what it is above the lowest of them. */
function dealt(ranks: Float64Array) {
  const base = ranks.length === 0 ? 0 : Math.min(...ranks);
  const offsets = ranks.map((rank) => rank - base);
  const most = offsets.reduce((sum, offset) => sum + offset, 0);
  const table = sumCounts(offsets, ranks.length, most);
  const ways = (chosen: number, sum: number): number => table[chosen * (most + 1) + sum] as number;
  const tails = new Float64Array(table.length);
  for (let chosen = 0; chosen <= ranks.length; chosen++) {
    let tail = 0;
    for (let sum = most; sum >= 0; sum--) tails[chosen * (most + 1) + sum] = tail += ways(chosen, sum);
  }
  /** Ways to a sum of at least `least`. */
  const waysFrom = (chosen: number, least: number): number =>
    least > most ? 0 : (tails[chosen * (most + 1) + Math.max(0, least)] as number);
  return { size: ranks.length, base, most, ways, waysFrom };
}

/** ln of the number of ways to choose `k` of `n`. */
function logChoose(n: number, k: number): number {
  let log = 0;
  for (let i = 1; i <= k; i++) log += Math.log((n - k + i) / i);
  return log;
}

function normalP(ranks: Float64Array, n: number, observed: number): number {
  const size = ranks.length;
  let squares = 0;
  for (const rank of ranks) squares += rank * rank;
  const mean = n * (size + 1);
  const variance = ((n * (size - n)) / (size * (size - 1))) * (squares - size * (size + 1) ** 2);
  if (!(variance > 0)) return 1;
  return upperTail((observed - 1 - mean) / Math.sqrt(variance));
}

/** P(Z >= z) of the standard normal distribution, to 1.2e-7 of its value (Numerical Recipes, erfc by Chebyshev fitting). */
function upperTail(z: number): number {
  const x = Math.abs(z) / Math.SQRT2;
  const t = 1 / (1 + x / 2);
  const series = CHEBYSHEV.reduceRight((sum, coefficient) => sum * t + coefficient, 0);
  const tail = (t * Math.exp(-x * x + series)) / 2;
  return z >= 0 ? tail : 1 - tail;
}

const CHEBYSHEV: readonly number[] = [
  -1.26551223, 1.00002368, 0.37409196, 0.09678418, -0.18628806, 0.27886807, -1.13520398, 1.48851587, -0.82215223, 0.17087277,
];
