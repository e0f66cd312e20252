/** A small fixed set of words that is searched by bytes, without making a string. */

/** Longer words cannot be in the set. */
export const MAX_WORD_BYTES = 127;

/**
 * Open addressing over the length, the middle and the last byte: attribute names share their beginnings (`http.`, `messaging.destination.`), so
 * the tail tells them apart. The set is ours, not the sender's, so an unseeded hash cannot be flooded.
 */
export class ByteWords {
  readonly #index = new Map<string, number>();
  readonly #arena: Uint8Array;
  readonly #starts: Int32Array;
  readonly #buckets: Int16Array;
  readonly #mask: number;
  /** 1 for each length that some word has. */
  readonly #lengths = new Uint8Array(MAX_WORD_BYTES + 1);

  /** Words longer than MAX_WORD_BYTES and the empty word are never found; of equal words the first counts. */
  constructor(words: readonly string[]) {
    const encoder = new TextEncoder();
    const encoded = words.map((word) => encoder.encode(word));
    let capacity = 64;
    while (capacity < words.length * 4) capacity *= 2;
    this.#mask = capacity - 1;
    this.#buckets = new Int16Array(capacity).fill(-1);
    this.#starts = new Int32Array(words.length + 1);
    this.#arena = new Uint8Array(encoded.reduce((sum, bytes) => sum + bytes.length, 0));
    let used = 0;
    encoded.forEach((bytes, word) => {
      this.#arena.set(bytes, used);
      used += bytes.length;
      this.#starts[word + 1] = used;
      if (bytes.length === 0 || bytes.length > MAX_WORD_BYTES || this.#index.has(words[word] as string)) return;
      this.#index.set(words[word] as string, word);
      this.#lengths[bytes.length] = 1;
      let bucket = this.#bucketOf(bytes, 0, bytes.length);
      while ((this.#buckets[bucket] as number) >= 0) bucket = (bucket + 1) & this.#mask;
      this.#buckets[bucket] = word;
    });
  }

  /** Position of the word in the list, or -1. */
  find(bytes: Uint8Array, start: number, end: number): number {
    const length = end - start;
    if (length > MAX_WORD_BYTES || this.#lengths[length] === 0) return -1;
    let bucket = this.#bucketOf(bytes, start, length);
    for (;;) {
      const word = this.#buckets[bucket] as number;
      if (word < 0) return -1;
      if (this.#equals(word, bytes, start, length)) return word;
      bucket = (bucket + 1) & this.#mask;
    }
  }

  /** Position of the word in the list, or -1. */
  indexOf(word: string): number {
    return this.#index.get(word) ?? -1;
  }

  #bucketOf(bytes: Uint8Array, start: number, length: number): number {
    return (length * 37 + (bytes[start + length - 1] as number) * 5 + (bytes[start + (length >> 1)] as number) * 3) & this.#mask;
  }

  #equals(word: number, bytes: Uint8Array, start: number, length: number): boolean {
    const wordStart = this.#starts[word] as number;
    if ((this.#starts[word + 1] as number) - wordStart !== length) return false;
    const arena = this.#arena;
    for (let i = length - 1; i >= 0; i--) if (arena[wordStart + i] !== bytes[start + i]) return false;
    return true;
  }
}
