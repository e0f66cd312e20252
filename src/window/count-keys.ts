/** Numbers for the names in stored counts, so that a row of a thousand objectives does not spell each of them. */
import type { StoredCountKey } from '../model/checkpoint.ts';

export class CountKeys {
  readonly #ids = new Map<string, number>();
  readonly #names: (string | undefined)[] = [];
  #used = new Uint8Array(0);
  #changed: StoredCountKey[] = [];

  idOf(key: string): number {
    const known = this.#ids.get(key);
    if (known !== undefined) return known;
    const id = this.#names.length;
    this.#ids.set(key, id);
    this.#names.push(key);
    this.#changed.push({ id, key });
    return id;
  }

  /** The name behind a number that a row holds; undefined for one that was never saved. */
  nameOf(id: number): string | undefined {
    if (id < this.#used.length) this.#used[id] = 1;
    return this.#names[id];
  }

  /** What changed since the last call: goes with the rows that mention it. */
  takeChanged(): StoredCountKey[] {
    const changed = this.#changed;
    this.#changed = [];
    return changed;
  }

  /** Takes back what was saved. */
  restore(saved: readonly StoredCountKey[]): void {
    for (const { id, key } of saved) {
      if (key === null) continue;
      this.#ids.set(key, id);
      this.#names[id] = key;
    }
    this.#used = new Uint8Array(this.#names.length);
  }

  /** After all rows were read: forgets names that none of them mentioned. */
  forgetUnused(): void {
    for (const [id, isUsed] of this.#used.entries()) {
      const key = this.#names[id];
      if (isUsed === 1 || key === undefined) continue;
      this.#names[id] = undefined;
      this.#ids.delete(key);
      this.#changed.push({ id, key: null });
    }
    this.#used = new Uint8Array(0);
  }
}
