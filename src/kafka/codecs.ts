/** Compressions that producers use: kafkajs knows gzip alone, and a batch in any other stops its consumer for good. */
import { zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import kafkajs from 'kafkajs';
import lz4 from 'lz4-napi';
import snappy from 'snappy';

const { CompressionCodecs, CompressionTypes } = kafkajs;

interface Encoder {
  readonly buffer: Buffer;
}

/** Safe to call often. */
export function registerCodecs(): void {
  CompressionCodecs[CompressionTypes.Snappy] = () => codec((plain) => snappy.compressSync(plain), fromSnappy);
  CompressionCodecs[CompressionTypes.LZ4] = () => codec((plain) => lz4.compressFrameSync(plain), lz4.decompressFrameSync);
  CompressionCodecs[CompressionTypes.ZSTD] = () => codec(zstdCompressSync, zstdDecompressSync);
}

function codec(compress: (plain: Buffer) => Buffer, decompress: (packed: Buffer) => Buffer) {
  return { compress: async ({ buffer }: Encoder) => compress(buffer), decompress: async (packed: Buffer) => decompress(packed) };
}

/** What Java's client writes: these 8 bytes, two versions of 4 bytes, then blocks of a big-endian length and so many bytes of snappy. */
const JAVA_MAGIC = Buffer.from('\x82SNAPPY\0', 'latin1');
const JAVA_HEADER_BYTES = 16;

/** Others write one bare block. Throws when a length is none. */
export function fromSnappy(packed: Buffer): Buffer {
  if (!packed.subarray(0, JAVA_MAGIC.length).equals(JAVA_MAGIC)) return snappy.uncompressSync(packed) as Buffer;
  const blocks: Buffer[] = [];
  for (let at = JAVA_HEADER_BYTES; at < packed.length; ) {
    const end = at + 4 + packed.readInt32BE(at);
    if (end < at + 4 || end > packed.length) throw new RangeError(`a block of snappy from ${at} to ${end} of ${packed.length} bytes`);
    blocks.push(snappy.uncompressSync(packed.subarray(at + 4, end)) as Buffer);
    at = end;
  }
  return Buffer.concat(blocks);
}
