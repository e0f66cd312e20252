/** Cuts a file of spans into requests: JSON lines or length-prefixed records, as the Collector's file exporter writes them. */
import { Readable } from 'node:stream';
import zlib from 'node:zlib';
import { ByteQueue } from './byte-queue.ts';
import type { SpanEncoding } from './receiver.ts';

// JSON lines   one ExportTraceServiceRequest as JSON per line
// records      4 bytes big-endian length, then so many bytes: a request as protobuf, as JSON (begins with `{`, which no protobuf request
//              does), or either compressed with zstd. The Collector writes the first kind for `format: proto` and the last for `compression: zstd`.
// Either may be gzip or zstd as a whole.

export interface RecordPosition {
  /** From 1; null in a file that has no lines. */
  readonly line: number | null;
  /** Where the line or record begins in the uncompressed file. */
  readonly byteOffset: number;
}

export type SpanRecord =
  | { readonly kind: 'request'; readonly encoding: SpanEncoding; readonly bytes: Buffer; readonly at: RecordPosition }
  /** Unless it is the last, reading goes on behind it. */
  | { readonly kind: 'problem'; readonly message: string; readonly at: RecordPosition };

const LENGTH_BYTES = 4;
const NEWLINE = 0x0a;
const BRACE = 0x7b;
/** The first byte of a length below 134 MB; text never begins with it. */
const MAX_LENGTH_FIRST_BYTE = 0x07;
const GZIP_MAGIC = Buffer.from([0x1f, 0x8b]);
const ZSTD_MAGIC = Buffer.from([0x28, 0xb5, 0x2f, 0xfd]);

/** Throws only what `chunks` throws; everything wrong with the content is a problem among the records. */
export async function* spanRecords(chunks: AsyncIterable<Uint8Array>, maxRequestBytes: number): AsyncGenerator<SpanRecord> {
  const input = new ByteQueue(chunks);
  await input.fill(LENGTH_BYTES);
  const head = input.peek(LENGTH_BYTES);
  if (head.length === 0) return;
  const inflater = wholeFileInflater(head);
  if (inflater === null) yield* records(input, maxRequestBytes);
  else yield* inflatedRecords(input, inflater, maxRequestBytes);
}

function wholeFileInflater(head: Buffer): zlib.Gunzip | zlib.ZstdDecompress | null {
  if (startsWith(head, GZIP_MAGIC)) return zlib.createGunzip();
  return startsWith(head, ZSTD_MAGIC) ? zlib.createZstdDecompress() : null;
}

async function* inflatedRecords(input: ByteQueue, inflater: zlib.Gunzip | zlib.ZstdDecompress, maxRequestBytes: number) {
  let sourceError: unknown;
  const source = Readable.from(input.rest());
  source.on('error', (error) => {
    sourceError = error;
    inflater.destroy(error);
  });
  const inflated = new ByteQueue(source.pipe(inflater));
  try {
    yield* records(inflated, maxRequestBytes);
  } catch (error) {
    if (sourceError !== undefined) throw sourceError;
    const reason = error instanceof Error ? error.message : String(error);
    yield problem(`the compressed file ends or breaks here: ${reason}`, { line: null, byteOffset: inflated.offset });
  } finally {
    source.destroy();
  }
}

async function* records(input: ByteQueue, maxRequestBytes: number): AsyncGenerator<SpanRecord> {
  await input.fill(1);
  const first = input.peek(1)[0];
  if (first === undefined) return;
  if (first <= MAX_LENGTH_FIRST_BYTE) yield* framedRecords(input, maxRequestBytes);
  else if (first === BRACE || first === 0xef || isSpace(first)) yield* lineRecords(input, maxRequestBytes);
  else yield problem('these are no spans: neither JSON lines nor length-prefixed requests', { line: null, byteOffset: 0 });
}

async function* framedRecords(input: ByteQueue, maxRequestBytes: number): AsyncGenerator<SpanRecord> {
  for (;;) {
    const at = { line: null, byteOffset: input.offset };
    await input.fill(LENGTH_BYTES);
    if (input.size === 0) return;
    if (input.size < LENGTH_BYTES) return yield problem('the file ends within the length of a record', at);
    const length = input.peek(LENGTH_BYTES).readUInt32BE(0);
    if (length > maxRequestBytes) return yield problem(`a record of ${length} bytes is larger than the limit of ${maxRequestBytes}`, at);
    await input.fill(LENGTH_BYTES + length);
    const missing = LENGTH_BYTES + length - input.size;
    if (missing > 0) return yield problem(`the last record is cut off: ${missing} of its ${length} bytes are missing`, at);
    input.take(LENGTH_BYTES);
    yield request(input.take(length), maxRequestBytes, at);
  }
}

function request(record: Buffer, maxOutputLength: number, at: RecordPosition): SpanRecord {
  let bytes = record;
  if (startsWith(record, ZSTD_MAGIC)) {
    try {
      bytes = zlib.zstdDecompressSync(record, { maxOutputLength });
    } catch (error) {
      return problem(`the record cannot be decompressed: ${error instanceof Error ? error.message : String(error)}`, at);
    }
  }
  return { kind: 'request', encoding: bytes[0] === BRACE ? 'json' : 'protobuf', bytes, at };
}

async function* lineRecords(input: ByteQueue, maxRequestBytes: number): AsyncGenerator<SpanRecord> {
  for (let line = 1; ; line++) {
    const at = { line, byteOffset: input.offset };
    const length = await input.fillLine(maxRequestBytes);
    if (length === null) {
      yield problem(`the line is longer than the limit of ${maxRequestBytes} bytes`, at);
      await input.skipLine();
      continue;
    }
    if (length === 0) return;
    const bytes = trimmed(input.take(length));
    if (bytes.length > 0) yield { kind: 'request', encoding: 'json', bytes, at };
  }
}

/** Without white space around, and without a byte order mark. */
function trimmed(line: Buffer): Buffer {
  let start = startsWith(line, Buffer.from([0xef, 0xbb, 0xbf])) ? 3 : 0;
  let end = line.length;
  while (start < end && isSpace(line[start])) start++;
  while (end > start && isSpace(line[end - 1])) end--;
  return line.subarray(start, end);
}

function isSpace(byte: number | undefined): boolean {
  return byte === 0x20 || byte === 0x09 || byte === 0x0d || byte === NEWLINE;
}

function startsWith(bytes: Buffer, prefix: Buffer): boolean {
  return bytes.length >= prefix.length && bytes.subarray(0, prefix.length).equals(prefix);
}

function problem(message: string, at: RecordPosition): SpanRecord {
  return { kind: 'problem', message, at };
}
