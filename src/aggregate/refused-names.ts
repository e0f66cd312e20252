/** Remembers names that were refused a moment ago, so that asking again does not build their text again. */

const PLACES = 2048;
const NAME_BYTES = 96;

/** Direct-mapped and of fixed size: a newer name takes an older one's place. Longer names are not remembered. */
export class RefusedNames {
  readonly #hash = new Int32Array(PLACES);
  readonly #resource = new Int32Array(PLACES).fill(-1);
  readonly #kind = new Uint8Array(PLACES);
  readonly #length = new Uint8Array(PLACES);
  readonly #names = new Uint8Array(PLACES * NAME_BYTES);
  #isEmpty = true;

  has(hash: number, resource: number, kind: number, name: Uint8Array, length: number): boolean {
    const place = hash & (PLACES - 1);
    if (this.#resource[place] !== resource || this.#hash[place] !== hash) return false;
    if (this.#kind[place] !== kind || this.#length[place] !== length) return false;
    const offset = place * NAME_BYTES;
    for (let i = 0; i < length; i++) if (this.#names[offset + i] !== name[i]) return false;
    return true;
  }

  add(hash: number, resource: number, kind: number, name: Uint8Array, length: number): void {
    if (length > NAME_BYTES) return;
    const place = hash & (PLACES - 1);
    this.#hash[place] = hash;
    this.#resource[place] = resource;
    this.#kind[place] = kind;
    this.#length[place] = length;
    for (let i = 0; i < length; i++) this.#names[place * NAME_BYTES + i] = name[i] as number;
    this.#isEmpty = false;
  }

  clear(): void {
    if (this.#isEmpty) return;
    this.#resource.fill(-1);
    this.#isEmpty = true;
  }
}
