/** What one block says: the logarithm of a bet's payoff on the 2×2 table canary/baseline × bad/ok, fair or worse for a healthy canary. */

/** Bets on "the canary's odds of bad are g times what is tolerated"; 50 is bounded by one over the canary's share anyway. */
export const HARM_BETS: readonly number[] = [1.15, 1.35, 1.7, 2.3, 3.5, 6, 15, 50];
/**
 * Bets on "the canary's odds of bad are only g times its margin". A healthy canary's p99 lies at about half of the default margin, and decides how soon it is
 * promoted; 0.85 is for margins close to the tolerance.
 */
export const SAFE_BETS: readonly number[] = [0.5, 0.6, 0.7, 0.85];

/** A grid of bets against one null hypothesis, with all that does not depend on the block worked out once. */
export interface BetTable {
  readonly bets: Float64Array;
  readonly logBets: Float64Array;
  /** log1p(delta * (g - 1)): what the tolerated additional probability costs per canary request. */
  readonly logTolerance: Float64Array;
  /** Tolerated odds ratio, >= 1. */
  readonly psi0: number;
  /** Tolerated additional probability of bad, [0, 1). */
  readonly delta: number;
}

export function betTable(bets: readonly number[], psi0: number, delta: number): BetTable {
  return {
    bets: Float64Array.from(bets),
    logBets: Float64Array.from(bets, Math.log),
    logTolerance: Float64Array.from(bets, (g) => Math.log1p(delta * (g - 1))),
    psi0,
    delta,
  };
}

/**
 * Mean number of bad canary requests at the odds ratio `psi0`, an upper bound given `k` bad among `nc` + `nb` requests (conditional Bernoulli
 * sampling: inclusion probabilities differ by at most the odds ratio). 0 when nothing is bad.
 */
export function expectedBad(k: number, nc: number, nb: number, psi0: number): number {
  const weighted = nc * psi0;
  return weighted === 0 ? 0 : Math.min(nc, (k * weighted) / (weighted + nb));
}

/**
 * Upper bound of ln E[g^xc] when `k` of `nc` + `nb` requests are bad and the canary's odds of bad are at most `psi0` times the baseline's.
 * xc is then Fisher-noncentral hypergeometric, hence a sum of at most m = min(k, nc) independent Bernoullis (its generating polynomial has only real
 * roots, Vatutin and Mikhailov), and the bound (1 + mu/m (g - 1))^m is Hoeffding's (1963, theorem 4). It grows with m, so the smaller m is taken.
 * 0 when nothing is bad or the canary is empty. Example: g = 2, k = 3, nc = 10, nb = 190 gives 0.14637.
 */
export function logMgfBound(g: number, k: number, nc: number, nb: number, psi0: number): number {
  if (k === 0 || nc === 0) return 0;
  const m = Math.min(k, nc);
  return m * Math.log1p((expectedBad(k, nc, nb, psi0) / m) * (g - 1));
}

/** One block: requests and bad requests of baseline and canary, whole numbers. */
export interface Block {
  readonly nb: number;
  readonly nc: number;
  readonly xb: number;
  readonly xc: number;
}

/**
 * Conditional e-value of a block for every bet, as logarithms into `out`: xc ln g - ln M(g) - nc ln(1 + delta (g - 1)). Its expectation is at most 1
 * whenever the canary's odds of bad are within `psi0` and its additional probability within `delta`, whatever the load and the baseline's own rate
 * (conditional e-process on stratified 2×2 tables: Turner, Ly and Grünwald 2021). A block without one of the releases says nothing: all 0.
 */
export function harmEvidence(table: BetTable, block: Block, out: Float64Array): void {
  evidence(table, block, block.xb + block.xc, out);
}

/**
 * The same against "the canary is beyond its margin" for bets below 1. With an additive margin the canary's own bad requests are left out of the
 * condition, which makes it valid to first order in the rate of bad (below 10 %).
 */
export function safeEvidence(table: BetTable, block: Block, out: Float64Array): void {
  evidence(table, block, table.delta > 0 ? block.xb : block.xb + block.xc, out);
}

function evidence(table: BetTable, block: Block, k: number, out: Float64Array): void {
  const { nb, nc, xc } = block;
  if (nb === 0 || nc === 0) {
    out.fill(0);
    return;
  }
  const m = Math.min(k, nc);
  const chance = m === 0 ? 0 : expectedBad(k, nc, nb, table.psi0) / m;
  for (let j = 0; j < table.bets.length; j++) {
    const bound = m === 0 ? 0 : m * Math.log1p(chance * ((table.bets[j] as number) - 1));
    out[j] = xc * (table.logBets[j] as number) - bound - nc * (table.logTolerance[j] as number);
  }
}

/** Tempers evidence by the overdispersion `phi` >= 1 (Jensen keeps it an e-value) and caps it, in place. */
export function temper(evidence: Float64Array, phi: number, cap: number): void {
  for (let j = 0; j < evidence.length; j++) evidence[j] = Math.min((evidence[j] as number) / phi, cap);
}
