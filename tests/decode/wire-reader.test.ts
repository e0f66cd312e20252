/** Protobuf's wire format, its edges included, next to protobufjs' reader. */
import protobuf from 'protobufjs';
import { describe, expect, it } from 'vitest';
import { Malformation } from '../../src/decode/decode-error.ts';
import { WireReader } from '../../src/decode/wire-reader.ts';
import { seededRandom } from '../demo/random.ts';
import { varint } from './random-request.ts';

type Act = 'tag' | 'length' | 'low32' | 'int64';

function read(act: Act, bytes: readonly number[], end = bytes.length): number | string {
  const reader = new WireReader();
  reader.load(Uint8Array.from(bytes));
  try {
    const value = reader[act](end);
    return value;
  } catch (thrown) {
    if (!(thrown instanceof Malformation)) throw thrown;
    return thrown.message;
  }
}

describe('reading', () => {
  it.each<[string, Act, number[], number | string]>([
    ['a tag of one byte', 'tag', [0x0a], 0x0a],
    ['a tag of two bytes', 'tag', [0x85, 0x01], 0x85],
    ['a tag written too long', 'tag', [0x8a, 0x80, 0x00], 0x0a],
    ['the largest tag', 'tag', [0xfd, 0xff, 0xff, 0xff, 0x0f], 0xfffffffd],
    ['a tag of a group', 'tag', [0x0b], 'a field has the wire type 3'],
    ['a tag beyond 32 bits', 'tag', [0xff, 0xff, 0xff, 0xff, 0x1f], 'a tag is longer than 32 bits'],
    ['a tag of six bytes', 'tag', [0x8a, 0x80, 0x80, 0x80, 0x80, 0x00], 'a tag is longer than 32 bits'],
    ['a tag of field 0', 'tag', [0x02], 'a field has the number 0'],
    ['a tag of field 0 written too long', 'tag', [0x82, 0x00], 'a field has the number 0'],
    ['half a tag', 'tag', [0x8a], 'a tag is cut off'],
    ['no tag', 'tag', [], 'a tag is cut off'],
    ['a length of nothing', 'length', [0], 0],
    ['a length up to the end', 'length', [2, 9, 9], 2],
    ['a length beyond the end', 'length', [3, 9, 9], 'a field of 3 bytes reaches beyond the end of its message'],
    ['the largest length', 'length', [0xff, 0xff, 0xff, 0xff, 0x07], 'a field of 2147483647 bytes reaches beyond the end of its message'],
    ['a length of 32 bits', 'length', [0xff, 0xff, 0xff, 0xff, 0x0f], 'a length is longer than 31 bits'],
    ['half a length', 'length', [0x80], 'a length is cut off'],
    ['a small int', 'low32', [5], 5],
    ['a negative int in ten bytes', 'low32', [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01], -1],
    ['an int of eleven bytes', 'low32', [...new Array(10).fill(0x80), 0], 'a varint is longer than 10 bytes'],
    ['half an int', 'low32', [0x80, 0x80], 'a varint is cut off'],
    ['2^32', 'int64', [0x80, 0x80, 0x80, 0x80, 0x10], 2 ** 32],
    ['a negative int64', 'int64', [0xfb, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01], -5],
  ])('%s', (_, act, bytes, expected) => {
    expect(read(act, bytes)).toBe(expected);
  });

  it('gives the int64s and int32s that protobufjs gives', () => {
    const random = seededRandom(3);
    for (let i = 0; i < 5000; i++) {
      const bits = BigInt(Math.floor(random() * 65));
      const value = BigInt.asUintN(64, (BigInt(Math.floor(random() * 2 ** 32)) << 32n) | BigInt(Math.floor(random() * 2 ** 32))) >> bits;
      const bytes = varint(value);
      expect(read('int64', [...bytes])).toBe(Number(String(protobuf.Reader.create(bytes).int64())));
      expect(read('low32', [...bytes])).toBe(protobuf.Reader.create(bytes).int32());
    }
  });

  it.each<[string, number, number[], number | string]>([
    ['a varint', 8, [0x80, 0x01, 7], 2],
    ['eight bytes', 9, [1, 2, 3, 4, 5, 6, 7, 8, 9], 8],
    ['bytes with a length', 10, [2, 1, 1, 7], 3],
    ['four bytes', 13, [1, 2, 3, 4, 5], 4],
    ['eight bytes that are not there', 9, [1, 2, 3], 'a field of 8 bytes reaches beyond the end of its message'],
    ['the start of a group', 11, [0], 'a field has the wire type 3'],
    ['the end of a group', 12, [0], 'a field has the wire type 4'],
    ['wire type 6', 14, [0], 'a field has the wire type 6'],
    ['wire type 7', 15, [0], 'a field has the wire type 7'],
  ])('passes over, or refuses, %s', (_, tag, bytes, expected) => {
    const reader = new WireReader();
    reader.load(Uint8Array.from(bytes));
    if (typeof expected === 'number') {
      reader.skip(tag, bytes.length);
      expect(reader.pos).toBe(expected);
    } else expect(() => reader.skip(tag, bytes.length)).toThrow(expect.objectContaining({ message: expected }));
  });

  it('never reads beyond the end of the message, whatever follows it', () => {
    expect(read('low32', [0x80, 0x01], 1)).toBe('a varint is cut off');
    expect(read('length', [1, 7], 1)).toBe('a field of 1 bytes reaches beyond the end of its message');
  });
});
