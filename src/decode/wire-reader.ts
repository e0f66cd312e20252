/**
 * Reads protobuf's wire format from bytes, refusing what no encoder writes.
 *
 *     field  = tag value                      tag = varint(number << 3 | wire type), at most 5 bytes
 *     varint = 7 bits a byte, low bits first, high bit set on all but the last; at most 10 bytes
 *     wire types: 0 varint | 1 eight bytes | 2 varint length and that many bytes | 5 four bytes
 *
 * Wire types 3 and 4 (groups) are valid protobuf but in no version of OTLP; they are refused, so that nothing nests without a length.
 */
import { Malformation } from './decode-error.ts';

export const WIRE_VARINT = 0;
export const WIRE_FIXED64 = 1;
export const WIRE_BYTES = 2;
export const WIRE_FIXED32 = 5;

/** Bit n is set for wire type n. */
const WIRE_TYPES = (1 << WIRE_VARINT) | (1 << WIRE_FIXED64) | (1 << WIRE_BYTES) | (1 << WIRE_FIXED32);
/** A 32-bit tag ends at the latest here, and its 5th byte has 4 bits. */
const MAX_TAG_BYTES = 5;
const MAX_VARINT_BYTES = 10;

const NOTHING = new Uint8Array(0);

/** A cursor over the bytes of one request. Every method is told where the enclosing message ends and never reads beyond. */
export class WireReader {
  bytes: Uint8Array = NOTHING;
  view: DataView = new DataView(NOTHING.buffer);
  pos = 0;

  /** Starts over. `bytes` must be a plain Uint8Array: a Buffer among them would make every access in the hot loop polymorphic. */
  load(bytes: Uint8Array): void {
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.pos = 0;
  }

  /** Forgets the bytes, so that they can be collected. */
  unload(): void {
    this.load(NOTHING);
  }

  /** Reads a tag; its field number is not 0 and its wire type is one of the four. */
  tag(end: number): number {
    const start = this.pos;
    let tag = 0;
    for (let i = 0; i < MAX_TAG_BYTES; i++) {
      if (this.pos >= end) throw new Malformation(start, 'a tag is cut off');
      const byte = this.bytes[this.pos++] as number;
      if (i === MAX_TAG_BYTES - 1 && byte > 0x0f) break;
      tag |= (byte & 0x7f) << (7 * i);
      if (byte < 0x80) {
        if (tag >>> 3 === 0) throw new Malformation(start, 'a field has the number 0');
        if (((WIRE_TYPES >> (tag & 7)) & 1) === 0) throw new Malformation(start, `a field has the wire type ${tag & 7}`);
        return tag >>> 0;
      }
    }
    throw new Malformation(start, 'a tag is longer than 32 bits');
  }

  /** Reads the length of a field and checks that the field ends within `end`. */
  length(end: number): number {
    const start = this.pos;
    let length = 0;
    for (let i = 0; i < MAX_TAG_BYTES; i++) {
      if (this.pos >= end) throw new Malformation(start, 'a length is cut off');
      const byte = this.bytes[this.pos++] as number;
      if (i === MAX_TAG_BYTES - 1 && byte > 0x07) break;
      length |= (byte & 0x7f) << (7 * i);
      if (byte < 0x80) {
        if (length > end - this.pos) throw new Malformation(start, `a field of ${length} bytes reaches beyond the end of its message`);
        return length;
      }
    }
    throw new Malformation(start, 'a length is longer than 31 bits');
  }

  /** Reads a varint and keeps its low 32 bits, signed, as protobuf does for int32 and enums. */
  low32(end: number): number {
    const start = this.pos;
    let value = 0;
    for (let i = 0; i < MAX_VARINT_BYTES; i++) {
      if (this.pos >= end) throw new Malformation(start, 'a varint is cut off');
      const byte = this.bytes[this.pos++] as number;
      if (i < 5) value |= (byte & 0x7f) << (7 * i);
      if (byte < 0x80) return value;
    }
    throw new Malformation(start, 'a varint is longer than 10 bytes');
  }

  /** Reads a varint as a signed 64-bit integer, rounded to a double beyond 2^53. */
  int64(end: number): number {
    const start = this.pos;
    let low = 0;
    let high = 0;
    for (let i = 0; i < MAX_VARINT_BYTES; i++) {
      if (this.pos >= end) throw new Malformation(start, 'a varint is cut off');
      const byte = this.bytes[this.pos++] as number;
      const bits = byte & 0x7f;
      if (i < 5) low |= bits << (7 * i);
      if (i === 4) high = bits >> 4;
      if (i > 4) high |= bits << (7 * i - 32);
      if (byte < 0x80) return high * 4_294_967_296 + (low >>> 0);
    }
    throw new Malformation(start, 'a varint is longer than 10 bytes');
  }

  /** Passes over `count` bytes. */
  pass(count: number, end: number): void {
    if (count > end - this.pos) throw new Malformation(this.pos, `a field of ${count} bytes reaches beyond the end of its message`);
    this.pos += count;
  }

  /** Passes over the value of a field that is not read. */
  skip(tag: number, end: number): void {
    switch (tag & 7) {
      case WIRE_VARINT:
        this.low32(end);
        return;
      case WIRE_FIXED64:
        this.pass(8, end);
        return;
      case WIRE_BYTES: {
        // Not `this.pos += …`, which would add to the position before the length.
        const length = this.length(end);
        this.pos += length;
        return;
      }
      case WIRE_FIXED32:
        this.pass(4, end);
        return;
      default:
        throw new Malformation(this.pos, `a field has the wire type ${tag & 7}`);
    }
  }
}
