/** Proves that too many of the canary's requests are bad in absolute terms, while the baseline's are not. */
import type { ArmCounts } from '../../model/judgement.ts';
import type { LaneColumns } from '../../model/lane.ts';
import type { DurationMs } from '../../model/time.ts';
import { GroupCounts, type GroupCountsState } from './group-counts.ts';
import { Guard, type GuardRules, type GuardState } from './guard.ts';
import { RecentRatio, type RecentRatioState } from './recent-ratio.ts';

/** Bets on "bad is g times as frequent as the limit allows". */
export const RATIO_BETS: readonly number[] = [1.35, 2.3, 6, 15];

export interface RatioRules extends GuardRules {
  /** Share of the canary's requests that may be bad, (0, 1). */
  readonly limitRatio: number;
  /** No bet while more than this share of the baseline's requests is bad: the trouble is shared. */
  readonly baselineRatio: number;
  /** Requests of the baseline in the last minute below which nobody knows whether trouble is shared; 0: it need not have any. */
  readonly minBaseline: number;
}

export interface RatioGuardState {
  readonly guard: GuardState;
  readonly baseline: ArmCounts;
  readonly canary: ArmCounts;
  readonly recent: RecentRatioState;
  readonly pods: GroupCountsState;
}

const NOTHING: ArmCounts = { bad: 0, total: 0 };

/**
 * Requests are summed over endpoints, slot by slot. A slot is played only when the baseline is well both in the slot and in the minute up to it: the slot
 * alone would let evidence in at the seconds in which a sick baseline happens to serve well, the minute alone in the first seconds of an outage.
 * Both depend on the baseline, so what is played is as harmless to a healthy canary as before.
 */
export class RatioGuard {
  readonly rules: RatioRules;
  #guard: Guard;
  /** Counts of the slots that were played. */
  #baseline = NOTHING;
  #canary = NOTHING;
  #recent = new RecentRatio();
  #pods = new GroupCounts();
  #openBaseline = { bad: 0, total: 0 };
  #openCanary = { bad: 0, total: 0 };

  constructor(rules: RatioRules) {
    this.rules = rules;
    this.#guard = new Guard(rules);
  }

  get logE(): number {
    return this.#guard.logE;
  }

  get level(): 'request' | 'pod' {
    return this.#guard.isByPod ? 'pod' : 'request';
  }

  get baseline(): ArmCounts {
    return this.#baseline;
  }

  get canary(): ArmCounts {
    return this.#canary;
  }

  /** The baseline in the last minute, played or not. */
  get recent(): RecentRatio {
    return this.#recent;
  }

  /** Adds one endpoint's requests in the slot. */
  count(baselineBad: number, baselineTotal: number, canaryBad: number, canaryTotal: number): void {
    this.#openBaseline.bad += baselineBad;
    this.#openBaseline.total += baselineTotal;
    this.#openCanary.bad += canaryBad;
    this.#openCanary.total += canaryTotal;
  }

  /** The same requests of the canary by pod; bad are failures and, where there is an `edge`, what is in its bucket or above. */
  countPods(lanes: LaneColumns, edge: number | null): void {
    this.#pods.add(lanes, edge);
  }

  /** Ends the slot, `atMs` of watched time; while `isWarmup` it only watches. */
  endSlot(atMs: DurationMs, isWarmup: boolean): void {
    const baseline = this.#openBaseline;
    const canary = this.#openCanary;
    if (baseline.total + canary.total === 0) return;
    this.#recent.add(atMs, baseline.bad, baseline.total);
    const { baselineRatio, minBaseline, limitRatio } = this.rules;
    const isShared = baseline.bad > baselineRatio * baseline.total || this.#recent.exceeds(baselineRatio);
    const isByPod = this.#pods.qualifies(atMs, canary.total);
    if (!isWarmup && !isShared && canary.total > 0 && this.#recent.counts.total >= minBaseline) {
      if (isByPod) this.#guard.betByPod(atMs, this.#pods.bad, this.#pods.total, limitRatio);
      else this.#guard.bet(atMs, canary.bad, canary.total, limitRatio);
      this.#baseline = { bad: this.#baseline.bad + baseline.bad, total: this.#baseline.total + baseline.total };
      this.#canary = { bad: this.#canary.bad + canary.bad, total: this.#canary.total + canary.total };
    }
    this.drop();
  }

  drop(): void {
    this.#openBaseline = { bad: 0, total: 0 };
    this.#openCanary = { bad: 0, total: 0 };
    this.#pods.clear();
  }

  snapshot(): RatioGuardState {
    return {
      guard: this.#guard.snapshot(),
      baseline: this.#baseline,
      canary: this.#canary,
      recent: this.#recent.snapshot(),
      pods: this.#pods.snapshot(),
    };
  }

  static restore(rules: RatioRules, state: RatioGuardState): RatioGuard {
    const restored = new RatioGuard(rules);
    restored.#guard = Guard.restore(rules, state.guard);
    restored.#baseline = state.baseline;
    restored.#canary = state.canary;
    restored.#recent = RecentRatio.restore(state.recent);
    restored.#pods = GroupCounts.restore(state.pods);
    return restored;
  }
}
