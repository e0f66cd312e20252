/** Tells the pods of a release apart, as far as a comparison needs it: each pod counts in one of a few lanes. */

/** Lanes 1 to LANES, given to pods in order of appearance, round and round; lane 0 is for spans that name no pod. */
export const LANES = 9;
/** Lanes are compared in groups of pods: lane l belongs to group (l - 1) % LANE_GROUPS. */
export const LANE_GROUPS = 3;

/** One release's requests with a latency, by lane. Arrays may be longer than needed; they are reused. */
export interface LaneColumns {
  /** Lane l owns the entries [start[l], start[l + 1]) of `buckets` and `counts`, for l in 0 … LANES. */
  readonly start: ArrayLike<number>;
  /** Buckets of requests that did not fail, ascending within a lane. */
  readonly buckets: ArrayLike<number>;
  readonly counts: ArrayLike<number>;
  /** Requests of each lane, failed ones included, and those that failed. */
  readonly requests: ArrayLike<number>;
  readonly failed: ArrayLike<number>;
}
