/** Counts of many keys in one piece of time, as bytes: entries in any order, each key at most once. */
import { PermanentError } from './errors.ts';

/**
 * Layout, little-endian: each entry is the key's number (u32), its valid and its bad count (f64). Nothing else, so that the number of entries is the
 * length / ENTRY_BYTES.
 */
const ENTRY_BYTES = 20;
const FIRST_ENTRIES = 256;

/** Collects one row after the other in the same memory. */
export class CountRowWriter {
  #view = new DataView(new ArrayBuffer(FIRST_ENTRIES * ENTRY_BYTES));
  #at = 0;

  add(id: number, valid: number, bad: number): void {
    if (this.#at + ENTRY_BYTES > this.#view.byteLength) this.#grow();
    this.#view.setUint32(this.#at, id, true);
    this.#view.setFloat64(this.#at + 4, valid, true);
    this.#view.setFloat64(this.#at + 12, bad, true);
    this.#at += ENTRY_BYTES;
  }

  /** The entries since the last call, in memory of their own. */
  take(): Uint8Array {
    const bytes = new Uint8Array(this.#view.buffer.slice(0, this.#at));
    this.#at = 0;
    return bytes;
  }

  #grow(): void {
    const larger = new Uint8Array(this.#view.byteLength * 2);
    larger.set(new Uint8Array(this.#view.buffer));
    this.#view = new DataView(larger.buffer);
  }
}

/** Hands over each entry. Throws PermanentError when the length is none that a writer gives. */
export function readCountRow(bytes: Uint8Array, each: (id: number, valid: number, bad: number) => void): void {
  if (bytes.byteLength % ENTRY_BYTES !== 0) {
    throw new PermanentError('counts_corrupt', `reading stored counts: ${bytes.byteLength} bytes, expected a multiple of ${ENTRY_BYTES}`);
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = 0; at < view.byteLength; at += ENTRY_BYTES) {
    each(view.getUint32(at, true), view.getFloat64(at + 4, true), view.getFloat64(at + 12, true));
  }
}
