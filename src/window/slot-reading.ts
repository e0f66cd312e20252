/** Counts of some series over a piece of time: what sequential tests are fed with. Reused between readings. */
import type { LaneColumns } from '../model/lane.ts';
import { LaneArrays } from './lane-arrays.ts';

export class SlotReading {
  /** Spans as received, and those of them that failed. */
  requests = 0;
  failed = 0;
  /** Spans with a latency that failed. */
  timedFailed = 0;
  /** The first two as sums of sampling weights. */
  weight = 0;
  failedWeight = 0;
  /** Distinct buckets of spans with a latency that did not fail, of whichever lane. */
  size = 0;
  /** Ascending; the first `size` count. */
  buckets: Int32Array = new Int32Array(64);
  counts: Float64Array = new Float64Array(64);
  /** The spans with a latency by lane; null when all of them are in lane 0, and for slots longer than 1 s. */
  lanes: LaneColumns | null = null;
  readonly #arrays = new LaneArrays();

  /** Sets `lanes`; see `LaneArrays.fill`. */
  fillLanes(cells: Int32Array, counts: Float64Array, size: number, laneCells: number): void {
    this.#arrays.fill(cells, counts, size, laneCells);
    this.lanes = this.#arrays;
  }
}
