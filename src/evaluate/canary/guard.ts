/** A bet that needs no baseline to compare with: a share of requests is beyond a limit, whatever anybody else's is. */
import { LANE_GROUPS } from '../../model/lane.ts';
import type { DurationMs } from '../../model/time.ts';
import { HarmTest, type HarmTestRules, type HarmTestState } from './harm-test.ts';
import type { ProcessRules } from './process-rules.ts';

/**
 * Log e-values of `counted` among `total` requests, per bet into `out`: counted ln g - total ln(1 + limit (g - 1)). For bets above 1 the expectation is at
 * most 1 while each request counts with chance at most `limit`, for bets below 1 while the chance is at least that (a binomial's generating
 * function). All 0 when nothing came. Example: g = 3.5, 6 of 100, limit 0.0144 gives 3.97986.
 */
export function shareEvidence(bets: readonly number[], counted: number, total: number, limit: number, out: Float64Array): void {
  for (let j = 0; j < bets.length; j++) {
    const g = bets[j] as number;
    out[j] = counted * Math.log(g) - total * Math.log1p(limit * (g - 1));
  }
}

/** How a guard plays: the same caps and instalments as the comparisons have. */
export interface GuardRules {
  readonly bets: readonly number[];
  readonly wealth: ProcessRules;
  readonly blockCap: number;
}

export type GuardState = HarmTestState | null;

/** The wealth of one guard; 1 until it bets. */
export class Guard {
  readonly #rules: GuardRules;
  readonly #test: HarmTestRules;
  readonly #evidence: Float64Array;
  readonly #byPod: Float64Array;
  #wealth: HarmTest | null = null;

  constructor(rules: GuardRules) {
    this.#rules = rules;
    this.#test = { harmRules: rules.wealth, harm: { bets: rules.bets }, asks: 'patiently' };
    this.#evidence = new Float64Array(rules.bets.length);
    this.#byPod = new Float64Array(rules.bets.length * LANE_GROUPS);
  }

  /** ln of the wealth. */
  get logE(): number {
    return this.#wealth?.logE ?? 0;
  }

  /** Whether its last bet was judged by pods. */
  get isByPod(): boolean {
    return this.#wealth?.isByPod === true;
  }

  /** Plays the slot that ended at `atMs` of watched time. */
  bet(atMs: DurationMs, counted: number, total: number, limit: number): void {
    this.#wealth ??= new HarmTest(this.#test, atMs);
    this.#wealth.update(atMs, this.#capped(counted, total, limit));
  }

  /** The same by groups of pods: what is left of the evidence whichever of them is left out. */
  betByPod(atMs: DurationMs, counted: ArrayLike<number>, total: ArrayLike<number>, limit: number): void {
    let allCounted = 0;
    let all = 0;
    for (let group = 0; group < LANE_GROUPS; group++) {
      allCounted += counted[group] as number;
      all += total[group] as number;
    }
    for (let group = 0; group < LANE_GROUPS; group++) {
      const without = this.#capped(allCounted - (counted[group] as number), all - (total[group] as number), limit);
      this.#byPod.set(without, group * without.length);
    }
    this.#wealth ??= new HarmTest(this.#test, atMs);
    this.#wealth.updateByPod(atMs, all, this.#byPod);
  }

  snapshot(): GuardState {
    return this.#wealth?.snapshot() ?? null;
  }

  static restore(rules: GuardRules, state: GuardState): Guard {
    const restored = new Guard(rules);
    restored.#wealth = state === null ? null : HarmTest.restore(restored.#test, state);
    return restored;
  }

  #capped(counted: number, total: number, limit: number): Float64Array {
    const evidence = this.#evidence;
    shareEvidence(this.#rules.bets, counted, total, limit, evidence);
    for (let j = 0; j < evidence.length; j++) evidence[j] = Math.min(evidence[j] as number, this.#rules.blockCap);
    return evidence;
  }
}
