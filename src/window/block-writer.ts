/** Builds slot blocks: from the rows of a flush, or by merging blocks. */
import type { SlotDeltas } from '../model/slot-deltas.ts';
import { ByteWriter } from './byte-writer.ts';
import { CellSum } from './cell-sum.ts';
import { RowView } from './row-view.ts';
import { BLOCK_VERSION, SlotBlock } from './slot-block.ts';

/** Keeps its scratch memory between blocks. */
export class BlockWriter {
  readonly #cells: number;
  readonly #rows = new ByteWriter(16_384);
  readonly #body = new ByteWriter(4096);
  readonly #head = new ByteWriter(32);
  readonly #sum: CellSum;
  readonly #sumCells: Int32Array;
  readonly #sumCounts: Float64Array;
  readonly #slow = new Float64Array(16);
  readonly #slowWeight = new Float64Array(16);
  #size = 0;
  #lastSeries = -1;

  /** `cells` is the number of cells of the histogram layout. */
  constructor(cells: number) {
    this.#cells = cells;
    this.#sum = new CellSum(cells);
    this.#sumCells = new Int32Array(cells);
    this.#sumCounts = new Float64Array(cells);
  }

  /** Block of rows [from, to) of a flush, all of one slot. */
  fromDeltas(deltas: SlotDeltas, from: number, to: number): SlotBlock {
    const body = this.#body;
    for (let row = from; row < to; row++) {
      const count = deltas.count[row] as number;
      const failed = deltas.failed[row] as number;
      const timed = deltas.timed[row] as number;
      const weight = deltas.weight[row] as number;
      const slowStart = deltas.slowStart[row] as number;
      const slowCount = (deltas.slowStart[row + 1] as number) - slowStart;
      // Weights are at least 1, so their sum equals the count only when each is 1.
      const isWeighted = weight !== count;
      body.at = 0;
      body.varint((count * 16 + slowCount) * 2 + (isWeighted ? 1 : 0));
      body.varint(failed);
      body.varint(count - timed);
      if (isWeighted) {
        body.double(weight);
        body.double(deltas.failedWeight[row] as number);
        body.double(deltas.timedWeight[row] as number);
      }
      for (let i = slowStart; i < slowStart + slowCount; i++) {
        body.varint(deltas.slow[i] as number);
        if (isWeighted) body.double(deltas.slowWeight[i] as number);
      }
      let previous = 0;
      for (let i = deltas.cellStart[row] as number; i < (deltas.cellStart[row + 1] as number); i++) {
        const cell = deltas.cells[i] as number;
        writeCell(body, cell - previous, deltas.cellCounts[i] as number);
        previous = cell;
      }
      this.#add(deltas.series[row] as number, body.bytes, 0, body.at);
    }
    return this.#take();
  }

  /** Sum of blocks. A series that is in one of them only is copied as it is. */
  merge(blocks: readonly SlotBlock[]): SlotBlock {
    if (blocks.length === 1) return blocks[0] as SlotBlock;
    const views: RowView[] = [];
    for (const block of blocks) {
      const view = new RowView();
      block.rewind(view);
      if (view.next()) views.push(view);
    }
    while (views.length > 0) {
      let series = Number.POSITIVE_INFINITY;
      let owner: RowView | undefined;
      let owners = 0;
      for (const view of views) {
        if (view.series > series) continue;
        owners = view.series < series ? 1 : owners + 1;
        series = view.series;
        owner = view;
      }
      if (owners === 1 && owner !== undefined) this.#add(series, owner.bytes, owner.bodyStart, owner.bodyEnd);
      else this.#addSum(series, views);
      for (let i = views.length - 1; i >= 0; i--) {
        const view = views[i] as RowView;
        if (view.series === series && !view.next()) views.splice(i, 1);
      }
    }
    return this.#take();
  }

  #addSum(series: number, views: readonly RowView[]): void {
    let count = 0;
    let failed = 0;
    let timed = 0;
    let weight = 0;
    let failedWeight = 0;
    let timedWeight = 0;
    let slowCount = 0;
    this.#slow.fill(0);
    this.#slowWeight.fill(0);
    for (const view of views) {
      if (view.series !== series) continue;
      view.addCells(this.#sum);
      count += view.count;
      failed += view.failed;
      timed += view.timed;
      weight += view.weight;
      failedWeight += view.failedWeight;
      timedWeight += view.timedWeight;
      slowCount = Math.max(slowCount, view.slowCount);
      for (let i = 0; i < view.slowCount; i++) {
        this.#slow[i] = (this.#slow[i] as number) + (view.slow[i] as number);
        this.#slowWeight[i] = (this.#slowWeight[i] as number) + (view.slowWeight[i] as number);
      }
    }
    const isWeighted = weight !== count;
    const body = this.#body;
    body.at = 0;
    body.varint((count * 16 + slowCount) * 2 + (isWeighted ? 1 : 0));
    body.varint(failed);
    body.varint(count - timed);
    if (isWeighted) {
      body.double(weight);
      body.double(failedWeight);
      body.double(timedWeight);
    }
    for (let i = 0; i < slowCount; i++) {
      body.varint(this.#slow[i] as number);
      if (isWeighted) body.double(this.#slowWeight[i] as number);
    }
    const cells = this.#sum.drain(this.#sumCells, this.#sumCounts);
    let previous = 0;
    for (let i = 0; i < cells; i++) {
      const cell = this.#sumCells[i] as number;
      writeCell(body, cell - previous, this.#sumCounts[i] as number);
      previous = cell;
    }
    this.#add(series, body.bytes, 0, body.at);
  }

  #add(series: number, body: Uint8Array, start: number, end: number): void {
    this.#rows.varint(series - this.#lastSeries);
    this.#rows.varint(end - start);
    this.#rows.copy(body, start, end);
    this.#lastSeries = series;
    this.#size++;
  }

  #take(): SlotBlock {
    const head = this.#head;
    head.at = 0;
    head.varint(BLOCK_VERSION);
    head.varint(this.#cells);
    head.varint(this.#size);
    const bytes = new Uint8Array(head.at + this.#rows.at);
    bytes.set(head.bytes.subarray(0, head.at));
    bytes.set(this.#rows.bytes.subarray(0, this.#rows.at), head.at);
    this.#rows.at = 0;
    this.#size = 0;
    this.#lastSeries = -1;
    return new SlotBlock(bytes);
  }
}

function writeCell(body: ByteWriter, step: number, count: number): void {
  if (count === 1) body.varint(step * 2);
  else {
    body.varint(step * 2 + 1);
    body.varint(count - 2);
  }
}
