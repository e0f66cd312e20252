/** The precedence test: so many steps of one sample lie above all of the other. It sees what happens now and then, which ranks hardly feel. */

/**
 * Probability that, dealt at random, at least as many of the largest values fall to `larger` before the first of `other` comes, in (0, 1]: C(n, k) / C(n + m, k)
 * for k of n values above all m (Nelson 1963). It holds for every size of samples; values that are tied with the largest of `other` do not count. 1 when a
 * sample is empty.
 * Example: 7 of 10 above all 10 others: 120 / 77,520 = 0.0015.
 */
export function spikesP(larger: readonly number[], other: readonly number[]): number {
  const [n, m] = [larger.length, other.length];
  if (n === 0 || m === 0) return 1;
  let highest = Number.NEGATIVE_INFINITY;
  for (const value of other) highest = Math.max(highest, value);
  const above = larger.reduce((count, value) => count + (value > highest ? 1 : 0), 0);
  let p = 1;
  for (let i = 0; i < above; i++) p *= (n - i) / (n + m - i);
  return p;
}
