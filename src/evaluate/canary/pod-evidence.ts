/** What a block says when the canary is looked at without each group of its pods. */
import { LANE_GROUPS } from '../../model/lane.ts';
import { type BetTable, harmEvidence, temper } from './block-evidence.ts';
import type { ProcessLimits } from './process-rules.ts';

/** Requests a check is about: the baseline's, and the canary's by group. */
export interface PodTraffic {
  readonly baselineRequests: number;
  readonly canaryRequests: ArrayLike<number>;
}

export interface PodCounts extends PodTraffic {
  readonly baselineBad: number;
  readonly canaryBad: ArrayLike<number>;
}

export interface PodScratch {
  /** Log evidence per group left out, then per bet. */
  readonly without: Float64Array;
  /** Per bet, the least of `without`: what remains whichever group is left out. */
  readonly least: Float64Array;
  /** One group's. */
  readonly one: Float64Array;
}

export function podScratch(bets: number): PodScratch {
  return { without: new Float64Array(LANE_GROUPS * bets), least: new Float64Array(bets), one: new Float64Array(bets) };
}

/**
 * Harm evidence of the 2×2 tables canary/baseline × bad/ok, one for each group of the canary's pods, which is left out, with the baseline whole: tempered
 * and capped, into `out`.
 */
export function podEvidence(
  rule: { readonly harm: BetTable; readonly limits: ProcessLimits },
  counts: PodCounts,
  phi: number,
  out: PodScratch,
): void {
  const { baselineRequests: nb, baselineBad: xb, canaryRequests, canaryBad } = counts;
  let requests = 0;
  let bad = 0;
  for (let group = 0; group < LANE_GROUPS; group++) {
    requests += canaryRequests[group] as number;
    bad += canaryBad[group] as number;
  }
  const bets = out.one.length;
  out.least.fill(Infinity);
  for (let group = 0; group < LANE_GROUPS; group++) {
    harmEvidence(rule.harm, { nb, nc: requests - (canaryRequests[group] as number), xb, xc: bad - (canaryBad[group] as number) }, out.one);
    temper(out.one, phi, rule.limits.blockCap);
    out.without.set(out.one, group * bets);
    for (let j = 0; j < bets; j++) out.least[j] = Math.min(out.least[j] as number, out.one[j] as number);
  }
}
