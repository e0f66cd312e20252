/** Adds slot blocks up, all at once or in steps that fit between other work. */
import { MAX_SLOW_ENTRIES } from '../model/slot-deltas.ts';
import { BlockBuilder, writeCell, writeHead } from './block-builder.ts';
import { ByteWriter } from './byte-writer.ts';
import { CellSum } from './cell-sum.ts';
import { RowView } from './row-view.ts';
import type { SlotBlock } from './slot-block.ts';

/** Memory that merges share: it is empty between rows. Merges with cells for one lane only drop the lanes of what they merge. */
export class MergeScratch {
  readonly body = new ByteWriter(4096);
  readonly sum: CellSum;
  readonly cells: Int32Array;
  readonly counts: Float64Array;
  readonly slow = new Float64Array(MAX_SLOW_ENTRIES);
  readonly slowWeight = new Float64Array(MAX_SLOW_ENTRIES);

  constructor(cells: number) {
    this.sum = new CellSum(cells);
    this.cells = new Int32Array(cells);
    this.counts = new Float64Array(cells);
  }
}

export class BlockMerge {
  readonly #scratch: MergeScratch;
  readonly #views: RowView[] = [];
  readonly #rows: BlockBuilder;
  readonly #dropsLanes: boolean;

  /** `blocks` may not change until the merge is done; they never do. */
  constructor(blocks: readonly SlotBlock[], scratch: MergeScratch) {
    this.#scratch = scratch;
    let largest = 0;
    for (const block of blocks) {
      const view = new RowView();
      block.rewind(view);
      if (view.next()) this.#views.push(view);
      largest = Math.max(largest, block.bytes.length);
    }
    this.#rows = new BlockBuilder(largest * 2);
    this.#dropsLanes = blocks.some((block) => block.cells > scratch.sum.cells);
  }

  /** Goes on for about `budget` bytes of input; returns the sum when it is complete. */
  step(budget: number): SlotBlock | null {
    const views = this.#views;
    for (let spent = 0; spent < budget; ) {
      if (views.length === 0) return this.#rows.take(this.#scratch.sum.cells);
      let series = Number.POSITIVE_INFINITY;
      let owner = views[0] as RowView;
      let owners = 0;
      for (const view of views) {
        if (view.series > series) continue;
        owners = view.series < series ? 1 : owners + 1;
        series = view.series;
        owner = view;
      }
      // A series that is in one block only is copied as it is.
      if (owners === 1 && !this.#dropsLanes) this.#rows.add(series, owner.bytes, owner.bodyStart, owner.bodyEnd);
      else this.#addSum(series);
      for (let i = views.length - 1; i >= 0; i--) {
        const view = views[i] as RowView;
        if (view.series !== series) continue;
        spent += view.bodyEnd - view.bodyStart + 4;
        if (!view.next()) views.splice(i, 1);
      }
    }
    return null;
  }

  #addSum(series: number): void {
    const { body, sum, cells, counts, slow, slowWeight } = this.#scratch;
    let count = 0;
    let failed = 0;
    let timed = 0;
    let weight = 0;
    let failedWeight = 0;
    let timedWeight = 0;
    let slowCount = 0;
    slow.fill(0);
    slowWeight.fill(0);
    for (const view of this.#views) {
      if (view.series !== series) continue;
      view.addCells(sum);
      count += view.count;
      failed += view.failed;
      timed += view.timed;
      weight += view.weight;
      failedWeight += view.failedWeight;
      timedWeight += view.timedWeight;
      slowCount = Math.max(slowCount, view.slowCount);
      for (let i = 0; i < view.slowCount; i++) {
        slow[i] = (slow[i] as number) + (view.slow[i] as number);
        slowWeight[i] = (slowWeight[i] as number) + (view.slowWeight[i] as number);
      }
    }
    const isWeighted = weight !== count;
    body.at = 0;
    writeHead(body, count, slowCount, isWeighted);
    body.varint(failed);
    body.varint(count - timed);
    if (isWeighted) {
      body.double(weight);
      body.double(failedWeight);
      body.double(timedWeight);
    }
    for (let i = 0; i < slowCount; i++) {
      body.varint(slow[i] as number);
      if (isWeighted) body.double(slowWeight[i] as number);
    }
    const distinct = sum.drain(cells, counts);
    let previous = 0;
    for (let i = 0; i < distinct; i++) {
      const cell = cells[i] as number;
      writeCell(body, cell - previous, counts[i] as number);
      previous = cell;
    }
    this.#rows.add(series, body.bytes, 0, body.at);
  }
}
