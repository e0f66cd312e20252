/** Finds the number of (owner, kind, name bytes): open addressing over typed arrays, names in one arena, verified byte by byte. */

const EMPTY = -1;

/** Grows by doubling; entries are removed only by `keep`. Keys are (owner, kind, length, bytes), so no name can imitate another's. */
export class NameTable {
  size = 0;
  /** Bytes of names held. */
  arenaUsed = 0;
  #slots = new Int32Array(256).fill(EMPTY);
  #hash = new Int32Array(128);
  #owner = new Int32Array(128);
  #kind = new Uint8Array(128);
  #offset = new Uint32Array(128);
  #length = new Int32Array(128);
  #values = new Int32Array(128);
  #arena = new Uint8Array(4096);

  /** Number of the name `name[start .. start + length)`, or -1. */
  find(hash: number, owner: number, kind: number, name: Uint8Array, length: number, start = 0): number {
    const slots = this.#slots;
    const mask = slots.length - 1;
    for (let at = hash & mask; ; at = (at + 1) & mask) {
      const entry = slots[at] as number;
      if (entry === EMPTY) return -1;
      if (this.#hash[entry] === hash && this.#owner[entry] === owner && this.#kind[entry] === kind && this.#length[entry] === length) {
        if (this.#sameBytes(this.#offset[entry] as number, name, length, start)) return this.#values[entry] as number;
      }
    }
  }

  /** The caller has made sure that the key is not there. */
  add(hash: number, owner: number, kind: number, name: Uint8Array, length: number, value: number, start = 0): void {
    if (this.size === this.#hash.length) this.#growEntries();
    const entry = this.size++;
    this.#hash[entry] = hash;
    this.#owner[entry] = owner;
    this.#kind[entry] = kind;
    this.#offset[entry] = this.arenaUsed;
    this.#length[entry] = length;
    this.#values[entry] = value;
    if (this.arenaUsed + length > this.#arena.length) {
      const arena = new Uint8Array(Math.max(this.#arena.length * 2, this.arenaUsed + length));
      arena.set(this.#arena);
      this.#arena = arena;
    }
    for (let i = 0; i < length; i++) this.#arena[this.arenaUsed + i] = name[start + i] as number;
    this.arenaUsed += length;
    this.#place(entry);
  }

  /** Forgets every entry whose number is not wanted, and gives its name's bytes back. */
  keep(wanted: (value: number) => boolean): void {
    let size = 0;
    let used = 0;
    for (let entry = 0; entry < this.size; entry++) {
      const value = this.#values[entry] as number;
      if (!wanted(value)) continue;
      const offset = this.#offset[entry] as number;
      const length = this.#length[entry] as number;
      this.#arena.copyWithin(used, offset, offset + length);
      this.#hash[size] = this.#hash[entry] as number;
      this.#owner[size] = this.#owner[entry] as number;
      this.#kind[size] = this.#kind[entry] as number;
      this.#offset[size] = used;
      this.#length[size] = length;
      this.#values[size] = value;
      used += length;
      size++;
    }
    this.size = size;
    this.arenaUsed = used;
    this.#rehash(this.#slots.length);
  }

  /** Memory of all arrays. */
  get bytes(): number {
    return this.#arena.length + this.#slots.byteLength + this.#hash.length * 21;
  }

  #sameBytes(offset: number, name: Uint8Array, length: number, start: number): boolean {
    const arena = this.#arena;
    for (let i = 0; i < length; i++) if (arena[offset + i] !== name[start + i]) return false;
    return true;
  }

  #place(entry: number): void {
    const mask = this.#slots.length - 1;
    let at = (this.#hash[entry] as number) & mask;
    while (this.#slots[at] !== EMPTY) at = (at + 1) & mask;
    this.#slots[at] = entry;
  }

  #rehash(slots: number): void {
    this.#slots = slots === this.#slots.length ? this.#slots.fill(EMPTY) : new Int32Array(slots).fill(EMPTY);
    for (let entry = 0; entry < this.size; entry++) this.#place(entry);
  }

  #growEntries(): void {
    const capacity = this.#hash.length * 2;
    this.#hash = grown(new Int32Array(capacity), this.#hash);
    this.#owner = grown(new Int32Array(capacity), this.#owner);
    this.#kind = grown(new Uint8Array(capacity), this.#kind);
    this.#offset = grown(new Uint32Array(capacity), this.#offset);
    this.#length = grown(new Int32Array(capacity), this.#length);
    this.#values = grown(new Int32Array(capacity), this.#values);
    this.#rehash(capacity * 2);
  }
}

function grown<A extends Int32Array | Uint32Array | Uint8Array>(next: A, previous: A): A {
  next.set(previous);
  return next;
}
