/** Makes slot blocks of the rows of a flush. */
import type { HistogramLayout } from '../model/histogram-layout.ts';
import { cellLanes, type SlotDeltas } from '../model/slot-deltas.ts';
import { BlockBuilder, writeCell, writeHead } from './block-builder.ts';
import { BlockMerge, MergeScratch } from './block-merge.ts';
import { ByteWriter } from './byte-writer.ts';
import type { SlotBlock } from './slot-block.ts';

/** Keeps its scratch memory between blocks. */
export class BlockWriter {
  readonly #rows: BlockBuilder;
  readonly #body = new ByteWriter(4096);
  /** For sums without lanes, and with them. */
  readonly #plain: MergeScratch;
  readonly #laned: MergeScratch;

  constructor(layout: HistogramLayout) {
    this.#rows = new BlockBuilder();
    this.#plain = new MergeScratch(layout.size * 2);
    const lanes = cellLanes(layout.size);
    this.#laned = lanes === 1 ? this.#plain : new MergeScratch(layout.size * 2 * lanes);
  }

  /** Block of rows [from, to) of a flush, all of one slot. */
  fromDeltas(deltas: SlotDeltas, from: number, to: number): SlotBlock {
    const body = this.#body;
    const laneCells = this.#plain.sum.cells;
    let hasLanes = false;
    for (let row = from; row < to; row++) {
      const count = deltas.count[row] as number;
      const slowStart = deltas.slowStart[row] as number;
      const slowCount = (deltas.slowStart[row + 1] as number) - slowStart;
      const weight = deltas.weight[row] as number;
      // Weights are at least 1, so their sum equals the count only when each is 1.
      const isWeighted = weight !== count;
      body.at = 0;
      writeHead(body, count, slowCount, isWeighted);
      body.varint(deltas.failed[row] as number);
      body.varint(count - (deltas.timed[row] as number));
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
      if (previous >= laneCells) hasLanes = true;
      this.#rows.add(deltas.series[row] as number, body.bytes, 0, body.at);
    }
    return this.#rows.take(hasLanes ? this.#laned.sum.cells : laneCells);
  }

  /** Sum of blocks, of which there is at least one; lanes stay apart. */
  merge(blocks: readonly SlotBlock[]): SlotBlock {
    if (blocks.length === 1) return blocks[0] as SlotBlock;
    const scratch = blocks.some(({ cells }) => cells > this.#plain.sum.cells) ? this.#laned : this.#plain;
    return new BlockMerge(blocks, scratch).step(Number.POSITIVE_INFINITY) as SlotBlock;
  }

  /** Sum of blocks over all lanes. */
  mergeLanes(blocks: readonly SlotBlock[]): SlotBlock {
    const only = blocks.length === 1 ? (blocks[0] as SlotBlock) : null;
    return only !== null && only.cells <= this.#plain.sum.cells
      ? only
      : (this.startMerge(blocks).step(Number.POSITIVE_INFINITY) as SlotBlock);
  }

  /** The same, to be done in steps. */
  startMerge(blocks: readonly SlotBlock[]): BlockMerge {
    return new BlockMerge(blocks, this.#plain);
  }
}
