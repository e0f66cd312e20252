/** What alerts need to know of an objective's counts. */
import type { Objective } from '../model/objective.ts';
import type { WindowCounts } from '../model/slo-views.ts';
import type { EpochMs } from '../model/time.ts';

export interface CountsOf {
  /** Valid and bad events within [fromMs, toMs), edges rounded outward to what is kept. */
  over(objective: Objective, fromMs: EpochMs, toMs: EpochMs): WindowCounts;
  /** Of the objective's window that holds `at`, up to the end of the slot of `at`. */
  total(objective: Objective, at: EpochMs): WindowCounts;
  /** Of timeslices: up to where they are closed and counted; -Infinity before the first. */
  closedTo(objective: Objective): EpochMs;
  /** Releases that spent most of the budget within [fromMs, toMs), worst first. */
  spenders(objective: Objective, fromMs: EpochMs, toMs: EpochMs): readonly string[];
}
