/** How many requests the groups of the canary's pods had in an open block, and the baseline's pods together. */
import { LANE_GROUPS, LANES } from '../../model/lane.ts';
import { type ArmSlot, groupOf, laneCountFrom, laneRequests } from './arm-slot.ts';

export interface PodBlockState {
  readonly qualifies: boolean;
  readonly requests: readonly number[];
  readonly served: readonly number[];
  readonly baselineRequests: number;
}

export class PodBlock {
  /** Whether the slots before it allow judging it by pods. */
  qualifies = false;
  /** Requests with a latency by group, failed ones included, and those of them that did not fail. */
  readonly requests = new Float64Array(LANE_GROUPS);
  readonly served = new Float64Array(LANE_GROUPS);
  /** Requests of the baseline with a latency, failed ones included. */
  baselineRequests = 0;

  add(baseline: ArmSlot, canary: ArmSlot): void {
    this.baselineRequests += laneRequests(baseline.lanes);
    const { lanes } = canary;
    if (lanes === null || lanes === undefined) return;
    for (let lane = 1; lane <= LANES; lane++) {
      const group = groupOf(lane);
      this.requests[group] = (this.requests[group] as number) + (lanes.requests[lane] as number);
      this.served[group] = (this.served[group] as number) + laneCountFrom(lanes, lane, 0);
    }
  }

  begin(qualifies: boolean): void {
    this.qualifies = qualifies;
    this.requests.fill(0);
    this.served.fill(0);
    this.baselineRequests = 0;
  }

  snapshot(): PodBlockState {
    const { qualifies, baselineRequests } = this;
    return { qualifies, requests: Array.from(this.requests), served: Array.from(this.served), baselineRequests };
  }

  static restore(state: PodBlockState): PodBlock {
    const restored = new PodBlock();
    restored.qualifies = state.qualifies;
    restored.requests.set(state.requests);
    restored.served.set(state.served);
    restored.baselineRequests = state.baselineRequests;
    return restored;
  }
}
