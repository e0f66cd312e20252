/** How many times higher the canary's odds of bad are than the baseline's, with an interval that holds at every moment at once. */
import type { Interval } from '../../model/judgement.ts';
import { HIGHEST_ODDS, LOWEST_ODDS } from '../../model/odds-range.ts';
import type { Block } from './block-evidence.ts';

/** Odds ratios that are considered, evenly spaced as logarithms. */
const POINTS = 41;
/** Chance that the interval ever misses the truth. */
const GAMMA = 0.05;

const LOG_GRID = Float64Array.from(
  { length: POINTS },
  (_, index) => Math.log(LOWEST_ODDS) + (index * Math.log(HIGHEST_ODDS / LOWEST_ODDS)) / (POINTS - 1),
);
const GRID = LOG_GRID.map(Math.exp);

/** Width, in ln(nc / nb), of the groups of blocks whose sums are kept together. */
const GROUP_WIDTH = 0.5;

/** Blocks split in nearly the same way: sums over their bad requests of 1, w and w², w being the canary's share of the block's requests. */
interface Group {
  bad: number;
  first: number;
  second: number;
}

export interface OddsIntervalState {
  readonly canaryBad: number;
  readonly groups: readonly (readonly [key: number, bad: number, first: number, second: number])[];
}

/**
 * Log likelihood ratio of the odds ratio psi against 1, given each block's bad requests: l(psi) = X ln psi - sum k ln(1 + w (psi - 1)), w = nc / N. What is
 * kept are those psi for which the mean of e^(l/phi) over the grid is less than 1/gamma times e^(l(psi)/phi).
 *
 * The sums of all 41 would cost 41 logarithms a block. Kept instead are three sums for each group of nearly equal w, and ln(1 + w (psi - 1)) is expanded
 * to second order around the group's mean when somebody asks: for a single split that is exact, and within a group of this width the third order
 * is below 0.3 % of the bad requests' number even at the end of the grid, and of either sign.
 */
export class OddsInterval {
  #canaryBad = 0;
  readonly #groups = new Map<number, Group>();

  /** Adds a block; one without bad requests or without one of the releases says nothing. */
  add({ nb, nc, xb, xc }: Block): void {
    const bad = xb + xc;
    if (bad === 0 || nb === 0 || nc === 0) return;
    this.#canaryBad += xc;
    const key = Math.floor(Math.log(nc / nb) / GROUP_WIDTH);
    let group = this.#groups.get(key);
    if (group === undefined) {
      group = { bad: 0, first: 0, second: 0 };
      this.#groups.set(key, group);
    }
    const w = nc / (nc + nb);
    group.bad += bad;
    group.first += bad * w;
    group.second += bad * w * w;
  }

  /** Forgets everything. */
  clear(): void {
    this.#canaryBad = 0;
    this.#groups.clear();
  }

  /** The likeliest odds ratio of the grid and the nearest on either side that are excluded, given the overdispersion; null before anything was bad. */
  interval(phi: number): Interval | null {
    if (this.#groups.size === 0) return null;
    const logs = this.#logLikelihoods();
    let best = 0;
    for (let i = 1; i < POINTS; i++) if ((logs[i] as number) > (logs[best] as number)) best = i;
    const top = logs[best] as number;
    // Relative to the highest, so that nothing overflows.
    let mean = 0;
    for (const log of logs) mean += Math.exp((log - top) / phi) / POINTS;
    const isKept = (index: number) => mean / Math.exp(((logs[index] as number) - top) / phi) < 1 / GAMMA;
    let low = best;
    while (low > 0 && isKept(low)) low--;
    let high = best;
    while (high < POINTS - 1 && isKept(high)) high++;
    return { estimate: GRID[best] as number, low: GRID[low] as number, high: GRID[high] as number };
  }

  snapshot(): OddsIntervalState {
    return { canaryBad: this.#canaryBad, groups: [...this.#groups].map(([key, { bad, first, second }]) => [key, bad, first, second]) };
  }

  static restore(state: OddsIntervalState): OddsInterval {
    const restored = new OddsInterval();
    restored.#canaryBad = state.canaryBad;
    for (const [key, bad, first, second] of state.groups) restored.#groups.set(key, { bad, first, second });
    return restored;
  }

  #logLikelihoods(): Float64Array {
    const logs = LOG_GRID.map((log) => this.#canaryBad * log);
    for (const { bad, first, second } of this.#groups.values()) {
      const w = first / bad;
      const spread = second - first * w;
      for (let i = 0; i < POINTS; i++) {
        const rise = (GRID[i] as number) - 1;
        const slope = rise / (1 + w * rise);
        logs[i] = (logs[i] as number) - bad * Math.log1p(w * rise) + (slope * slope * spread) / 2;
      }
    }
    return logs;
  }
}
