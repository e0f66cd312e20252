/** Adds up sparse histograms: dense counts with a bitmap of what was touched, so that reading back costs by content. */

export class CellSum {
  readonly cells: number;
  readonly #counts: Float64Array;
  readonly #touched: Uint32Array;
  #low: number;
  #high = -1;

  constructor(cells: number) {
    this.cells = cells;
    this.#counts = new Float64Array(cells);
    this.#touched = new Uint32Array((cells + 31) >>> 5);
    this.#low = this.#touched.length;
  }

  add(cell: number, count: number): void {
    const word = cell >>> 5;
    this.#counts[cell] = (this.#counts[cell] as number) + count;
    this.#touched[word] = (this.#touched[word] as number) | (1 << (cell & 31));
    if (word < this.#low) this.#low = word;
    if (word > this.#high) this.#high = word;
  }

  /** Distinct cells that were touched. */
  get size(): number {
    let size = 0;
    for (let word = this.#low; word <= this.#high; word++) {
      for (let bits = this.#touched[word] as number; bits !== 0; bits &= bits - 1) size++;
    }
    return size;
  }

  /** Empties itself into ascending `cells` and their `counts`, which have room for `size`; returns how many there were. */
  drain(cells: Int32Array, counts: Float64Array): number {
    let at = 0;
    for (let word = this.#low; word <= this.#high; word++) {
      let bits = this.#touched[word] as number;
      this.#touched[word] = 0;
      while (bits !== 0) {
        const cell = (word << 5) + 31 - Math.clz32(bits & -bits);
        bits &= bits - 1;
        cells[at] = cell;
        counts[at++] = this.#counts[cell] as number;
        this.#counts[cell] = 0;
      }
    }
    this.#low = this.#touched.length;
    this.#high = -1;
    return at;
  }
}
