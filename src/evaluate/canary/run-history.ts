/** What a run remembers of its course, for reading: evidence over time, when harm began, and the traffic of late. None of it decides on harm. */

import type { TrailPoint } from '../../model/judgement.ts';
import type { EpochMs, SlotIndex } from '../../model/time.ts';
import { ALL_ENDPOINTS } from './check-name.ts';
import type { EndpointComparison } from './endpoint-comparison.ts';
import { Onsets, type OnsetsState } from './onset.ts';
import type { Pool } from './pool.ts';
import { RecentTraffic, type RecentTrafficState } from './recent-traffic.ts';
import { Trails, type TrailsState } from './trail.ts';

const CHECK_POINTS = 32;
const RUN_POINTS = 128;
const RUN = 'run';

export interface RunHistoryState {
  readonly traffic: RecentTrafficState;
  readonly onsets: OnsetsState;
  readonly checks: TrailsState;
  readonly run: TrailsState;
}

export class RunHistory {
  traffic = new RecentTraffic();
  #onsets = new Onsets();
  #checks = new Trails(CHECK_POINTS);
  #run = new Trails(RUN_POINTS);

  /** Notes a block of an endpoint that ended with `slot`. */
  closed(endpoint: EndpointComparison, slot: SlotIndex): void {
    this.#onsets.note(endpoint.name, endpoint.checks, slot);
  }

  /** Ends the slot, after all checks have bet; `logWealth` is the run's. */
  endSlot(slot: SlotIndex, endpoints: readonly EndpointComparison[], pool: Pool, logWealth: number): void {
    const pooled = pool.wealths;
    this.#onsets.note(ALL_ENDPOINTS, pooled, slot);
    if (this.#checks.begin(slot)) {
      for (const endpoint of endpoints) this.#checks.add(endpoint.name, endpoint.checks);
      this.#checks.add(ALL_ENDPOINTS, pooled);
      this.#checks.finish();
    }
    if (this.#run.begin(slot)) {
      this.#run.add(RUN, [{ logE: logWealth }]);
      this.#run.finish();
    }
  }

  /** The run's wealth over time up to the slot before `next`, at most 128 points. */
  runTrail(next: SlotIndex, logWealth: number): readonly TrailPoint[] {
    return this.#run.points(RUN, 0, next, logWealth);
  }

  /** The same of the check at `index` of an endpoint, or of all together; at most 32 points. */
  trail(endpoint: string, index: number, next: SlotIndex, logE: number): readonly TrailPoint[] {
    return this.#checks.points(endpoint, index, next, logE);
  }

  onsetAt(endpoint: string, index: number, logE: number): EpochMs | null {
    return this.#onsets.onsetAt(endpoint, index, logE);
  }

  snapshot(): RunHistoryState {
    return {
      traffic: this.traffic.snapshot(),
      onsets: this.#onsets.snapshot(),
      checks: this.#checks.snapshot(),
      run: this.#run.snapshot(),
    };
  }

  static restore(state: RunHistoryState): RunHistory {
    const restored = new RunHistory();
    restored.traffic = RecentTraffic.restore(state.traffic);
    restored.#onsets = Onsets.restore(state.onsets);
    restored.#checks = Trails.restore(CHECK_POINTS, state.checks);
    restored.#run = Trails.restore(RUN_POINTS, state.run);
    return restored;
  }
}
