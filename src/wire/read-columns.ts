/** The columns of slot deltas in the making, which grow with what a record holds and are kept for the next one. */
import { type SlotDeltas, TRACE_BYTES } from '../model/slot-deltas.ts';

type Numbers =
  | Int32Array<ArrayBuffer>
  | Uint32Array<ArrayBuffer>
  | Uint16Array<ArrayBuffer>
  | Float64Array<ArrayBuffer>
  | Uint8Array<ArrayBuffer>;

/** `C`: 32 bits for cells by seat, 16 for those by lane. */
export class ReadColumns<C extends Uint16Array<ArrayBuffer> | Uint32Array<ArrayBuffer>> {
  /** Rows, and entries of `slow` and of `cells`. */
  size = 0;
  slowSize = 0;
  cellSize = 0;
  series = new Int32Array(64);
  slot = new Int32Array(64);
  count = new Uint32Array(64);
  failed = new Uint32Array(64);
  timed = new Uint32Array(64);
  weight = new Float64Array(64);
  failedWeight = new Float64Array(64);
  timedWeight = new Float64Array(64);
  slowestNs = new Float64Array(64);
  slowestTrace = new Uint8Array(64 * TRACE_BYTES);
  failedNs = new Float64Array(64);
  failedTrace = new Uint8Array(64 * TRACE_BYTES);
  slowStart = new Uint32Array(65);
  slow = new Uint32Array(64);
  slowWeight = new Float64Array(64);
  cellStart = new Uint32Array(65);
  cells: C;
  cellCounts = new Uint32Array(256);

  constructor(cells: C) {
    this.cells = cells;
  }

  clear(): void {
    this.size = 0;
    this.slowSize = 0;
    this.cellSize = 0;
  }

  /** Adds a row; its columns are to be written, then `endRow` is to be called. */
  beginRow(): number {
    const row = this.size;
    if (row === this.series.length) this.#growRows();
    this.slowStart[row] = this.slowSize;
    this.cellStart[row] = this.cellSize;
    return row;
  }

  endRow(): void {
    this.size++;
    this.slowStart[this.size] = this.slowSize;
    this.cellStart[this.size] = this.cellSize;
  }

  addSlow(spans: number, weight: number): void {
    const at = this.slowSize++;
    if (at === this.slow.length) {
      this.slow = doubled(this.slow);
      this.slowWeight = doubled(this.slowWeight);
    }
    this.slow[at] = spans;
    this.slowWeight[at] = weight;
  }

  addCell(cell: number, spans: number): void {
    const at = this.cellSize++;
    if (at === this.cellCounts.length) {
      this.cells = doubled(this.cells);
      this.cellCounts = doubled(this.cellCounts);
    }
    this.cells[at] = cell;
    this.cellCounts[at] = spans;
  }

  /** The columns as they are now: valid until the next `clear`. */
  deltas(told: Pick<SlotDeltas, 'origin' | 'announced' | 'arrivals'>): SlotDeltas {
    const { size, series, slot, count, failed, timed, weight, failedWeight, timedWeight } = this;
    const { slowestNs, slowestTrace, failedNs, failedTrace, slowStart, slow, slowWeight, cellStart, cells, cellCounts } = this;
    const numbers = { size, series, slot, count, failed, timed, weight, failedWeight, timedWeight };
    return {
      ...told,
      ...numbers,
      slowestNs,
      slowestTrace,
      failedNs,
      failedTrace,
      slowStart,
      slow,
      slowWeight,
      cellStart,
      cells,
      cellCounts,
    };
  }

  #growRows(): void {
    this.series = doubled(this.series);
    this.slot = doubled(this.slot);
    this.count = doubled(this.count);
    this.failed = doubled(this.failed);
    this.timed = doubled(this.timed);
    this.weight = doubled(this.weight);
    this.failedWeight = doubled(this.failedWeight);
    this.timedWeight = doubled(this.timedWeight);
    this.slowestNs = doubled(this.slowestNs);
    this.slowestTrace = doubled(this.slowestTrace);
    this.failedNs = doubled(this.failedNs);
    this.failedTrace = doubled(this.failedTrace);
    this.slowStart = doubled(this.slowStart);
    this.cellStart = doubled(this.cellStart);
  }
}

function doubled<A extends Numbers>(numbers: A): A {
  const larger = new (numbers.constructor as new (length: number) => A)(numbers.length * 2);
  larger.set(numbers);
  return larger;
}
