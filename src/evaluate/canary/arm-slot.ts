/** What one release's traffic on one endpoint was in one slot, as the comparison reads it. */

import { LANE_GROUPS, LANES, type LaneColumns } from '../../model/lane.ts';

export interface ArmSlot {
  readonly requests: number;
  readonly failed: number;
  /** Valid entries of `buckets` and `counts`. */
  readonly size: number;
  /** Bucket indexes of the latencies of non-failed requests, ascending; the arrays may be longer than `size`. */
  readonly buckets: ArrayLike<number>;
  readonly counts: ArrayLike<number>;
  /** The same by pod; null or absent where spans name none. */
  readonly lanes?: LaneColumns | null;
}

/** Requests with a latency. */
export function timedRequests(arm: ArmSlot): number {
  let timed = 0;
  for (let i = 0; i < arm.size; i++) timed += arm.counts[i] as number;
  return timed;
}

/** Requests in bucket `from` and above. */
export function countFrom(arm: ArmSlot, from: number): number {
  let above = 0;
  for (let i = arm.size - 1; i >= 0 && (arm.buckets[i] as number) >= from; i--) above += arm.counts[i] as number;
  return above;
}

/** The group of pods, from 0, that a lane from 1 on belongs to. */
export function groupOf(lane: number): number {
  return (lane - 1) % LANE_GROUPS;
}

/** Requests with a latency, failed ones included, of all lanes; 0 where spans name no pod. */
export function laneRequests(lanes: LaneColumns | null | undefined): number {
  if (lanes === null || lanes === undefined) return 0;
  let requests = 0;
  for (let lane = 0; lane <= LANES; lane++) requests += lanes.requests[lane] as number;
  return requests;
}

/** Failed requests with a latency, of all lanes; 0 where spans name no pod. */
export function laneFailures(lanes: LaneColumns | null | undefined): number {
  if (lanes === null || lanes === undefined) return 0;
  let failed = 0;
  for (let lane = 0; lane <= LANES; lane++) failed += lanes.failed[lane] as number;
  return failed;
}

/** Non-failed requests of one lane in bucket `from` and above. */
export function laneCountFrom(lanes: LaneColumns, lane: number, from: number): number {
  const start = lanes.start[lane] as number;
  let above = 0;
  for (let i = (lanes.start[lane + 1] as number) - 1; i >= start && (lanes.buckets[i] as number) >= from; i--)
    above += lanes.counts[i] as number;
  return above;
}
