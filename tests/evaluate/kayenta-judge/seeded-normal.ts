/** Normal numbers that are the same in every run. */
export class SeededNormal {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** Mean 0, standard deviation 1 (Box and Muller 1958). */
  next(): number {
    return Math.sqrt(-2 * Math.log(this.#uniform())) * Math.cos(2 * Math.PI * this.#uniform());
  }

  /** In (0, 1), by mulberry32. */
  #uniform(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = this.#state;
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return (((mixed ^ (mixed >>> 14)) >>> 0) + 0.5) / 4_294_967_296;
  }
}
