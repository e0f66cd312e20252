/** Brings the rows and cells of a flush into the order that slot deltas promise. */
import type { SlotDeltas } from '../model/slot-deltas.ts';
import { type CellArray, type CellSorter, cellArray } from './cell-sorter.ts';
import { RadixOrder } from './radix-order.ts';
import { COUNT, FAILED, FAILED_WEIGHT, ROW_STRIDE, type RowLog, TIMED, TIMED_WEIGHT, WEIGHT } from './row-log.ts';
import { RowTraces } from './row-traces.ts';

export type DeltaColumns = Omit<SlotDeltas, 'origin' | 'announced' | 'arrivals' | 'size'>;

/** Output arrays are kept and reused. */
export class DeltaSorter {
  readonly #radix = new RadixOrder();
  readonly #cellSorter: CellSorter;
  #order = new Uint32Array(0);
  #keys = new Int32Array(0);
  /** Where each row's cells go in `#byRow`. */
  #places = new Uint32Array(0);
  #byRow: CellArray;
  #traces = new RowTraces(256);
  #out: ReturnType<typeof columnsFor>;

  /** Others may sort cells with the same `cellSorter`. */
  constructor(cellSorter: CellSorter) {
    this.#cellSorter = cellSorter;
    this.#byRow = cellArray(cellSorter.cells, 0);
    this.#out = columnsFor(256, 256, cellArray(cellSorter.cells, 1024), this.#traces);
  }

  sort(rows: RowLog): DeltaColumns {
    this.#makeRoom(rows);
    this.#sortRows(rows);
    this.#groupCells(rows);
    const out = this.#out;
    let slowAt = 0;
    let cellAt = 0;
    let from = 0;
    for (let r = 0; r < rows.size; r++) {
      const row = this.#order[r] as number;
      const counters = row * ROW_STRIDE;
      const timed = rows.counters[counters + TIMED] as number;
      out.series[r] = rows.seriesOf(row);
      out.slot[r] = rows.slotOf(row);
      out.count[r] = rows.counters[counters + COUNT] as number;
      out.failed[r] = rows.counters[counters + FAILED] as number;
      out.timed[r] = timed;
      out.weight[r] = rows.counters[counters + WEIGHT] as number;
      out.failedWeight[r] = rows.counters[counters + FAILED_WEIGHT] as number;
      out.timedWeight[r] = rows.counters[counters + TIMED_WEIGHT] as number;
      this.#traces.copy(rows.traces, row, r);
      out.slowStart[r] = slowAt;
      const slowEnd = row + 1 < rows.size ? (rows.slowStart[row + 1] as number) : rows.slowSize;
      for (let i = rows.slowStart[row] as number; i < slowEnd; i++) {
        out.slow[slowAt] = rows.slow[i] as number;
        out.slowWeight[slowAt++] = rows.slowWeight[i] as number;
      }
      out.cellStart[r] = cellAt;
      const to = from + timed;
      cellAt = this.#cellSorter.write(this.#byRow, from, to, out.cells, out.cellCounts, cellAt);
      from = to;
    }
    out.slowStart[rows.size] = slowAt;
    out.cellStart[rows.size] = cellAt;
    return out;
  }

  /** Order by slot, then series. */
  #sortRows(rows: RowLog): void {
    const { size } = rows;
    let minSlot = Number.POSITIVE_INFINITY;
    let maxSlot = Number.NEGATIVE_INFINITY;
    let maxSeries = 0;
    for (let row = 0; row < size; row++) {
      const series = rows.seriesOf(row);
      const slot = rows.slotOf(row);
      this.#order[row] = row;
      this.#keys[row] = series;
      if (series > maxSeries) maxSeries = series;
      if (slot < minSlot) minSlot = slot;
      if (slot > maxSlot) maxSlot = slot;
    }
    this.#radix.sort(this.#order, size, this.#keys, maxSeries);
    if (maxSlot === minSlot) return;
    for (let row = 0; row < size; row++) this.#keys[row] = rows.slotOf(row) - minSlot;
    this.#radix.sort(this.#order, size, this.#keys, maxSlot - minSlot);
  }

  /** Counting sort of the log by row, rows in output order. */
  #groupCells(rows: RowLog): void {
    let place = 0;
    for (let r = 0; r < rows.size; r++) {
      const row = this.#order[r] as number;
      this.#places[row] = place;
      place += rows.counters[row * ROW_STRIDE + TIMED] as number;
    }
    const { logRow, logCell } = rows;
    for (let i = 0; i < rows.logSize; i++) {
      const row = logRow[i] as number;
      const at = this.#places[row] as number;
      this.#byRow[at] = logCell[i] as number;
      this.#places[row] = at + 1;
    }
  }

  #makeRoom(rows: RowLog): void {
    const { capacity } = rows;
    if (this.#order.length < capacity) {
      this.#order = new Uint32Array(capacity);
      this.#keys = new Int32Array(capacity);
      this.#places = new Uint32Array(capacity);
    }
    if (this.#byRow.length < rows.logSize) this.#byRow = cellArray(this.#cellSorter.cells, rows.logRow.length);
    const out = this.#out;
    if (out.series.length < capacity || out.slow.length < rows.slowSize || out.cells.length < rows.logSize) {
      this.#traces = new RowTraces(capacity);
      const cells = cellArray(this.#cellSorter.cells, Math.max(out.cells.length, rows.logRow.length));
      this.#out = columnsFor(capacity, rows.slow.length, cells, this.#traces);
    }
  }
}

function columnsFor(rows: number, slows: number, cells: CellArray, traces: RowTraces) {
  return {
    series: new Int32Array(rows),
    slot: new Int32Array(rows),
    count: new Uint32Array(rows),
    failed: new Uint32Array(rows),
    timed: new Uint32Array(rows),
    weight: new Float64Array(rows),
    failedWeight: new Float64Array(rows),
    timedWeight: new Float64Array(rows),
    slowestNs: traces.slowestNs,
    slowestTrace: traces.slowestTrace,
    failedNs: traces.failedNs,
    failedTrace: traces.failedTrace,
    slowStart: new Uint32Array(rows + 1),
    slow: new Uint32Array(slows),
    slowWeight: new Float64Array(slows),
    cellStart: new Uint32Array(rows + 1),
    cells,
    cellCounts: new Uint32Array(cells.length),
  };
}
