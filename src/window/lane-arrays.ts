/** The lanes of a reading, in arrays that are used again for the next one. */
import { LANES, type LaneColumns } from '../model/lane.ts';

export class LaneArrays implements LaneColumns {
  readonly start = new Int32Array(LANES + 2);
  buckets = new Int32Array(64);
  counts = new Float64Array(64);
  readonly requests = new Float64Array(LANES + 1);
  readonly failed = new Float64Array(LANES + 1);

  /** Takes the first `size` of ascending `cells` and their `counts`; a lane has `laneCells` of them. */
  fill(cells: Int32Array, counts: Float64Array, size: number, laneCells: number): void {
    if (this.buckets.length < size) {
      this.buckets = new Int32Array(size * 2);
      this.counts = new Float64Array(size * 2);
    }
    this.requests.fill(0);
    this.failed.fill(0);
    let at = 0;
    let i = 0;
    for (let lane = 0; lane <= LANES; lane++) {
      this.start[lane] = at;
      const from = lane * laneCells;
      let requests = 0;
      let failed = 0;
      for (; i < size && (cells[i] as number) < from + laneCells; i++) {
        const cell = (cells[i] as number) - from;
        const count = counts[i] as number;
        requests += count;
        if ((cell & 1) === 1) failed += count;
        else {
          this.buckets[at] = cell >>> 1;
          this.counts[at++] = count;
        }
      }
      this.requests[lane] = requests;
      this.failed[lane] = failed;
    }
    this.start[LANES + 1] = at;
  }
}
