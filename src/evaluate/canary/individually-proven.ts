/** Which of many checks is proven harmful by itself, when all of them were watched at once. */

export interface WeightedEvidence {
  /** Above 0. */
  readonly weight: number;
  readonly logE: number;
}

/** Beyond this a linear wealth would overflow; far above any limit. */
const MAX_LOG_E = 600;

/**
 * Indexes of the checks that are proven: every set of checks that contains it has a weighted mean wealth of at least e^`logLimit` (closed testing with
 * the weighted mean as merge, Vovk and Wang 2021). The worst set adds the other checks in ascending order of wealth while they lower the mean.
 */
export function individuallyProven(all: readonly WeightedEvidence[], logLimit: number): ReadonlySet<number> {
  const proven = new Set<number>();
  const limit = Math.exp(logLimit);
  const order = all.map((_, index) => index).sort((a, b) => at(all, a).logE - at(all, b).logE);
  const wealths = order.map((index) => Math.exp(Math.min(at(all, index).logE, MAX_LOG_E)));
  const money = [0];
  const weights = [0];
  order.forEach((index, rank) => {
    const { weight } = at(all, index);
    weights.push((weights[rank] as number) + weight);
    money.push((money[rank] as number) + weight * (wealths[rank] as number));
  });
  for (let rank = order.length - 1; rank >= 0 && at(all, order[rank] as number).logE >= logLimit; rank--) {
    const { weight } = at(all, order[rank] as number);
    const mean = (added: number) => ((money[added] as number) + weight * (wealths[rank] as number)) / ((weights[added] as number) + weight);
    // Adding the next one lowers the mean until one does not; from there on none does.
    let low = 0;
    let high = rank;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((wealths[middle] as number) < mean(middle)) low = middle + 1;
      else high = middle;
    }
    if (mean(low) >= limit) proven.add(order[rank] as number);
  }
  return proven;
}

function at(all: readonly WeightedEvidence[], index: number): WeightedEvidence {
  return all[index] as WeightedEvidence;
}
