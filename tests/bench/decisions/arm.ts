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
  readonly buckets = new Int32Array(LAYOUT.size);
  readonly counts = new Float64Array(LAYOUT.size);
  /** The same with lanes and failures, as slot deltas have it: the first `cellSize` count. */
  cellSize = 0;
  readonly cells: Uint16Array;
  readonly cellCounts: Uint32Array;
  readonly #lanes: number;
  /** By cell; and the same memory by bucket and by two buckets, so that a look tells whether anything is there at all. */
  readonly #dense: Uint16Array;
  readonly #pairs: Uint32Array;
  readonly #fours: Float64Array;
  readonly #sum = new Uint32Array(LAYOUT.size);
  #low = LAYOUT.size;
  #high = -1;

  /** With `isNamed` pods have lanes, else all are in lane 0. */
  constructor(isNamed: boolean) {
    this.#lanes = isNamed ? LANES + 1 : 1;
    this.#dense = new Uint16Array(LANE_CELLS * this.#lanes);
    this.#pairs = new Uint32Array(this.#dense.buffer);
    this.#fours = new Float64Array(this.#dense.buffer);
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
    this.cellSize = 0;
    for (let lane = 0; lane < this.#lanes; lane++) this.#drainLane(lane);
    if (this.#lanes === 1) this.#bucketsOfCells();
    else this.#bucketsOfLanes();
    this.#low = LAYOUT.size;
    this.#high = -1;
  }

  #drainLane(lane: number): void {
    const { cells, cellCounts } = this;
    const dense = this.#dense;
    const pairs = this.#pairs;
    const fours = this.#fours;
    // Two buckets at a time: nearly all are empty.
    const offset = (lane * LAYOUT.size) >> 1;
    const to = offset + (this.#high >> 1);
    let at = this.cellSize;
    for (let four = offset + (this.#low >> 1); four <= to; four++) {
      if (fours[four] === 0) continue;
      for (let pair = 2 * four; pair < 2 * four + 2; pair++) {
        if (pairs[pair] === 0) continue;
        pairs[pair] = this.#drainPair(dense, 2 * pair, cells, cellCounts, at);
        at = this.cellSize;
      }
    }
  }

  #drainPair(dense: Uint16Array, cell: number, cells: Uint16Array, cellCounts: Uint32Array, from: number): 0 {
    const count = dense[cell] as number;
    const failed = dense[cell + 1] as number;
    let at = from;
    if (count > 0) {
      cells[at] = cell;
      cellCounts[at++] = count;
    }
    if (failed > 0) {
      cells[at] = cell + 1;
      cellCounts[at++] = failed;
    }
    this.cellSize = at;
    return 0;
  }

  #bucketsOfCells(): void {
    let size = 0;
    for (let i = 0; i < this.cellSize; i++) {
      const cell = this.cells[i] as number;
      if ((cell & 1) === 1) continue;
      this.buckets[size] = cell >>> 1;
      this.counts[size++] = this.cellCounts[i] as number;
    }
    this.size = size;
  }

  #bucketsOfLanes(): void {
    const sum = this.#sum;
    for (let i = 0; i < this.cellSize; i++) {
      const cell = this.cells[i] as number;
      if ((cell & 1) === 1) continue;
      const bucket = (cell >>> 1) % LAYOUT.size;
      sum[bucket] = (sum[bucket] as number) + (this.cellCounts[i] as number);
    }
    let size = 0;
    for (let bucket = this.#low; bucket <= this.#high; bucket++) {
      const count = sum[bucket] as number;
      if (count === 0) continue;
      sum[bucket] = 0;
      this.buckets[size] = bucket;
      this.counts[size++] = count;
    }
    this.size = size;
  }
}
