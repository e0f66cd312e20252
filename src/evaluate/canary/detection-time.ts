/** How long a bet takes, on average, to prove what it bets on: the planning formula of the conditional e-process. */
import type { DurationMs } from '../../model/time.ts';
import type { BetTable } from './block-evidence.ts';
import { INITIAL_STAKE, type ProcessRules } from './process-rules.ts';

/** Requests per second of both releases, and how many of them are bad. */
export interface Traffic {
  readonly baselineRate: number;
  readonly canaryRate: number;
  /** Share of bad requests, [0, 1]. */
  readonly baselineBad: number;
  readonly canaryBad: number;
}

/**
 * Expected log evidence per second of the best bet of a table; negative when even that loses. Per canary request, with w the canary's share of requests and
 * K = p1 + p0 (1 - w) / w bad requests of both releases for each of its own, a bet g gains p1 ln g - m ln(1 + mu/m (g - 1)) - ln(1 + delta (g - 1)):
 * the block evidence with its counts replaced by their means. For psi0 = 1 and delta = 0 its maximum over g is K KL(p1/K || w).
 * `isOthersBad`: only the baseline's bad requests enter the condition, as in proving health within an additive margin.
 */
export function evidenceRate(table: BetTable, traffic: Traffic, isOthersBad = false): number {
  const { baselineRate, canaryRate, baselineBad, canaryBad } = traffic;
  if (canaryRate <= 0 || baselineRate <= 0) return 0;
  const bad = (isOthersBad ? 0 : canaryBad) + (baselineBad * baselineRate) / canaryRate;
  const expected = Math.min(1, (bad * table.psi0 * canaryRate) / (table.psi0 * canaryRate + baselineRate));
  const m = Math.min(bad, 1);
  let best = -Infinity;
  for (let j = 0; j < table.bets.length; j++) {
    const bound = m === 0 ? 0 : m * Math.log1p((expected / m) * ((table.bets[j] as number) - 1));
    best = Math.max(best, canaryBad * (table.logBets[j] as number) - bound - (table.logTolerance[j] as number));
  }
  return best * canaryRate;
}

/** Evidence that the mixture over bets costs against the best bet alone. */
const MIXTURE_COST = 1.5;

/** Where a harm process stands, for what it still needs. */
export interface Wealth {
  /** ln of the wealth now, and of the wealth that proves. */
  readonly logE: number;
  readonly logNeeded: number;
  /** Watched time since it began to bet. */
  readonly elapsedMs: DurationMs;
  /** Estimated overdispersion, >= 1. */
  readonly phi: number;
}

/**
 * Time from now until harm that brings `rate` nats a second is proven, about; Infinity when it never is. t = phi (ln(1/(alpha w)) - ln(stake) + 1.5) / rate,
 * where the stake is the money that is in the game by then: what is left of the earlier one, or the instalments that enter meanwhile. No faster than the
 * caps of incident windows allow.
 */
export function provingMs(rules: ProcessRules, rate: number, wealth: Wealth): DurationMs {
  const perWindow = Math.min((rate / wealth.phi) * (rules.windowMs / 1000), rules.windowCap);
  if (perWindow <= 0) return Infinity;
  const paid = (ms: DurationMs) => Math.min(1 - INITIAL_STAKE, (rules.instalment * ms) / rules.windowMs);
  const invested = Math.max(0, Math.exp(wealth.logE) - (1 - INITIAL_STAKE - paid(wealth.elapsedMs)));
  let neededMs = 0;
  // What enters while one waits depends on how long one waits; a few rounds settle it.
  for (let round = 0; round < 4; round++) {
    const entering = Math.max(rules.instalment, paid(wealth.elapsedMs + neededMs / 2) - paid(wealth.elapsedMs));
    const stake = Math.max(invested, entering);
    const needed = wealth.logNeeded - Math.log(stake) + (stake < 1 ? MIXTURE_COST : 0);
    neededMs = (Math.max(0, needed) / perWindow) * rules.windowMs;
  }
  return neededMs;
}
