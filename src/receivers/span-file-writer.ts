/** Records requests as they were received, in the length-prefixed format that `span-records.ts` reads. */

import { createWriteStream, type WriteStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { PermanentError } from '../model/errors.ts';
import type { SpanEncoding } from './receiver.ts';

const LENGTH_BYTES = 4;
/** Requests beyond this, waiting for a slow disk, are not recorded. */
const MAX_WAITING_BYTES = 64 * 1024 * 1024;

/** JSON requests keep their encoding: a record that begins with `{` is JSON, all others are protobuf. */
export class SpanFileWriter {
  /** Requests that are not in the file because the disk was too slow or failed. */
  dropped = 0;
  written = 0;
  #error: Error | null = null;
  readonly #stream: WriteStream;

  private constructor(stream: WriteStream) {
    this.#stream = stream;
    stream.on('error', (error) => {
      this.#error = error;
    });
  }

  /** Appends to what is there; a record that a crash cut off is removed first. Throws PermanentError when the file is of another kind. */
  static async open(path: string): Promise<SpanFileWriter> {
    try {
      const wholeBytes = await lengthOfWholeRecords(path);
      return new SpanFileWriter(createWriteStream(path, { flags: 'r+', start: wholeBytes }));
    } catch (cause) {
      if (cause instanceof PermanentError) throw cause;
      const code = cause instanceof Error && 'code' in cause ? String(cause.code) : 'unknown';
      throw new PermanentError(code, `recording spans to ${path}`, { cause });
    }
  }

  /** The first failure to write; nothing is recorded after it. */
  get error(): Error | null {
    return this.#error;
  }

  /** Copies the request. Empty requests are left out. False when it is not recorded. */
  write(encoding: SpanEncoding, bytes: Uint8Array): boolean {
    const body = encoding === 'json' ? withoutLeadingSpace(bytes) : bytes;
    if (body.length === 0) return true;
    if (this.#error !== null || this.#stream.writableEnded || this.#stream.writableLength + body.length > MAX_WAITING_BYTES) {
      this.dropped++;
      return false;
    }
    const record = Buffer.allocUnsafe(LENGTH_BYTES + body.length);
    record.writeUInt32BE(body.length, 0);
    record.set(body, LENGTH_BYTES);
    this.#stream.write(record);
    this.written++;
    return true;
  }

  /** Waits until all is with the operating system. Does not throw; see `error`. */
  async close(): Promise<void> {
    if (this.#stream.closed) return;
    const closed = new Promise<void>((resolve) => this.#stream.once('close', () => resolve()));
    this.#stream.end();
    await closed;
  }
}

/** A line feed is also a protobuf tag, so JSON must begin with its brace to be told apart. */
function withoutLeadingSpace(bytes: Uint8Array): Uint8Array {
  const start = bytes.findIndex((byte) => byte !== 0x20 && byte !== 0x09 && byte !== 0x0a && byte !== 0x0d);
  return start < 0 ? new Uint8Array(0) : bytes.subarray(start);
}

/** Creates the file when there is none, and cuts off what follows its last whole record. */
async function lengthOfWholeRecords(path: string): Promise<number> {
  const file = await open(path, 'a+');
  try {
    const { size } = await file.stat();
    const prefix = Buffer.alloc(LENGTH_BYTES);
    let end = 0;
    while (end < size) {
      const { bytesRead } = await file.read(prefix, 0, LENGTH_BYTES, end);
      // No request is this long, but text is, when its first letters are taken for a length.
      if (prefix.readUInt8(0) > 0x07) throw new PermanentError('not_records', `recording spans to ${path}: the file holds something else`);
      const next = end + LENGTH_BYTES + prefix.readUInt32BE(0);
      if (bytesRead < LENGTH_BYTES || next > size) break;
      end = next;
    }
    if (end < size) await file.truncate(end);
    return end;
  } finally {
    await file.close();
  }
}
