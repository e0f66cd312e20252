/** Short lists of numbers, one after another in one array: of equal lists, which most series share, one is held. */

export class NumberLists {
  numbers = new Float64Array(64);
  #used = 0;
  readonly #startOf = new Map<string, number>();

  /** Where in `numbers` the list begins. */
  startOf(list: readonly number[]): number {
    const key = list.join();
    const known = this.#startOf.get(key);
    if (known !== undefined) return known;
    const start = this.#used;
    this.#used += list.length;
    if (this.#used > this.numbers.length) {
      const next = new Float64Array(Math.max(this.numbers.length * 2, this.#used));
      next.set(this.numbers);
      this.numbers = next;
    }
    this.numbers.set(list, start);
    this.#startOf.set(key, start);
    return start;
  }
}
