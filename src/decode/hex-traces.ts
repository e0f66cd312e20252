/** Turns the trace ids of a JSON request into bytes, one after the other, in memory that is used again for the next request. */
import { TRACE_BYTES } from '../model/slot-deltas.ts';

const NO_TRACE = /^0*$/;

export class HexTraces {
  bytes = new Uint8Array(64 * TRACE_BYTES);
  #used = 0;

  clear(): void {
    this.#used = 0;
  }

  /** Offset of an id of hex digits in `bytes`; -1 when it is not 32 of them, or all are 0. */
  add(hex: string): number {
    if (hex.length !== TRACE_BYTES * 2 || NO_TRACE.test(hex)) return -1;
    const start = this.#used;
    if (start + TRACE_BYTES > this.bytes.length) {
      const grown = new Uint8Array(this.bytes.length * 2);
      grown.set(this.bytes);
      this.bytes = grown;
    }
    for (let i = 0; i < TRACE_BYTES; i++) this.bytes[start + i] = Number.parseInt(hex.slice(i * 2, i * 2 + 2), 16);
    this.#used = start + TRACE_BYTES;
    return start;
  }
}
