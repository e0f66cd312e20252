/** Sums of numbers that are kept as natural logarithms, so that wealth can neither overflow nor vanish. */

/** ln(e^a + e^b); -Infinity stands for 0. */
export function logAdd(a: number, b: number): number {
  const high = Math.max(a, b);
  return high === -Infinity ? high : high + Math.log1p(Math.exp(Math.min(a, b) - high));
}

/** ln of the sum of e^v; -Infinity when there is nothing to add. */
export function logSumExp(values: ArrayLike<number>): number {
  let high = -Infinity;
  for (let i = 0; i < values.length; i++) high = Math.max(high, values[i] as number);
  if (high === -Infinity) return high;
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += Math.exp((values[i] as number) - high);
  return high + Math.log(sum);
}
