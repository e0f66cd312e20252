/** The newest slots of one width, each with valid and bad requests. */

const FIRST_CAPACITY = 32;

/** Memory follows the time that data spans, up to `maxSlots`: 16 bytes a slot. */
export class CountRing {
  /** Width of a slot in seconds. */
  readonly seconds: number;
  readonly #maxSlots: number;
  /** Index (epoch seconds / width) of the newest slot; -Infinity before the first. */
  #newest = Number.NEGATIVE_INFINITY;
  /** Index of the oldest slot ever written, or of the oldest still held. */
  #oldest = Number.POSITIVE_INFINITY;
  #valid = new Float64Array(FIRST_CAPACITY);
  #bad = new Float64Array(FIRST_CAPACITY);

  constructor(seconds: number, maxSlots: number) {
    this.seconds = seconds;
    this.#maxSlots = maxSlots;
  }

  /** First second this ring would still know of. */
  get retainedFromSec(): number {
    return (this.#newest - this.#maxSlots + 1) * this.seconds;
  }

  get newestEndSec(): number {
    return (this.#newest + 1) * this.seconds;
  }

  get oldestSec(): number {
    return this.#oldest * this.seconds;
  }

  /** False when the slot is older than the ring holds. */
  add(sec: number, valid: number, bad: number): boolean {
    const index = Math.floor(sec / this.seconds);
    if (!this.#open(index)) return false;
    const at = index % this.#valid.length;
    this.#valid[at] = (this.#valid[at] as number) + valid;
    this.#bad[at] = (this.#bad[at] as number) + bad;
    return true;
  }

  /** As `add`, in place of what the slot held. */
  replace(sec: number, valid: number, bad: number): void {
    const index = Math.floor(sec / this.seconds);
    if (!this.#open(index)) return;
    this.#valid[index % this.#valid.length] = valid;
    this.#bad[index % this.#bad.length] = bad;
  }

  /** Adds slots [fromSec, toSec), whose edges are multiples of the width, to `into`. */
  sumInto(fromSec: number, toSec: number, into: { valid: number; bad: number }): void {
    const from = Math.max(fromSec / this.seconds, this.#oldest);
    const to = Math.min(toSec / this.seconds - 1, this.#newest);
    if (from > to) return;
    const capacity = this.#valid.length;
    let at = from % capacity;
    let { valid, bad } = into;
    for (let index = from; index <= to; index++) {
      valid += this.#valid[at] as number;
      bad += this.#bad[at] as number;
      if (++at === capacity) at = 0;
    }
    into.valid = valid;
    into.bad = bad;
  }

  get byteLength(): number {
    return this.#valid.byteLength * 2;
  }

  /** Makes `index` one of the slots held. */
  #open(index: number): boolean {
    if (index >= this.#oldest && index <= this.#newest) return true;
    if (index <= this.#newest - this.#maxSlots) return false;
    if (this.#newest === Number.NEGATIVE_INFINITY) this.#newest = this.#oldest = index;
    const newest = Math.max(this.#newest, index);
    const oldest = Math.max(Math.min(this.#oldest, index), newest - this.#maxSlots + 1);
    if (newest - oldest + 1 > this.#valid.length) this.#grow(newest - oldest + 1);
    const capacity = this.#valid.length;
    // Slots between are new, or are places of slots that fell out.
    for (let slot = Math.max(this.#newest + 1, newest - capacity + 1); slot <= newest; slot++) this.#clear(slot % capacity);
    for (let slot = oldest; slot < Math.min(this.#oldest, newest + 1); slot++) this.#clear(slot % capacity);
    this.#newest = newest;
    this.#oldest = oldest;
    return true;
  }

  #clear(at: number): void {
    this.#valid[at] = 0;
    this.#bad[at] = 0;
  }

  #grow(needed: number): void {
    const capacity = Math.min(this.#maxSlots, Math.max(needed, Math.ceil(this.#valid.length * 1.5)));
    const valid = new Float64Array(capacity);
    const bad = new Float64Array(capacity);
    for (let slot = Math.max(this.#oldest, this.#newest - capacity + 1); slot <= this.#newest; slot++) {
      valid[slot % capacity] = this.#valid[slot % this.#valid.length] as number;
      bad[slot % capacity] = this.#bad[slot % this.#bad.length] as number;
    }
    this.#valid = valid;
    this.#bad = bad;
  }
}
