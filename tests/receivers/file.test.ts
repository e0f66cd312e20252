import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { fc, it as property } from '@fast-check/vitest';
import { describe, expect, it, onTestFinished } from 'vitest';
import { readSpanFile, type SpanFileProgress, spanFileProblemText } from '../../src/receivers/file.ts';
import type { ConsumeOutcome, SpanEncoding } from '../../src/receivers/receiver.ts';
import { SpanFileWriter } from '../../src/receivers/span-file-writer.ts';
import { ACCEPTED } from './stand.ts';

/** An empty `ResourceSpans` followed by a schema URL: as protobuf requests begin. */
const PROTO = Buffer.from([0x0a, 0x05, 0x1a, 0x03, 0x61, 0x62, 0x63]);
const JSON_REQUEST = Buffer.from('{"resourceSpans":[]}');

function framed(...requests: Buffer[]): Buffer {
  return Buffer.concat(
    requests.flatMap((request) => {
      const length = Buffer.alloc(4);
      length.writeUInt32BE(request.length);
      return [length, request];
    }),
  );
}

async function* inPieces(bytes: Buffer, pieceBytes: number): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += pieceBytes) yield bytes.subarray(at, at + pieceBytes);
}

async function read(bytes: Buffer, pieceBytes = 7, answer: (encoding: SpanEncoding, text: string) => ConsumeOutcome = () => ACCEPTED) {
  const requests: [SpanEncoding, string][] = [];
  const problems: string[] = [];
  const summary = await readSpanFile({
    path: 'spans',
    input: inPieces(bytes, pieceBytes),
    maxRequestBytes: 1000,
    onRequest: (encoding, request) => {
      const text = Buffer.from(request).toString('latin1');
      const outcome = answer(encoding, text);
      if (outcome.kind === 'accepted') requests.push([encoding, text]);
      return outcome;
    },
    onProblem: (problem) => problems.push(spanFileProblemText(problem)),
  });
  expect(summary.requests).toBe(requests.length);
  expect(summary.problems).toBe(problems.length);
  return { requests, problems, summary };
}

const P: [SpanEncoding, string] = ['protobuf', PROTO.toString('latin1')];
const J: [SpanEncoding, string] = ['json', JSON_REQUEST.toString()];
const LINE = JSON_REQUEST.toString();

