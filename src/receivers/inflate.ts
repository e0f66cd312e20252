/** Decompresses one request with the limit enforced while it inflates, so that a small body cannot become a large one in memory. */
import zlib from 'node:zlib';
import type { Lease } from './admission.ts';
import { type Refused, refusal } from './outcome-table.ts';

/** `deflate` is the zlib format (RFC 1950), as HTTP has it. */
export type Compression = 'identity' | 'gzip' | 'deflate' | 'zstd';

/** Up to here decompressing in place costs less than a turn through the thread pool. */
const SYNC_INPUT_BYTES = 64 * 1024;
/** A small body that inflates to more than this goes through the thread pool after all: it would hold up everyone else. */
const SYNC_OUTPUT_BYTES = 1024 * 1024;
/** A frame may ask for a window of up to 128 MiB that no lease would know of; 8 MiB is what every decoder must allow (RFC 8878, 3.1.1.1.2). */
const ZSTD_PARAMS = { [zlib.constants.ZSTD_d_windowLogMax]: 23 };
/** Deflate's best: 258 bytes for 2 bits. */
const MAX_GZIP_RATIO = 1032;
const MIN_CHUNK_BYTES = 64 * 1024;
/** 8,192 spans and some more in one piece. What a body that lies about its size does not fill is address space, not memory. */
const MAX_CHUNK_BYTES = 8 * 1024 * 1024;

/** The inflated bytes, or why there are none. */
export type Inflated = { readonly bytes: Buffer } | { readonly refused: Refused };

/**
 * Inflates `body` to at most `limitBytes`; what comes out is held in `lease`. Small bodies are done at once, so the result is a promise
 * only when it must be.
 */
export function inflate(compression: Compression, body: Buffer, limitBytes: number, lease: Lease): Inflated | Promise<Inflated> {
  if (compression === 'identity') return body.length > limitBytes ? { refused: tooLarge(limitBytes) } : { bytes: body };
  if (body.length === 0) return { bytes: body };
  if (compression === 'gzip' && announcesTooMuch(body, limitBytes)) return { refused: tooLarge(limitBytes) };
  if (body.length > SYNC_INPUT_BYTES) return inflateInPool(compression, body, limitBytes, lease);
  const atOnceBytes = Math.min(limitBytes, SYNC_OUTPUT_BYTES);
  try {
    const bytes = inflateAtOnce(compression, body, atOnceBytes);
    return lease.grow(bytes.length) ? { bytes } : { refused: refusal('overloaded') };
  } catch (error) {
    if (!isTooLarge(error)) return { refused: badCompression(compression, error) };
    return limitBytes > atOnceBytes ? inflateInPool(compression, body, limitBytes, lease) : { refused: tooLarge(limitBytes) };
  }
}

function inflateAtOnce(compression: Exclude<Compression, 'identity'>, body: Buffer, maxOutputLength: number): Buffer {
  const options = { maxOutputLength, chunkSize: chunkBytes(compression, body) };
  switch (compression) {
    case 'gzip':
      return zlib.gunzipSync(body, options);
    case 'deflate':
      return zlib.inflateSync(body, options);
    case 'zstd':
      return zlib.zstdDecompressSync(body, { ...options, params: ZSTD_PARAMS });
    default:
      return compression satisfies never;
  }
}

function inflateInPool(compression: Exclude<Compression, 'identity'>, body: Buffer, limitBytes: number, lease: Lease): Promise<Inflated> {
  const chunkSize = chunkBytes(compression, body);
  // Memory is taken by the chunk, before there is anything in it, and a size that lies must not take more than there is room for.
  if (!lease.grow(chunkSize)) return Promise.resolve({ refused: refusal('overloaded') });
  const stream = inflater(compression, chunkSize);
  const chunks: Buffer[] = [];
  let total = 0;
  let heldBytes = chunkSize;
  return new Promise((resolve) => {
    const refuse = (refused: Refused): void => {
      stream.destroy();
      resolve({ refused });
    };
    stream.on('data', (chunk: Buffer) => {
      total += chunk.length;
      chunks.push(chunk);
      if (total > limitBytes) return refuse(tooLarge(limitBytes));
      if (total < heldBytes) return;
      heldBytes += chunkSize;
      if (!lease.grow(chunkSize)) refuse(refusal('overloaded'));
    });
    stream.on('error', (error) => refuse(badCompression(compression, error)));
    stream.on('end', () => resolve({ bytes: chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks, total) }));
    stream.end(body);
  });
}

function inflater(compression: Exclude<Compression, 'identity'>, chunkSize: number) {
  switch (compression) {
    case 'gzip':
      return zlib.createGunzip({ chunkSize });
    case 'deflate':
      return zlib.createInflate({ chunkSize });
    case 'zstd':
      return zlib.createZstdDecompress({ chunkSize, params: ZSTD_PARAMS });
    default:
      return compression satisfies never;
  }
}

/** Each chunk is a turn through the thread pool and a piece to be joined, so one that takes all is best; but a size may lie. */
function chunkBytes(compression: Compression, body: Buffer): number {
  const hint = compression === 'gzip' ? gzipContentBytes(body) + 1 : body.length * 4;
  return Math.min(Math.max(hint, MIN_CHUNK_BYTES), MAX_CHUNK_BYTES);
}

/** Whoever announces too much is either right or broken, and refused in both cases; a size that gzip cannot reach is only broken. */
function announcesTooMuch(body: Buffer, limitBytes: number): boolean {
  const announced = gzipContentBytes(body);
  return announced > limitBytes && announced <= body.length * MAX_GZIP_RATIO;
}

/** What gzip says of its content at its end, modulo 2^32 (RFC 1952, ISIZE); of the last member where there are several. */
function gzipContentBytes(body: Buffer): number {
  return body.length >= 18 ? body.readUInt32LE(body.length - 4) : 0;
}

function isTooLarge(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ERR_BUFFER_TOO_LARGE';
}

function tooLarge(limitBytes: number): Refused {
  return refusal('too_large', `the request is larger than ${limitBytes} bytes after decompression`);
}

function badCompression(compression: Compression, error: unknown): Refused {
  return refusal('bad_compression', `the request is not valid ${compression}: ${error instanceof Error ? error.message : String(error)}`);
}
