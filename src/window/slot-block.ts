/** Counts and histograms of all series in one slot, as bytes sorted by series: a few bytes per series and about two per span. */
import { PermanentError } from '../model/errors.ts';
import { ByteReader } from './byte-reader.ts';
import { RowView } from './row-view.ts';

/*
 * Layout, numbers being LEB128 varints unless said otherwise:
 *
 *   block  := version(1 byte) cells rows row*
 *   row    := seriesStep bodyLength body          seriesStep: series - previous series, the first from -1
 *   body   := head slowCount? failed untimed weights? slow* cell*
 *   head   := (count * 16 + min(slowCount, 15)) * 2 + isWeighted    slowCount follows when it is 15 or more
 *   weights:= weight failedWeight timedWeight     little-endian doubles; absent when all weights are 1
 *   slow   := spans [spansWeight double if isWeighted]
 *   cell   := step * 2 + isMany [count - 2]       step: cell - previous cell, the first from 0; isMany 0 means count 1
 *
 * `cells` is the number of cells of the histogram layout: of one lane, or of all where a row has spans in a lane but 0, which only 1 s slots
 * have; `untimed` are spans without a latency.
 */
export const BLOCK_VERSION = 1;

/** Rows between two entries of the index. */
const INDEX_STEP = 32;

/** Immutable. */
export class SlotBlock {
  readonly bytes: Uint8Array;
  /** Number of rows. */
  readonly size: number;
  /** All cells are below this: see above. */
  readonly cells: number;
  readonly #firstRow: number;
  /** Pairs: series before a row, offset of the row; one pair per INDEX_STEP rows. */
  readonly #index: Int32Array;

  /** `bytes` come from `BlockWriter`, or from anywhere when `isTrusted` is false: then every byte is checked. */
  constructor(bytes: Uint8Array, isTrusted = true) {
    if (bytes[0] !== BLOCK_VERSION) {
      throw new PermanentError(
        'slot_version',
        `reading a stored slot: version ${bytes[0] ?? 'missing'} at byte 0, expected ${BLOCK_VERSION}`,
      );
    }
    const reader = new ByteReader(bytes, 1);
    this.bytes = bytes;
    this.cells = reader.varint();
    this.size = reader.varint();
    if (this.size > bytes.length) reader.fail('claims more rows than it has bytes');
    this.#firstRow = reader.at;
    this.#index = new Int32Array(Math.ceil(this.size / INDEX_STEP) * 2);
    let series = -1;
    const view = new RowView();
    for (let row = 0; row < this.size; row++) {
      if (row % INDEX_STEP === 0) {
        this.#index[(row / INDEX_STEP) * 2] = series;
        this.#index[(row / INDEX_STEP) * 2 + 1] = reader.at;
      }
      const step = reader.varint();
      series += step;
      const end = reader.varint() + reader.at;
      if (!isTrusted) {
        if (step === 0 || series > 0x7fffffff) reader.fail('has series out of order');
        if (end > bytes.length) reader.fail('has a row longer than its bytes');
        view.check(bytes, reader.at, end, this.cells);
      }
      reader.at = end;
    }
    if (reader.at !== bytes.length) reader.fail('has bytes left over');
  }

  /** Brings `view` before the first row. */
  rewind(view: RowView): void {
    view.start(this.bytes, this.#firstRow, -1);
  }

  /** Brings `view` to the row of `series`; false when there is none. */
  find(series: number, view: RowView): boolean {
    const index = this.#index;
    let low = 0;
    let high = index.length / 2 - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((index[middle * 2] as number) < series) low = middle;
      else high = middle - 1;
    }
    if (high < 0) return false;
    view.start(this.bytes, index[low * 2 + 1] as number, index[low * 2] as number);
    while (view.next()) {
      if (view.series >= series) return view.series === series;
    }
    return false;
  }

  /** Memory held. */
  get byteLength(): number {
    return this.bytes.byteLength + this.#index.byteLength + 200;
  }
}
