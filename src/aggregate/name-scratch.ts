/** The endpoint name being looked up: joined into one buffer and hashed on the way, without allocating. */
import { wholeCharacters } from './endpoint-name.ts';

const FNV_OFFSET = 0x811c9dc5;
const FNV_PRIME = 0x01000193;

export class NameScratch {
  readonly bytes: Uint8Array;
  length = 0;
  readonly #limit: number;
  readonly #seed: number;

  /** Longer names are cut at `limit` bytes, at a character's edge. `seed` makes the hash unpredictable to who chooses the names. */
  constructor(limit: number, seed: number) {
    this.bytes = new Uint8Array(limit + 1);
    this.#limit = limit;
    this.#seed = (seed ^ FNV_OFFSET) | 0;
  }

  /** Takes the bytes of `a` and, where `b` is not empty, the separator and `b`. */
  join(a: Uint8Array, aStart: number, aEnd: number, separator: number, b: Uint8Array, bStart: number, bEnd: number): void {
    const bytes = this.bytes;
    // One byte beyond the limit is kept, so that the cut sees whether a character goes on.
    const room = bytes.length;
    let length = 0;
    for (let i = aStart; i < aEnd && length < room; i++) bytes[length++] = a[i] as number;
    if (bEnd > bStart) {
      if (length < room) bytes[length++] = separator;
      for (let i = bStart; i < bEnd && length < room; i++) bytes[length++] = b[i] as number;
    }
    this.length = length <= this.#limit ? length : wholeCharacters(bytes, length, this.#limit);
  }

  /** FNV-1a over resource, kind and name, finished by murmur3's avalanche so that low bits are usable. */
  hash(resource: number, kind: number): number {
    const bytes = this.bytes;
    let hash = this.#seed;
    hash = Math.imul(hash ^ resource, FNV_PRIME);
    hash = Math.imul(hash ^ (hash >>> 15) ^ kind, FNV_PRIME);
    for (let i = 0, length = this.length; i < length; i++) hash = Math.imul(hash ^ (bytes[i] as number), FNV_PRIME);
    hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
    hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
    return hash ^ (hash >>> 16);
  }
}
