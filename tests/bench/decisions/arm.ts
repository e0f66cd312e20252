/** One release's requests of one second: gathered densely, read sparsely. */
import { LANES } from '../../../src/model/lane.ts';
import { LAYOUT, type Latencies } from './latencies.ts';
import type { Random } from './random.ts';

const LANE_CELLS = LAYOUT.size * 2;

/** Columns of what was drained; reused from second to second. */
export class Arm {
  requests = 0;
  failed = 0;
  /** Distinct buckets of requests that did not fail, whatever their lane, and their counts: the first `size` count. */
  size = 0;
  buckets = new Int32Array(LAYOUT.size);
  counts = new Float64Array(LAYOUT.size);
  /** The same with lanes and failures, as slot deltas have it: the first `cellSize` count. */
  cellSize = 0;
  readonly cells: Uint16Array;
  readonly cellCounts: Uint32Array;
  readonly #lanes: number;
  /** By cell; and the same memory by bucket, so that a look tells whether anything is there at all. */
  readonly #dense: Uint16Array;
  readonly #pairs: Uint32Array;
  readonly #sum = new Uint32Array(LAYOUT.size);
  #low = LAYOUT.size;
  #high = -1;

  /** With `isNamed` pods have lanes, else all are in lane 0. */
  constructor(isNamed: boolean) {
    this.#lanes = isNamed ? LANES + 1 : 1;
    this.#dense = new Uint16Array(LANE_CELLS * this.#lanes);
    this.#pairs = new Uint32Array(this.#dense.buffer);
    this.cells = new Uint16Array(this.#dense.length);
    this.cellCounts = new Uint32Array(this.#dense.length);
  }

  clear(): void {
    this.requests = 0;
    this.failed = 0;
  }

  /** Adds requests of one pod that did or did not fail. */
  add(random: Random, latencies: Latencies, lane: number, count: number, shift: number, isFailed: boolean): void {
    if (count === 0) return;
    this.requests += count;
    if (isFailed) this.failed += count;
    this.#low = Math.min(this.#low, latencies.lowestBucket(shift));
    this.#high = Math.max(this.#high, latencies.highestBucket(shift));
    latencies.add(random, count, shift, this.#dense, lane * LANE_CELLS + (isFailed ? 1 : 0));
  }

  /** Adds one request that did not fail and took `us`. */
  addOne(lane: number, us: number): void {
    const bucket = LAYOUT.index(us);
    const cell = lane * LANE_CELLS + bucket * 2;
    this.requests++;
    this.#low = Math.min(this.#low, bucket);
    this.#high = Math.max(this.#high, bucket);
    this.#dense[cell] = (this.#dense[cell] as number) + 1;
  }

  /** Turns what was added into the columns and forgets it. */
  drain(): void {
    const { cells, cellCounts } = this;
    const dense = this.#dense;
    const pairs = this.#pairs;
    const sum = this.#sum;
    const from = this.#low;
    const to = this.#high;
    let at = 0;
    for (let lane = 0; lane < this.#lanes; lane++) {
      const offset = lane * LAYOUT.size;
      for (let bucket = from; bucket <= to; bucket++) {
        if (pairs[offset + bucket] === 0) continue;
        const cell = 2 * (offset + bucket);
        const count = dense[cell] as number;
        const failed = dense[cell + 1] as number;
        pairs[offset + bucket] = 0;
        if (count > 0) {
          cells[at] = cell;
          cellCounts[at++] = count;
          sum[bucket] = (sum[bucket] as number) + count;
        }
        if (failed > 0) {
          cells[at] = cell + 1;
          cellCounts[at++] = failed;
        }
      }
    }
    this.cellSize = at;
    let size = 0;
    for (let bucket = from; bucket <= to; bucket++) {
      const count = sum[bucket] as number;
      if (count === 0) continue;
      sum[bucket] = 0;
      this.buckets[size] = bucket;
      this.counts[size++] = count;
    }
    this.size = size;
    this.#low = LAYOUT.size;
    this.#high = -1;
  }
}
