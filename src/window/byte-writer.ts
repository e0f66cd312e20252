/** Writes numbers to a growing byte array: unsigned varints (LEB128) and little-endian doubles. */

export class ByteWriter {
  bytes: Uint8Array<ArrayBuffer>;
  at = 0;
  #view: DataView;

  constructor(capacity = 1024) {
    this.bytes = new Uint8Array(capacity);
    this.#view = new DataView(this.bytes.buffer);
  }

  /** Makes room for `extra` bytes more. */
  reserve(extra: number): void {
    if (this.at + extra <= this.bytes.length) return;
    const next = new Uint8Array(Math.max(this.bytes.length * 2, this.at + extra));
    next.set(this.bytes.subarray(0, this.at));
    this.bytes = next;
    this.#view = new DataView(next.buffer);
  }

  /** A whole number from 0 to 2^53 - 1. */
  varint(value: number): void {
    if (this.at + 8 > this.bytes.length) this.reserve(8);
    let rest = value;
    for (; rest > 0x7fffffff; rest = Math.floor(rest / 128)) this.bytes[this.at++] = (rest % 128) | 0x80;
    for (; rest > 0x7f; rest >>>= 7) this.bytes[this.at++] = (rest & 0x7f) | 0x80;
    this.bytes[this.at++] = rest;
  }

  double(value: number): void {
    this.reserve(8);
    this.#view.setFloat64(this.at, value, true);
    this.at += 8;
  }

  copy(from: Uint8Array, start: number, end: number): void {
    const length = end - start;
    this.reserve(length);
    if (length > 64) this.bytes.set(from.subarray(start, end), this.at);
    else for (let i = 0; i < length; i++) this.bytes[this.at + i] = from[start + i] as number;
    this.at += length;
  }
}
