/** Recognises a resource by its raw bytes: most requests repeat the same few, and reading one anew costs as much as ten spans. */
import type { ResourceEntry } from './resource-identity.ts';

/** Two places for each hash: a newcomer replaces the one used longer ago. */
const SETS = 2048;
/** Larger resources are read anew each time, so that the memo holds at most 2 · SETS · this many bytes: 32 MiB, at 0.6 kB typically 2.4 MB. */
const MAX_BYTES = 8192;

interface Place {
  readonly hash: number;
  readonly bytes: Uint8Array;
  readonly entry: ResourceEntry;
}

/** A hit is verified byte by byte: senders choose the bytes, and a collision must not give one service's spans to another. */
export class ResourceMemo {
  readonly #seed: number;
  /** Places 2·s and 2·s + 1 belong to set s; the first was used last. */
  readonly #places: (Place | null)[] = new Array<Place | null>(2 * SETS).fill(null);

  /** With a `seed` senders cannot know they cannot choose resources that displace each other, which would only cost time. */
  constructor(seed: number) {
    this.#seed = seed | 0;
  }

  /** The entry of an identical resource, or null. `view` is over the same memory as `bytes`. */
  find(bytes: Uint8Array, view: DataView, start: number, end: number): ResourceEntry | null {
    const hash = hashOf(this.#seed, bytes, view, start, end);
    const first = (hash & (SETS - 1)) * 2;
    const recent = this.#places[first] as Place | null;
    if (recent !== null && recent.hash === hash && equals(recent.bytes, bytes, start, end)) return recent.entry;
    const older = this.#places[first + 1] as Place | null;
    if (older === null || older.hash !== hash || !equals(older.bytes, bytes, start, end)) return null;
    this.#places[first + 1] = recent;
    this.#places[first] = older;
    return older.entry;
  }

  /** Remembers a copy of the bytes. */
  add(bytes: Uint8Array, view: DataView, start: number, end: number, entry: ResourceEntry): void {
    if (end - start > MAX_BYTES) return;
    const hash = hashOf(this.#seed, bytes, view, start, end);
    const first = (hash & (SETS - 1)) * 2;
    this.#places[first + 1] = this.#places[first] as Place | null;
    this.#places[first] = { hash, bytes: bytes.slice(start, end), entry };
  }
}

/** Multiply and rotate, four bytes at a time; constants of MurmurHash3's 32-bit variant. */
function hashOf(seed: number, bytes: Uint8Array, view: DataView, start: number, end: number): number {
  let hash = seed ^ (end - start);
  let pos = start;
  for (; pos + 4 <= end; pos += 4) hash = mixed(hash, view.getInt32(pos, true));
  for (; pos < end; pos++) hash = mixed(hash, bytes[pos] as number);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  return hash ^ (hash >>> 13);
}

function mixed(hash: number, word: number): number {
  const key = Math.imul(word, 0xcc9e2d51);
  const next = hash ^ Math.imul((key << 15) | (key >>> 17), 0x1b873593);
  return (Math.imul((next << 13) | (next >>> 19), 5) + 0xe6546b64) | 0;
}

function equals(known: Uint8Array, bytes: Uint8Array, start: number, end: number): boolean {
  const length = end - start;
  if (known.length !== length) return false;
  for (let i = 0; i < length; i++) if (known[i] !== bytes[start + i]) return false;
  return true;
}
