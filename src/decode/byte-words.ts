/** A small fixed set of words that is searched by bytes, without making a string. */

/** Longer words cannot be in the set. */
export const MAX_WORD_BYTES = 127;
/** Low bits of the last byte that tell chains apart: all that differs between lower-case letters. */
const TAIL_BITS = 5;
const TAIL_MASK = (1 << TAIL_BITS) - 1;

/**
 * Words of equal length and last byte form a chain. Attribute names share their beginnings (`http.`, `messaging.destination.`), so their ends tell
 * them apart: of the names that are not in the set nearly all have an empty chain. The set is ours, not the sender's, so chains stay short.
 */
export class ByteWords {
  readonly #index = new Map<string, number>();
  readonly #arena: Uint8Array;
  readonly #view: DataView;
  readonly #starts: Int32Array;
  /** First word of each chain, and for each word the next; -1 ends it. */
  readonly #heads = new Int16Array((MAX_WORD_BYTES + 1) << TAIL_BITS).fill(-1);
  readonly #next: Int16Array;

  /** Words longer than MAX_WORD_BYTES and the empty word are never found; of equal words the first counts. */
  constructor(words: readonly string[]) {
    const encoder = new TextEncoder();
    const encoded = words.map((word) => encoder.encode(word));
    this.#next = new Int16Array(words.length).fill(-1);
    this.#starts = new Int32Array(words.length);
    this.#arena = new Uint8Array(encoded.reduce((sum, bytes) => sum + bytes.length, 0));
    this.#view = new DataView(this.#arena.buffer);
    let used = 0;
    encoded.forEach((bytes, word) => {
      const text = words[word] as string;
      if (bytes.length === 0 || bytes.length > MAX_WORD_BYTES || this.#index.has(text)) return;
      this.#arena.set(bytes, used);
      this.#starts[word] = used;
      used += bytes.length;
      this.#index.set(text, word);
      const chain = chainOf(bytes.length, bytes.at(-1) as number);
      this.#next[word] = this.#heads[chain] as number;
      this.#heads[chain] = word;
    });
  }

  /** Position of the word in the list, or -1. */
  find(bytes: Uint8Array, start: number, end: number): number {
    const length = end - start;
    if (length === 0 || length > MAX_WORD_BYTES) return -1;
    let word = this.#heads[chainOf(length, bytes[end - 1] as number)] as number;
    while (word >= 0 && !this.#equals(word, bytes, start, length)) word = this.#next[word] as number;
    return word;
  }

  /** As `find`, but compares four bytes at a time: for the hot loop. `view` is over the same memory as `bytes`. */
  findFast(bytes: Uint8Array, view: DataView, start: number, end: number): number {
    const length = end - start;
    if (length === 0 || length > MAX_WORD_BYTES) return -1;
    let word = this.#heads[chainOf(length, bytes[end - 1] as number)] as number;
    while (word >= 0 && !this.#equalsFast(word, bytes, view, start, length)) word = this.#next[word] as number;
    return word;
  }

  /** Position of the word in the list, or -1. */
  indexOf(word: string): number {
    return this.#index.get(word) ?? -1;
  }

  #equals(word: number, bytes: Uint8Array, start: number, length: number): boolean {
    const wordStart = this.#starts[word] as number;
    const arena = this.#arena;
    for (let i = length - 1; i >= 0; i--) if (arena[wordStart + i] !== bytes[start + i]) return false;
    return true;
  }

  /** From the end, where words differ; the last step overlaps the one before it, so there is no remainder. */
  #equalsFast(word: number, bytes: Uint8Array, view: DataView, start: number, length: number): boolean {
    if (length < 4) return this.#equals(word, bytes, start, length);
    const wordStart = this.#starts[word] as number;
    const arena = this.#view;
    for (let i = length - 4; i > 0; i -= 4) if (arena.getInt32(wordStart + i, true) !== view.getInt32(start + i, true)) return false;
    return arena.getInt32(wordStart, true) === view.getInt32(start, true);
  }
}

function chainOf(length: number, last: number): number {
  return (length << TAIL_BITS) | (last & TAIL_MASK);
}
