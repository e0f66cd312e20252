/** Who bets with how much: splits a run's money over endpoints before they bet, and never takes any back or makes any new. */
import { logSumExp } from './log-sum.ts';

/** Of the money of a run with several endpoints, what bets on all of them together. */
const POOL_SHARE = 0.3;
/** Of the endpoints' money, what waits for endpoints that appear later; each of weight 1 takes a tenth of what is left. */
const RESERVE_SHARE = 0.2;
const NEWCOMER_SHARE = 0.1;

/** Who may be given money; `traffic` in requests is known before the endpoint's first bet. */
export interface Candidate {
  /** How much the policy lets it matter, > 0; 1 as usual. */
  readonly weight: number;
  readonly traffic: number;
  share: number;
}

export interface PortfolioState {
  readonly pool: number;
  readonly reserve: number;
  readonly isOpen: boolean;
}

/**
 * Shares of the money, 1 in all. The first split happens when the first block of the run closes and goes, as weight times the square root of
 * traffic, to all endpoints known by then, so that a quiet endpoint's silence costs a busy one little. Shares depend on names and on the number of
 * requests alone, never on what became of them, so the weighted mean of the wealths is again a wealth (Vovk and Wang 2021).
 *
 * A run that begins with a single endpoint has no pool, and never gets one: a second endpoint is paid from the reserve like any newcomer and starts
 * with wealth 1, so its arrival leaves the total as it was.
 */
export class Portfolio {
  #pool = 0;
  #reserve = 1;
  #isOpen = false;

  /** Share of the pooled checks, [0, 1). */
  get pool(): number {
    return this.#pool;
  }

  get isOpen(): boolean {
    return this.#isOpen;
  }

  /** Gives money to candidates, in an order that depends on names only. The first call makes the split; later ones pay newcomers of one slot by weight. */
  admit(candidates: readonly Candidate[]): void {
    if (candidates.length === 0) return;
    if (this.#isOpen) {
      const weight = candidates.reduce((total, candidate) => total + candidate.weight, 0);
      const paid = this.#reserve * (1 - (1 - NEWCOMER_SHARE) ** weight);
      for (const candidate of candidates) candidate.share = (paid * candidate.weight) / weight;
      this.#reserve -= paid;
      return;
    }
    this.#isOpen = true;
    this.#pool = candidates.length > 1 ? POOL_SHARE : 0;
    this.#reserve = (1 - this.#pool) * RESERVE_SHARE;
    const money = 1 - this.#pool - this.#reserve;
    const roots = candidates.map(({ weight, traffic }) => weight * Math.sqrt(Math.max(1, traffic)));
    const sum = roots.reduce((total, root) => total + root, 0);
    candidates.forEach((candidate, index) => {
      candidate.share = (money * (roots[index] as number)) / sum;
    });
  }

  /** ln of the run's wealth; 0 before the first split. */
  logWealth(endpoints: readonly { readonly share: number; readonly logWealth: number }[], poolLogWealth: number): number {
    if (!this.#isOpen) return 0;
    const parts = new Float64Array(endpoints.length + 2);
    parts[0] = Math.log(this.#reserve);
    parts[1] = Math.log(this.#pool) + poolLogWealth;
    endpoints.forEach((endpoint, index) => {
      parts[index + 2] = Math.log(endpoint.share) + endpoint.logWealth;
    });
    return logSumExp(parts);
  }

  snapshot(): PortfolioState {
    return { pool: this.#pool, reserve: this.#reserve, isOpen: this.#isOpen };
  }

  static restore(state: PortfolioState): Portfolio {
    const restored = new Portfolio();
    restored.#pool = state.pool;
    restored.#reserve = state.reserve;
    restored.#isOpen = state.isOpen;
    return restored;
  }
}
