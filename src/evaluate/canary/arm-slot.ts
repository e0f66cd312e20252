/** What one release's traffic on one endpoint was in one slot, as the comparison reads it. */

import type { LaneColumns } from '../../model/lane.ts';

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
