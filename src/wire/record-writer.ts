/** Writes the parts of a record: varints (LEB128), little-endian doubles, and text and blocks with their length before them. */

const UTF8 = new TextEncoder();

export class RecordWriter {
  at = 0;
  #bytes: Uint8Array<ArrayBuffer>;
  #view: DataView;

  constructor(capacity = 1024) {
    this.#bytes = new Uint8Array(capacity);
    this.#view = new DataView(this.#bytes.buffer);
  }

  byte(value: number): void {
    this.#reserve(1);
    this.#bytes[this.at++] = value;
  }

  /** A whole number from 0 to 2^53 - 1. */
  varint(value: number): void {
    this.#reserve(8);
    let rest = value;
    for (; rest > 0x7fffffff; rest = Math.floor(rest / 128)) this.#bytes[this.at++] = (rest % 128) | 0x80;
    for (; rest > 0x7f; rest >>>= 7) this.#bytes[this.at++] = (rest & 0x7f) | 0x80;
    this.#bytes[this.at++] = rest;
  }

  double(value: number): void {
    this.#reserve(8);
    this.#view.setFloat64(this.at, value, true);
    this.at += 8;
  }

  /** A surrogate without its other half, which UTF-8 cannot hold, becomes U+FFFD. */
  text(text: string): void {
    this.block(UTF8.encode(text));
  }

  block(bytes: Uint8Array): void {
    this.varint(bytes.length);
    this.#reserve(bytes.length);
    this.#bytes.set(bytes, this.at);
    this.at += bytes.length;
  }

  /** Of a few bytes, for which a view costs more than the copy. */
  copy(from: Uint8Array, start: number, end: number): void {
    const length = end - start;
    this.#reserve(length);
    for (let i = 0; i < length; i++) this.#bytes[this.at + i] = from[start + i] as number;
    this.at += length;
  }

  /** A copy of what was written; the next begins anew. */
  take(): Uint8Array {
    const taken = this.#bytes.slice(0, this.at);
    this.at = 0;
    return taken;
  }

  #reserve(extra: number): void {
    if (this.at + extra <= this.#bytes.length) return;
    const next = new Uint8Array(Math.max(this.#bytes.length * 2, this.at + extra));
    next.set(this.#bytes.subarray(0, this.at));
    this.#bytes = next;
    this.#view = new DataView(next.buffer);
  }
}
