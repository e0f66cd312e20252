/** A cursor over the rows of a slot block. */
import { MAX_SLOW_ENTRIES } from '../model/slot-deltas.ts';
import { ByteReader } from './byte-reader.ts';
import type { CellSum } from './cell-sum.ts';

/** In a row's head: the number of its slow counters is this or more, and comes next. */
export const SLOW_COUNT_FOLLOWS = 15;

/** Reused for many rows; the fields tell the row it stands on, after `next` or `SlotBlock.find` said true. */
export class RowView {
  series = -1;
  count = 0;
  failed = 0;
  timed = 0;
  weight = 0;
  failedWeight = 0;
  timedWeight = 0;
  isWeighted = false;
  /** Spans, and their weights, as in `SlotDeltas.slow`. */
  slowCount = 0;
  readonly slow = new Float64Array(MAX_SLOW_ENTRIES);
  readonly slowWeight = new Float64Array(MAX_SLOW_ENTRIES);
  bodyStart = 0;
  bodyEnd = 0;
  readonly #reader = new ByteReader(new Uint8Array(0));
  #cellsAt = 0;
  #isOpen = false;

  start(bytes: Uint8Array, at: number, seriesBefore: number): void {
    this.#reader.bytes = bytes;
    this.#reader.end = bytes.length;
    this.series = seriesBefore;
    this.bodyEnd = at;
  }

  get bytes(): Uint8Array {
    return this.#reader.bytes;
  }

  /** Steps to the next row without reading its body; false at the end. */
  next(): boolean {
    const reader = this.#reader;
    reader.at = this.bodyEnd;
    this.#isOpen = false;
    if (reader.at >= reader.end) return false;
    this.series += reader.varint();
    const length = reader.varint();
    this.bodyStart = reader.at;
    this.bodyEnd = reader.at + length;
    return true;
  }

  /** Reads the counters of the row. */
  open(): void {
    if (this.#isOpen) return;
    const reader = this.#reader;
    reader.at = this.bodyStart;
    const head = reader.varint();
    this.isWeighted = head % 2 === 1;
    const counts = Math.floor(head / 2);
    const slowCount = counts % 16;
    this.slowCount = slowCount < SLOW_COUNT_FOLLOWS ? slowCount : reader.varint();
    if (this.slowCount > MAX_SLOW_ENTRIES) reader.fail('has more counters than a row can have');
    this.count = Math.floor(counts / 16);
    this.failed = reader.varint();
    this.timed = this.count - reader.varint();
    this.weight = this.isWeighted ? reader.double() : this.count;
    this.failedWeight = this.isWeighted ? reader.double() : this.failed;
    this.timedWeight = this.isWeighted ? reader.double() : this.timed;
    for (let i = 0; i < this.slowCount; i++) {
      this.slow[i] = reader.varint();
      this.slowWeight[i] = this.isWeighted ? reader.double() : (this.slow[i] as number);
    }
    this.#cellsAt = reader.at;
    this.#isOpen = true;
  }

  /** Adds the row's cells to `sum`; without their lanes when it has cells for one lane only. */
  addCells(sum: CellSum): void {
    this.open();
    const bytes = this.bytes;
    let at = this.#cellsAt;
    let cell = 0;
    while (at < this.bodyEnd) {
      let step = bytes[at++] as number;
      if (step > 0x7f) {
        step = (step & 0x7f) + ((bytes[at] as number) & 0x7f) * 128;
        if ((bytes[at++] as number) > 0x7f) step += (bytes[at++] as number) * 16384;
      }
      cell += step >>> 1;
      // Lanes follow each other, so from here on the row counts as if it had begun with this one.
      if (cell >= sum.cells) cell %= sum.cells;
      if ((step & 1) === 0) sum.add(cell, 1);
      else {
        this.#reader.at = at;
        sum.add(cell, this.#reader.varint() + 2);
        at = this.#reader.at;
      }
    }
  }

  /** Throws PermanentError unless `bytes[start .. end)` is the body of a row whose numbers agree with each other. */
  check(bytes: Uint8Array, start: number, end: number, cells: number): void {
    this.start(bytes, start, -1);
    this.#reader.end = end;
    this.bodyStart = start;
    this.bodyEnd = end;
    this.#isOpen = false;
    this.open();
    const reader = this.#reader;
    if (this.count === 0 || this.failed > this.count || this.timed < 0) reader.fail('has counts that disagree');
    for (const weight of [this.weight, this.failedWeight, this.timedWeight, ...this.slowWeight.subarray(0, this.slowCount)]) {
      if (!(weight >= 0 && weight < Number.POSITIVE_INFINITY)) reader.fail('has a weight that is no weight');
    }
    let cell = 0;
    let total = 0;
    for (let isFirst = true; reader.at < end; isFirst = false) {
      const step = reader.varint();
      cell += Math.floor(step / 2);
      if (cell >= cells || (step < 2 && !isFirst)) reader.fail('has cells out of order');
      total += step % 2 === 0 ? 1 : reader.varint() + 2;
    }
    if (total !== this.timed) reader.fail('has cells that do not add up');
  }
}
