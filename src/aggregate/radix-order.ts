/** Sorts row numbers by a non-negative 32-bit key in linear time: least significant digit first, stable. */

const DIGIT_BITS = 11;
const DIGITS = 1 << DIGIT_BITS;

export class RadixOrder {
  readonly #starts = new Uint32Array(DIGITS);
  #spare: Uint32Array = new Uint32Array(0);

  /** Reorders `order[0 .. size)` so that `keys[order[i]]` ascends; equal keys keep their order. `maxKey` is the largest key. */
  sort(order: Uint32Array, size: number, keys: Int32Array, maxKey: number): void {
    if (this.#spare.length < size) this.#spare = new Uint32Array(order.length);
    const starts = this.#starts;
    let from = order;
    let to: Uint32Array = this.#spare;
    for (let shift = 0; shift < 31 && maxKey >>> shift > 0; shift += DIGIT_BITS) {
      starts.fill(0);
      for (let i = 0; i < size; i++) {
        const digit = ((keys[from[i] as number] as number) >>> shift) & (DIGITS - 1);
        starts[digit] = (starts[digit] as number) + 1;
      }
      let start = 0;
      for (let digit = 0; digit < DIGITS; digit++) {
        const count = starts[digit] as number;
        starts[digit] = start;
        start += count;
      }
      for (let i = 0; i < size; i++) {
        const row = from[i] as number;
        const digit = ((keys[row] as number) >>> shift) & (DIGITS - 1);
        const place = starts[digit] as number;
        to[place] = row;
        starts[digit] = place + 1;
      }
      const swap = from;
      from = to;
      to = swap;
    }
    if (from !== order) order.set(from.subarray(0, size));
  }
}
