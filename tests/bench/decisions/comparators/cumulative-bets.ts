/** The product's own bet on one table of all requests so far instead of one table a second: shows why seconds are compared by themselves. */
import { betTable, HARM_BETS, harmEvidence } from '../../../../src/evaluate/canary/block-evidence.ts';
import { logSumExp } from '../../../../src/evaluate/canary/log-sum.ts';
import { canaryPolicy } from '../../../evaluate/policy.ts';
import type { Comparator, Said, Seconds } from '../method.ts';
import { CumulatedTables, TABLES, type Tables } from './tables.ts';

const { alpha, errors } = canaryPolicy();
const LATENCY_BETS = betTable(HARM_BETS, 1, 0);
const ERROR_BETS = betTable(HARM_BETS, errors.oddsRatio, errors.addRatio);

export class CumulativeBets implements Comparator {
  rollback: number | null = null;
  readonly #tables: Tables;
  readonly #cumulated = new CumulatedTables();
  readonly #evidence = new Float64Array(HARM_BETS.length * TABLES);

  constructor(tables: Tables) {
    this.#tables = tables;
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
    this.#cumulated.sums.forEach(({ nb, nc, xb, xcBeyond }, index) => {
      const bets = index === TABLES - 1 ? ERROR_BETS : LATENCY_BETS;
      const into = this.#evidence.subarray(index * HARM_BETS.length, (index + 1) * HARM_BETS.length);
      harmEvidence(bets, { nb, nc, xb, xc: xcBeyond }, into);
    });
    if (logSumExp(this.#evidence) - Math.log(this.#evidence.length) >= Math.log(1 / alpha)) this.rollback = second + 1;
  }
}
