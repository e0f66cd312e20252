/** Adds up sparse histograms: dense counts with a bitmap of what was touched, so that reading back costs by content. */

export class CellSum {
  readonly cells: number;
  readonly #counts: Float64Array;
  readonly #touched: Uint32Array;
  /** One bit per word of `#touched` that is not 0: with lanes, cells lie far apart. */
  readonly #words: Uint32Array;

  constructor(cells: number) {
    this.cells = cells;
    this.#counts = new Float64Array(cells);
    this.#touched = new Uint32Array((cells + 31) >>> 5);
    this.#words = new Uint32Array((this.#touched.length + 31) >>> 5);
  }

  add(cell: number, count: number): void {
    const word = cell >>> 5;
    const group = word >>> 5;
    this.#counts[cell] = (this.#counts[cell] as number) + count;
    this.#touched[word] = (this.#touched[word] as number) | (1 << (cell & 31));
    this.#words[group] = (this.#words[group] as number) | (1 << (word & 31));
  }

  /** Distinct cells that were touched. */
  get size(): number {
    let size = 0;
    for (let group = 0; group < this.#words.length; group++) {
      for (let words = this.#words[group] as number; words !== 0; words &= words - 1) {
        const word = (group << 5) + 31 - Math.clz32(words & -words);
        for (let bits = this.#touched[word] as number; bits !== 0; bits &= bits - 1) size++;
      }
    }
    return size;
  }

  /** Empties itself into ascending `cells` and their `counts`, which have room for `size`; returns how many there were. */
  drain(cells: Int32Array, counts: Float64Array): number {
    let at = 0;
    for (let group = 0; group < this.#words.length; group++) {
      let words = this.#words[group] as number;
      this.#words[group] = 0;
      for (; words !== 0; words &= words - 1) {
        const word = (group << 5) + 31 - Math.clz32(words & -words);
        let bits = this.#touched[word] as number;
        this.#touched[word] = 0;
        for (; bits !== 0; bits &= bits - 1) {
          const cell = (word << 5) + 31 - Math.clz32(bits & -bits);
          cells[at] = cell;
          counts[at++] = this.#counts[cell] as number;
          this.#counts[cell] = 0;
        }
      }
    }
    return at;
  }
}
