/** How punctual each service's spans are, in order of arrival. */
import { LATENESS_BINS, type ServiceArrivals } from '../model/slot-deltas.ts';
import { SLOT_MS } from '../model/time.ts';

/** Grows with the services; what is taken is counted anew. */
export class Arrivals {
  /** Since the last `take` the latest end time of some service has entered a slot it was not in before. */
  hasOpenedSlot = false;
  #maxEndMs = new Float64Array(16).fill(Number.NEGATIVE_INFINITY);
  /** End of the slot of the latest end time. */
  #slotEndMs = new Float64Array(16).fill(Number.NEGATIVE_INFINITY);
  #lateness = new Uint32Array(16 * LATENESS_BINS);
  #isTouched = new Uint8Array(16);
  #touched: number[] = [];

  add(service: number, endMs: number): void {
    if (service >= this.#isTouched.length) this.#grow(service);
    if (this.#isTouched[service] === 0) {
      this.#isTouched[service] = 1;
      this.#touched.push(service);
    }
    const latest = this.#maxEndMs[service] as number;
    let bin = 0;
    if (endMs > latest) {
      this.#maxEndMs[service] = endMs;
      if (endMs >= (this.#slotEndMs[service] as number)) {
        this.#slotEndMs[service] = (Math.floor(endMs / SLOT_MS) + 1) * SLOT_MS;
        this.hasOpenedSlot = true;
      }
    } else {
      const seconds = (latest - endMs) / 1000;
      bin = seconds >= LATENESS_BINS - 1 ? LATENESS_BINS - 1 : seconds | 0;
    }
    const at = service * LATENESS_BINS + bin;
    this.#lateness[at] = (this.#lateness[at] as number) + 1;
  }

  /** One entry per service with spans since the last call. */
  take(nameOf: (service: number) => string): ServiceArrivals[] {
    const taken = this.#touched.map((service) => {
      this.#isTouched[service] = 0;
      const bins = this.#lateness.subarray(service * LATENESS_BINS, (service + 1) * LATENESS_BINS);
      const lateness = bins.slice();
      bins.fill(0);
      return { service: nameOf(service), maxEndMs: this.#maxEndMs[service] as number, lateness };
    });
    this.#touched = [];
    this.hasOpenedSlot = false;
    return taken;
  }

  #grow(service: number): void {
    const capacity = Math.max(this.#isTouched.length * 2, service + 1);
    const grown = (times: Float64Array): Float64Array<ArrayBuffer> => {
      const larger = new Float64Array(capacity).fill(Number.NEGATIVE_INFINITY);
      larger.set(times);
      return larger;
    };
    this.#maxEndMs = grown(this.#maxEndMs);
    this.#slotEndMs = grown(this.#slotEndMs);
    const lateness = new Uint32Array(capacity * LATENESS_BINS);
    lateness.set(this.#lateness);
    this.#lateness = lateness;
    const isTouched = new Uint8Array(capacity);
    isTouched.set(this.#isTouched);
    this.#isTouched = isTouched;
  }
}
