/** Brings the rows of a record into the order of our own numbers, and the cells of its pods' seats into lanes. */
import { TRACE_BYTES } from '../model/slot-deltas.ts';
import { ReadColumns } from './read-columns.ts';

/** Counts fit 32 bits. */
const COUNTS = 0x1_0000_0000;

type SeatRows = ReadColumns<Uint32Array<ArrayBuffer>>;
type LaneRows = ReadColumns<Uint16Array<ArrayBuffer>>;

/** Keeps its memory between records. */
export class GatheredRows {
  readonly #out: LaneRows = new ReadColumns(new Uint16Array(256));
  readonly #seatCells: number;
  #order = new Float64Array(64);
  #packed = new Float64Array(256);

  /** `seatCells`: cells of one seat, or lane; Infinity where pods are not told apart. */
  constructor(seatCells: number) {
    this.#seatCells = seatCells;
  }

  /** `ids` and `lanes` (of each seat) are by the place of the series. Rows of one slot whose places have one id are added up. */
  gather(rows: SeatRows, ids: readonly number[], lanes: readonly Uint8Array[]): LaneRows {
    const out = this.#out;
    out.clear();
    if (this.#order.length < rows.size) this.#order = new Float64Array(rows.size * 2);
    for (let from = 0; from < rows.size; ) {
      const slot = rows.slot[from] as number;
      let to = from;
      for (; to < rows.size && rows.slot[to] === slot; to++) this.#order[to] = (ids[rows.series[to] as number] as number) * rows.size + to;
      // Numbers, so without a function they are compared as such.
      this.#order.subarray(from, to).sort();
      for (let i = from; i < to; i++) {
        const row = (this.#order[i] as number) % rows.size;
        const place = rows.series[row] as number;
        const id = ids[place] as number;
        const last = out.size - 1;
        if (i > from && out.series[last] === id) this.#add(rows, row, last);
        else this.#append(rows, row, id);
        this.#addCells(rows, row, lanes[place] as Uint8Array);
      }
      from = to;
    }
    return out;
  }

  #append(rows: SeatRows, row: number, id: number): void {
    const out = this.#out;
    const at = out.beginRow();
    out.series[at] = id;
    out.slot[at] = rows.slot[row] as number;
    out.count[at] = rows.count[row] as number;
    out.failed[at] = rows.failed[row] as number;
    out.timed[at] = rows.timed[row] as number;
    out.weight[at] = rows.weight[row] as number;
    out.failedWeight[at] = rows.failedWeight[row] as number;
    out.timedWeight[at] = rows.timedWeight[row] as number;
    this.#takeSlowest(rows, row, at);
    this.#takeFailed(rows, row, at);
    const slowTo = rows.slowStart[row + 1] as number;
    for (let i = rows.slowStart[row] as number; i < slowTo; i++) out.addSlow(rows.slow[i] as number, rows.slowWeight[i] as number);
    out.endRow();
  }

  /** Adds a row to the last one, `at`. */
  #add(rows: SeatRows, row: number, at: number): void {
    const out = this.#out;
    out.count[at] = (out.count[at] as number) + (rows.count[row] as number);
    out.failed[at] = (out.failed[at] as number) + (rows.failed[row] as number);
    out.timed[at] = (out.timed[at] as number) + (rows.timed[row] as number);
    out.weight[at] = (out.weight[at] as number) + (rows.weight[row] as number);
    out.failedWeight[at] = (out.failedWeight[at] as number) + (rows.failedWeight[row] as number);
    out.timedWeight[at] = (out.timedWeight[at] as number) + (rows.timedWeight[row] as number);
    if ((rows.slowestNs[row] as number) > (out.slowestNs[at] as number)) this.#takeSlowest(rows, row, at);
    if (rows.failedNs[row] !== 0) this.#takeFailed(rows, row, at);
    const to = out.slowStart[at] as number;
    const from = rows.slowStart[row] as number;
    for (let i = 0; i < out.slowSize - to; i++) {
      out.slow[to + i] = (out.slow[to + i] as number) + (rows.slow[from + i] as number);
      out.slowWeight[to + i] = (out.slowWeight[to + i] as number) + (rows.slowWeight[from + i] as number);
    }
  }

  #takeSlowest(rows: SeatRows, row: number, at: number): void {
    const out = this.#out;
    out.slowestNs[at] = rows.slowestNs[row] as number;
    copyTrace(rows.slowestTrace, row, out.slowestTrace, at);
  }

  #takeFailed(rows: SeatRows, row: number, at: number): void {
    const out = this.#out;
    out.failedNs[at] = rows.failedNs[row] as number;
    copyTrace(rows.failedTrace, row, out.failedTrace, at);
  }

  /** Adds the cells of `row` to the last row, whose cells are ascending and stay so. */
  #addCells(rows: SeatRows, row: number, lanes: Uint8Array): void {
    const out = this.#out;
    const seatCells = this.#seatCells;
    const start = out.cellStart[out.size - 1] as number;
    let last = out.cellSize > start ? (out.cells[out.cellSize - 1] as number) : -1;
    let isAscending = true;
    let seatEnd = seatCells;
    let shift = 0;
    const to = rows.cellStart[row + 1] as number;
    for (let i = rows.cellStart[row] as number; i < to; i++) {
      const seated = rows.cells[i] as number;
      if (seated >= seatEnd) {
        const seat = Math.floor(seated / seatCells);
        seatEnd = (seat + 1) * seatCells;
        shift = ((lanes[seat] as number) - seat) * seatCells;
      }
      const cell = seated + shift;
      if (cell <= last) isAscending = false;
      last = cell;
      out.addCell(cell, rows.cellCounts[i] as number);
    }
    if (!isAscending) this.#sortCells(start);
    out.cellStart[out.size] = out.cellSize;
  }

  /** Sorts the cells from `start` on, and adds up the counts of equal ones. */
  #sortCells(start: number): void {
    const out = this.#out;
    const length = out.cellSize - start;
    if (this.#packed.length < length) this.#packed = new Float64Array(length * 2);
    for (let i = 0; i < length; i++) this.#packed[i] = (out.cells[start + i] as number) * COUNTS + (out.cellCounts[start + i] as number);
    const packed = this.#packed.subarray(0, length).sort();
    out.cellSize = start;
    let before = -1;
    for (let i = 0; i < length; i++) {
      const cell = Math.floor((packed[i] as number) / COUNTS);
      const spans = (packed[i] as number) % COUNTS;
      if (cell === before) out.cellCounts[out.cellSize - 1] = (out.cellCounts[out.cellSize - 1] as number) + spans;
      else out.addCell(cell, spans);
      before = cell;
    }
  }
}

function copyTrace(from: Uint8Array, row: number, to: Uint8Array, at: number): void {
  const source = row * TRACE_BYTES;
  const place = at * TRACE_BYTES;
  for (let i = 0; i < TRACE_BYTES; i++) to[place + i] = from[source + i] as number;
}
