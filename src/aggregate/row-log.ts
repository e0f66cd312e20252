/** The counts of one flush in the making: a row per (series, slot) and an append-only log of histogram cells. */
import { type CellArray, cellArray } from './cell-sorter.ts';
import { RowTraces } from './row-traces.ts';

const EMPTY = -1;

/** Numbers per row in `counters`; a row is one cache line. */
export const ROW_STRIDE = 8;
export const COUNT = 0;
export const FAILED = 1;
export const TIMED = 2;
export const WEIGHT = 3;
export const FAILED_WEIGHT = 4;
export const TIMED_WEIGHT = 5;
const SERIES = 6;
const SLOT = 7;

/** All arrays grow by doubling and are kept for the next flush. */
export class RowLog {
  /** Rows. */
  size = 0;
  /** ROW_STRIDE numbers per row: the offsets above. */
  counters = new Float64Array(256 * ROW_STRIDE);
  slowStart = new Uint32Array(256);
  slowSize = 0;
  slow = new Uint32Array(256);
  slowWeight = new Float64Array(256);
  readonly traces = new RowTraces(256);
  /** Log of timed spans: row and cell. */
  logSize = 0;
  logRow: Uint32Array;
  logCell: CellArray;
  /** Distinct cells. */
  readonly #cells: number;
  #places = new Int32Array(1024).fill(EMPTY);

  constructor(capacity: number, cells: number) {
    this.#cells = cells;
    this.logRow = new Uint32Array(capacity);
    this.logCell = cellArray(cells, capacity);
  }

  /** Rows that fit before arrays grow. */
  get capacity(): number {
    return this.slowStart.length;
  }

  /** Row of (series, slot), created with room for so many `slowCounters`. */
  row(series: number, slot: number, slowCounters: number): number {
    const places = this.#places;
    const counters = this.counters;
    const mask = places.length - 1;
    let at = placeHash(series, slot) & mask;
    for (;;) {
      const row = places[at] as number;
      if (row === EMPTY) return this.#add(at, series, slot, slowCounters);
      if (counters[row * ROW_STRIDE + SERIES] === series && counters[row * ROW_STRIDE + SLOT] === slot) return row;
      at = (at + 1) & mask;
    }
  }

  seriesOf(row: number): number {
    return this.counters[row * ROW_STRIDE + SERIES] as number;
  }

  slotOf(row: number): number {
    return this.counters[row * ROW_STRIDE + SLOT] as number;
  }

  /** One more span of `row` in its slow counter number `counter`. */
  addSlow(row: number, counter: number, weight: number): void {
    const at = (this.slowStart[row] as number) + counter;
    this.slow[at] = (this.slow[at] as number) + 1;
    this.slowWeight[at] = (this.slowWeight[at] as number) + weight;
  }

  /** The same for a span whose weight is `weights[span]`: as an argument a double costs an allocation. */
  addEvent(row: number, counter: number, weights: Float64Array, span: number): void {
    const at = (this.slowStart[row] as number) + counter;
    this.slow[at] = (this.slow[at] as number) + 1;
    this.slowWeight[at] = (this.slowWeight[at] as number) + (weights[span] as number);
  }

  /** Makes room for `spans` more in the log. */
  reserve(spans: number): void {
    const needed = this.logSize + spans;
    if (needed <= this.logRow.length) return;
    const capacity = Math.max(this.logRow.length * 2, needed);
    this.logRow = grown(new Uint32Array(capacity), this.logRow);
    this.logCell = grown(cellArray(this.#cells, capacity), this.logCell);
  }

  clear(): void {
    this.counters.fill(0, 0, this.size * ROW_STRIDE);
    this.slow.fill(0, 0, this.slowSize);
    this.slowWeight.fill(0, 0, this.slowSize);
    this.traces.clear(this.size);
    this.#places.fill(EMPTY);
    this.size = 0;
    this.slowSize = 0;
    this.logSize = 0;
  }

  #add(place: number, series: number, slot: number, slowCounters: number): number {
    if (this.size === this.slowStart.length) {
      this.counters = grown(new Float64Array(this.counters.length * 2), this.counters);
      this.slowStart = grown(new Uint32Array(this.slowStart.length * 2), this.slowStart);
      this.traces.grow(this.slowStart.length);
    }
    const row = this.size++;
    this.counters[row * ROW_STRIDE + SERIES] = series;
    this.counters[row * ROW_STRIDE + SLOT] = slot;
    this.slowStart[row] = this.slowSize;
    if (this.slowSize + slowCounters > this.slow.length) {
      this.slow = grown(new Uint32Array(this.slow.length * 2), this.slow);
      this.slowWeight = grown(new Float64Array(this.slowWeight.length * 2), this.slowWeight);
    }
    this.slowSize += slowCounters;
    this.#places[place] = row;
    if (this.size * 2 > this.#places.length) this.#rehash(this.#places.length * 2);
    return row;
  }

  #rehash(size: number): void {
    const places = new Int32Array(size).fill(EMPTY);
    const mask = size - 1;
    for (let row = 0; row < this.size; row++) {
      let at = placeHash(this.seriesOf(row), this.slotOf(row)) & mask;
      while (places[at] !== EMPTY) at = (at + 1) & mask;
      places[at] = row;
    }
    this.#places = places;
  }
}

function placeHash(series: number, slot: number): number {
  const hash = Math.imul(series, 0x9e3779b1) ^ Math.imul(slot, 0x85ebca6b);
  return hash ^ (hash >>> 15);
}

function grown<A extends Uint16Array | Uint32Array | Float64Array>(next: A, previous: A): A {
  next.set(previous);
  return next;
}