describe('a file of spans', () => {
  it.each<[string, Buffer, [SpanEncoding, string][]]>([
    ['JSON lines', Buffer.from(`${LINE}\n${LINE}\n`), [J, J]],
    ['JSON lines without a last newline', Buffer.from(`${LINE}\n${LINE}`), [J, J]],
    ['JSON lines with blanks, carriage returns and a byte order mark', Buffer.from(`\ufeff${LINE}\r\n\n  ${LINE} \r\n\n`), [J, J]],
    ['records of protobuf', framed(PROTO, PROTO), [P, P]],
    ['records of protobuf, each compressed with zstd', framed(zstdCompressSync(PROTO), zstdCompressSync(PROTO)), [P, P]],
    ['records of JSON, each compressed with zstd', framed(zstdCompressSync(JSON_REQUEST)), [J]],
    ['records of both kinds', framed(PROTO, JSON_REQUEST), [P, J]],
    ['an empty record', framed(Buffer.alloc(0)), [['protobuf', '']]],
    ['JSON lines in gzip', gzipSync(`${LINE}\n${LINE}\n`), [J, J]],
    ['records in gzip', gzipSync(framed(PROTO)), [P]],
    ['JSON lines in zstd', zstdCompressSync(Buffer.from(`${LINE}\n`)), [J]],
    ['nothing', Buffer.alloc(0), []],
  ])('is read when it holds %s, in pieces of any size', async (_name, bytes, expected) => {
    for (const pieceBytes of [1, 2, 5, 1000]) {
      const { requests, problems } = await read(bytes, pieceBytes);
      expect([requests, problems]).toEqual([expected, []]);
    }
  });

  it.each<[string, Buffer, number, string[]]>([
    [
      'a line that is too long',
      Buffer.from(`${LINE}\n{${'x'.repeat(2000)}}\n${LINE}\n`),
      2,
      ['spans:2: the line is longer than the limit of 1000 bytes'],
    ],
    [
      'a record that is cut off',
      framed(PROTO, PROTO).subarray(0, -2),
      1,
      ['spans at byte 11: the last record is cut off: 2 of its 7 bytes are missing'],
    ],
    [
      'a length that is cut off',
      framed(PROTO, PROTO).subarray(0, 13),
      1,
      ['spans at byte 11: the file ends within the length of a record'],
    ],
    [
      'a record that is too large',
      framed(PROTO, Buffer.alloc(2000)),
      1,
      ['spans at byte 11: a record of 2000 bytes is larger than the limit of 1000'],
    ],
    [
      'something else',
      Buffer.from('PK\x03\x04'),
      0,
      ['spans at byte 0: these are no spans: neither JSON lines nor length-prefixed requests'],
    ],
  ])('with %s says where', async (_name, bytes, requests, problems) => {
    expect(await read(bytes)).toMatchObject({ requests: { length: requests }, problems });
  });

  it('goes on after a record that cannot be decompressed', async () => {
    const { requests, problems } = await read(framed(PROTO, zstdCompressSync(PROTO).subarray(0, -1), PROTO));
    expect(requests).toEqual([P, P]);
    expect(problems).toEqual([expect.stringContaining('spans at byte 11: the record cannot be decompressed')]);
  });

  it('gives what it can of a compressed file that is cut off', async () => {
    const text = Array.from({ length: 5000 }, (_, i) => `{"n":"${(i * 7919) ** 2}"}\n`).join('');
    const { requests, problems } = await read(gzipSync(text).subarray(0, -2000), 1000);
    expect(requests.length).toBeGreaterThan(1000);
    expect(requests.length).toBeLessThan(5000);
    expect(problems).toEqual([expect.stringContaining('the compressed file ends or breaks here')]);
  });

  it('names the line of a request that is not accepted, and goes on', async () => {
    const { requests, problems } = await read(Buffer.from(`${LINE}\n{"bad"\n${LINE}\n`), 7, (_encoding, text) =>
      text.startsWith('{"bad') ? { kind: 'malformed', message: 'not JSON' } : ACCEPTED,
    );
    expect(requests).toEqual([J, J]);
    expect(problems).toEqual(['spans:2: not JSON']);
  });

  property.prop([
    fc.array(fc.stringMatching(/^[a-z{}" é]{0,30}$/), { maxLength: 20 }),
    fc.integer({ min: 1, max: 40 }),
    fc.constantFrom('plain', 'gzip', 'zstd'),
  ])('reads the same lines whatever the pieces and the compression', async (texts, pieceBytes, compression) => {
    const bytes = Buffer.from(`{\n${texts.join('\n')}`);
    const compressed = compression === 'plain' ? bytes : compression === 'gzip' ? gzipSync(bytes) : zstdCompressSync(bytes);
    const { requests } = await read(compressed, pieceBytes);
    const expected = ['{', ...texts.map((text) => Buffer.from(text.trim()).toString('latin1')).filter((text) => text !== '')];
    expect(requests.map(([, text]) => text)).toEqual(expected);
  });

  it('is not read faster than it is consumed', async () => {
    let given = 0;
    const source = async function* (): AsyncGenerator<Buffer> {
      for (let i = 0; i < 100; i++) {
        given++;
        yield Buffer.from(`${LINE}\n`);
      }
    };
    let taken = 0;
    let ahead = 0;
    await readSpanFile({
      path: '-',
      input: source(),
      maxRequestBytes: 1000,
      onRequest: async () => {
        await new Promise((resolve) => setImmediate(resolve));
        taken++;
        ahead = Math.max(ahead, given - taken);
        return ACCEPTED;
      },
      onProblem: () => {},
    });
    expect(taken).toBe(100);
    expect(ahead).toBeLessThan(3);
  });

  it('on disk reports how far it is, and one that is missing is named', async () => {
    const path = await scratchFile('spans.jsonl');
    await writeFile(path, `${LINE}\n`.repeat(200_000));
    const seen: SpanFileProgress[] = [];
    const options = { maxRequestBytes: 1000, onRequest: () => ACCEPTED, onProblem: () => {} };
    const { requests, bytesRead } = await readSpanFile({ ...options, path, onProgress: (progress) => seen.push(progress) });
    expect(requests).toBe(200_000);
    expect(seen.length).toBeGreaterThan(3);
    expect(seen.at(-1)).toEqual({ bytesRead, totalBytes: bytesRead });
    await expect(readSpanFile({ ...options, path: `${path}.gone` })).rejects.toMatchObject({ name: 'PermanentError', code: 'ENOENT' });
  });
});

async function scratchFile(name: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'slipstream-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  return join(folder, name);
}

describe('a recording', () => {
  it('reads back as what was received, in order, also after it was continued', async () => {
    const path = await scratchFile('spans.bin');
    const first = await SpanFileWriter.open(path);
    expect(first.write('protobuf', PROTO)).toBe(true);
    expect(first.write('json', Buffer.from(`\n ${LINE}`))).toBe(true);
    expect(first.write('protobuf', Buffer.alloc(0))).toBe(true);
    await first.close();
    const second = await SpanFileWriter.open(path);
    second.write('protobuf', PROTO);
    await second.close();
    expect([first.written, second.written, first.dropped, second.error]).toEqual([2, 1, 0, null]);
    const { requests, problems } = await read(await readFile(path));
    expect([requests, problems]).toEqual([[P, J, P], []]);
  });

  it('copies what it is given', async () => {
    const path = await scratchFile('spans.bin');
    const writer = await SpanFileWriter.open(path);
    const bytes = Buffer.from(PROTO);
    writer.write('protobuf', bytes);
    bytes.fill(0);
    await writer.close();
    expect((await read(await readFile(path))).requests).toEqual([P]);
  });

  it('that a crash cut off is mended before it goes on', async () => {
    const path = await scratchFile('spans.bin');
    await writeFile(path, framed(PROTO, PROTO).subarray(0, -1));
    const writer = await SpanFileWriter.open(path);
    writer.write('json', JSON_REQUEST);
    await writer.close();
    const { requests, problems } = await read(await readFile(path));
    expect([requests, problems]).toEqual([[P, J], []]);
  });

  it('is not made on top of something else', async () => {
    const path = await scratchFile('notes.txt');
    await writeFile(path, 'my notes');
    await expect(SpanFileWriter.open(path)).rejects.toMatchObject({ name: 'PermanentError', code: 'not_records' });
    expect(await readFile(path, 'utf8')).toBe('my notes');
    await expect(SpanFileWriter.open(join(path, 'x'))).rejects.toMatchObject({ name: 'PermanentError', code: 'ENOTDIR' });
  });

  it('records nothing more once it is closed, and counts that', async () => {
    const writer = await SpanFileWriter.open(await scratchFile('spans.bin'));
    await writer.close();
    await writer.close();
    expect(writer.write('protobuf', PROTO)).toBe(false);
    expect(writer.dropped).toBe(1);
  });
});
