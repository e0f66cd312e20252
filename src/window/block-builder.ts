/** Puts rows together to a slot block. */
import { ByteWriter } from './byte-writer.ts';
import { SLOW_COUNT_FOLLOWS } from './row-view.ts';
import { BLOCK_VERSION, SlotBlock } from './slot-block.ts';

export class BlockBuilder {
  readonly #rows: ByteWriter;
  #size = 0;
  #lastSeries = -1;

  constructor(capacity = 16_384) {
    this.#rows = new ByteWriter(capacity);
  }

  /** Adds a row whose body is `body[start .. end)`; series ascend. */
  add(series: number, body: Uint8Array, start: number, end: number): void {
    this.#rows.varint(series - this.#lastSeries);
    this.#rows.varint(end - start);
    this.#rows.copy(body, start, end);
    this.#lastSeries = series;
    this.#size++;
  }

  /** The block, whose cells are all below `cells`; this builder is empty afterwards. */
  take(cells: number): SlotBlock {
    const head = new ByteWriter(32);
    head.varint(BLOCK_VERSION);
    head.varint(cells);
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

/** How a row begins. */
export function writeHead(body: ByteWriter, count: number, slowCount: number, isWeighted: boolean): void {
  const isMany = slowCount >= SLOW_COUNT_FOLLOWS;
  body.varint((count * 16 + (isMany ? SLOW_COUNT_FOLLOWS : slowCount)) * 2 + (isWeighted ? 1 : 0));
  if (isMany) body.varint(slowCount);
}

/** A cell, `step` after the previous one of its row. */
export function writeCell(body: ByteWriter, step: number, count: number): void {
  if (count === 1) body.varint(step * 2);
  else {
    body.varint(step * 2 + 1);
    body.varint(count - 2);
  }
}
