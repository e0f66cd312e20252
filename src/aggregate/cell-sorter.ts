/** Turns the cells of one row, in any order, into ascending cells with counts. */

/** 16 bits hold the cells of lanes; those of seats need 32. */
export type CellArray = Uint16Array<ArrayBuffer> | Uint32Array<ArrayBuffer>;

export function cellArray(cells: number, length: number): CellArray {
  return cells <= 0x10000 ? new Uint16Array(length) : new Uint32Array(length);
}

/** Up to this many cells, sorting by insertion beats the bitmap. */
const FEW = 14;

export class CellSorter {
  /** Distinct cells. */
  readonly cells: number;
  readonly #counts: Uint32Array;
  /** One bit per cell that holds something, so that reading back visits those only. */
  readonly #touched: Uint32Array;
  /** One bit per word of `#touched` that is not 0: with lanes, cells lie far apart. */
  readonly #words: Uint32Array;

  constructor(cells: number) {
    this.cells = cells;
    this.#counts = new Uint32Array(cells);
    this.#touched = new Uint32Array((cells + 31) >>> 5);
    this.#words = new Uint32Array((this.#touched.length + 31) >>> 5);
  }

  /**
   * Writes the distinct cells of `log[from .. to)` and their counts at `at` of `cells` and `counts`; returns where it ended.
   * Reorders the log's part.
   */
  write(log: CellArray, from: number, to: number, cells: CellArray, counts: Uint32Array, at: number): number {
    return to - from <= FEW ? insertion(log, from, to, cells, counts, at) : this.#bitmap(log, from, to, cells, counts, at);
  }

  #bitmap(log: CellArray, from: number, to: number, cells: CellArray, counts: Uint32Array, start: number): number {
    const dense = this.#counts;
    const touched = this.#touched;
    const touchedWords = this.#words;
    let low = touchedWords.length;
    let high = -1;
    for (let i = from; i < to; i++) {
      const cell = log[i] as number;
      dense[cell] = (dense[cell] as number) + 1;
      const word = cell >>> 5;
      touched[word] = (touched[word] as number) | (1 << (cell & 31));
      const group = word >>> 5;
      touchedWords[group] = (touchedWords[group] as number) | (1 << (word & 31));
      if (group < low) low = group;
      if (group > high) high = group;
    }
    let at = start;
    for (let group = low; group <= high; group++) {
      let words = touchedWords[group] as number;
      touchedWords[group] = 0;
      for (; words !== 0; words &= words - 1) {
        const word = (group << 5) + 31 - Math.clz32(words & -words);
        let bits = touched[word] as number;
        touched[word] = 0;
        for (; bits !== 0; bits &= bits - 1) {
          const cell = (word << 5) + 31 - Math.clz32(bits & -bits);
          cells[at] = cell;
          counts[at++] = dense[cell] as number;
          dense[cell] = 0;
        }
      }
    }
    return at;
  }
}

function insertion(log: CellArray, from: number, to: number, cells: CellArray, counts: Uint32Array, start: number): number {
  for (let i = from + 1; i < to; i++) {
    const cell = log[i] as number;
    let j = i - 1;
    for (; j >= from && (log[j] as number) > cell; j--) log[j + 1] = log[j] as number;
    log[j + 1] = cell;
  }
  let at = start;
  for (let i = from; i < to; i++) {
    const cell = log[i] as number;
    if (at > start && cells[at - 1] === cell) counts[at - 1] = (counts[at - 1] as number) + 1;
    else {
      cells[at] = cell;
      counts[at++] = 1;
    }
  }
  return at;
}
