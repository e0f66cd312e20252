/** Reads back what `ByteWriter` wrote; refuses what it cannot have written, naming the offset. */
import { PermanentError } from '../model/errors.ts';

export class ByteReader {
  bytes: Uint8Array;
  at: number;
  end: number;

  constructor(bytes: Uint8Array, at = 0, end = bytes.length) {
    this.bytes = bytes;
    this.at = at;
    this.end = end;
  }

  varint(): number {
    const bytes = this.bytes;
    const first = this.at < this.end ? (bytes[this.at++] as number) : this.fail('ends within a number');
    if (first < 0x80) return first;
    let value = first & 0x7f;
    for (let scale = 128; scale <= 2 ** 49; scale *= 128) {
      const byte = this.at < this.end ? (bytes[this.at++] as number) : this.fail('ends within a number');
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value <= Number.MAX_SAFE_INTEGER ? value : this.fail('has a number beyond 2^53');
    }
    return this.fail('has a number that does not end');
  }

  double(): number {
    if (this.at + 8 > this.end) this.fail('ends within a number');
    const value = new DataView(this.bytes.buffer, this.bytes.byteOffset + this.at, 8).getFloat64(0, true);
    this.at += 8;
    return value;
  }

  fail(what: string): never {
    throw new PermanentError('slot_corrupt', `reading a stored slot: ${what} at byte ${this.at}`);
  }
}
