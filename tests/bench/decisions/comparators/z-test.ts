/** What a team writes by itself in an afternoon: a two-proportion z-test on all requests so far, looked at every second. */
import { canaryPolicy } from '../../../evaluate/policy.ts';
import type { Comparator, Said, Seconds } from '../method.ts';
import { CumulatedTables, TABLES, type Tables } from './tables.ts';

/** Two-sided at 1 % over four metrics (Bonferroni): the normal quantile of 1 - 0.01 / 8; only the side of harm is heeded. */
const LIMIT = 3.0233414397391;
/** With fewer bad requests expected in the canary the normal approximation is not to be used, as textbooks say. */
const MIN_EXPECTED = 5;

const { errors } = canaryPolicy();

/**
 * z of the canary's share of bad requests above `oddsRatio` × the baseline's + `addRatio` (1 and 0: above the baseline's), variance pooled; 0 while fewer
 * than five bad requests are expected in the canary or one of the releases is empty.
 */
export function twoProportionZ(nb: number, xb: number, nc: number, xc: number, oddsRatio = 1, addRatio = 0): number {
  const pooled = (xb + xc) / (nb + nc);
  if (nb === 0 || nc === 0 || pooled * nc < MIN_EXPECTED) return 0;
  const variance = pooled * (1 - pooled) * (1 / nb + 1 / nc);
  return variance === 0 ? 0 : (xc / nc - ((xb / nb) * oddsRatio + addRatio)) / Math.sqrt(variance);
}

export class ZTest implements Comparator {
  rollback: number | null = null;
  readonly #tables: Tables;
  readonly #isTolerant: boolean;
  readonly #cumulated = new CumulatedTables();

  /** `isTolerant`: with the product's default tolerances. */
  constructor(tables: Tables, isTolerant: boolean) {
    this.#tables = tables;
    this.#isTolerant = isTolerant;
  }

  get isDone(): boolean {
    return this.rollback !== null;
  }

  get said(): Said {
    return { rollback: this.rollback, promote: null, hold: null };
  }

  tick(second: number, seconds: Seconds): void {
    const tables = this.#tables.at(second, seconds);
    if (second < 0) return;
    this.#cumulated.add(tables);
    const isBeyond = this.#cumulated.sums.some(({ nb, nc, xb, xc, xcBeyond }, index) => {
      if (!this.#isTolerant) return twoProportionZ(nb, xb, nc, xc) > LIMIT;
      const isErrors = index === TABLES - 1;
      return twoProportionZ(nb, xb, nc, xcBeyond, isErrors ? errors.oddsRatio : 1, isErrors ? errors.addRatio : 0) > LIMIT;
    });
    if (isBeyond) this.rollback = second + 1;
  }
}
