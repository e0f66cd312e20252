/** Reads the parts of a record, and refuses what `RecordWriter` cannot have written. */
import type { WireError } from './wire-error.ts';

const UTF8 = new TextDecoder('utf-8', { ignoreBOM: true });

/** Stays inside this room: whoever reads a record catches it. */
export class Malformation extends Error {
  readonly told: WireError;

  constructor(field: string, offset: number, message: string) {
    super(message);
    this.told = { kind: 'malformed', field, offset, message };
  }
}

/** What `read` gives, or why the bytes are no record. */
export function orWireError<T>(read: () => T): T | WireError {
  try {
    return read();
  } catch (thrown) {
    if (thrown instanceof Malformation) return thrown.told;
    throw thrown;
  }
}

export class RecordReader {
  /** For error messages: what is being read. */
  field = '';
  at = 0;
  bytes: Uint8Array = new Uint8Array(0);
  #view = new DataView(this.bytes.buffer);

  start(bytes: Uint8Array): void {
    this.bytes = new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.at = 0;
  }

  get left(): number {
    return this.bytes.length - this.at;
  }

  byte(): number {
    if (this.at >= this.bytes.length) this.fail('the record ends here');
    return this.bytes[this.at++] as number;
  }

  /** A whole number from 0 to `most`, which is below 2^53. */
  varint(most = Number.MAX_SAFE_INTEGER): number {
    const { bytes } = this;
    const first = bytes[this.at];
    if (first !== undefined && first < 0x80 && first <= most) {
      this.at++;
      return first;
    }
    let value = 0;
    for (let scale = 1; scale <= 2 ** 49; scale *= 128) {
      const byte = this.byte();
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value <= most ? value : this.fail(`${value} is more than ${most}`);
    }
    return this.fail('the number does not end');
  }

  /** How many things of at least `atLeast` bytes each follow: no more than there can be. */
  howMany(atLeast: number): number {
    return this.varint(Math.floor(this.left / atLeast));
  }

  /** Any but NaN. */
  double(): number {
    if (this.left < 8) this.fail('the record ends within a number');
    const value = this.#view.getFloat64(this.at, true);
    if (Number.isNaN(value)) this.fail('not a number');
    this.at += 8;
    return value;
  }

  finite(): number {
    const value = this.double();
    return Number.isFinite(value) ? value : this.fail(`${value} is not finite`);
  }

  /** A sum of weights, 0 or more, and finite. */
  weight(): number {
    const value = this.finite();
    return value >= 0 ? value : this.fail(`${value} is no weight`);
  }

  text(): string {
    const end = this.block();
    const text = UTF8.decode(this.bytes.subarray(this.at, end));
    this.at = end;
    return text;
  }

  /** Reads the length of a block of bytes, and returns where it ends. */
  block(): number {
    const length = this.varint();
    return length <= this.left ? this.at + length : this.fail(`${length} bytes are told and ${this.left} are left`);
  }

  skip(): void {
    this.at = this.block();
  }

  /** Refuses bytes after the end of the record. */
  finish(): void {
    this.field = 'end';
    if (this.left > 0) this.fail(`${this.left} bytes follow the end of the record`);
  }

  fail(message: string): never {
    throw new Malformation(this.field, this.at, message);
  }
}
