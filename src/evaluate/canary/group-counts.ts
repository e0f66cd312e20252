/** What a guard counts of the canary in one slot, by groups of its pods. */
import { LANE_GROUPS, LANES, type LaneColumns } from '../../model/lane.ts';
import type { DurationMs } from '../../model/time.ts';
import { groupOf, laneCountFrom } from './arm-slot.ts';

/** A group that sent nothing for so long may have no pod any more. */
const SEEN_MS = 30_000;
/** Least of the canary's requests that must be counted by pod; those without a latency or a pod's name are not. */
const MIN_COUNTED = 0.95;

export interface GroupCountsState {
  readonly lastSeen: readonly number[];
}

export class GroupCounts {
  readonly bad = new Float64Array(LANE_GROUPS);
  readonly total = new Float64Array(LANE_GROUPS);
  readonly #lastSeen = new Float64Array(LANE_GROUPS).fill(-SEEN_MS - 1);

  /** Adds one endpoint's slot. Bad are failed requests and, from bucket `edge` on, slow ones; null: failed ones alone. */
  add(lanes: LaneColumns, edge: number | null): void {
    for (let lane = 1; lane <= LANES; lane++) {
      const group = groupOf(lane);
      const slow = edge === null ? 0 : laneCountFrom(lanes, lane, edge);
      this.bad[group] = (this.bad[group] as number) + (lanes.failed[lane] as number) + slow;
      this.total[group] = (this.total[group] as number) + (lanes.requests[lane] as number);
    }
  }

  /** Whether the slot that ends at `atMs`, with `requests` of the canary, can be judged by pods. It looks at requests alone, never at what became of them. */
  qualifies(atMs: DurationMs, requests: number): boolean {
    let counted = 0;
    let isEveryoneThere = true;
    for (let group = 0; group < LANE_GROUPS; group++) {
      const total = this.total[group] as number;
      counted += total;
      if (total > 0) this.#lastSeen[group] = atMs;
      isEveryoneThere &&= atMs - (this.#lastSeen[group] as number) <= SEEN_MS;
    }
    return isEveryoneThere && counted >= MIN_COUNTED * requests;
  }

  clear(): void {
    this.bad.fill(0);
    this.total.fill(0);
  }

  /** To be taken between slots. */
  snapshot(): GroupCountsState {
    return { lastSeen: Array.from(this.#lastSeen) };
  }

  static restore(state: GroupCountsState): GroupCounts {
    const restored = new GroupCounts();
    restored.#lastSeen.set(state.lastSeen);
    return restored;
  }
}
