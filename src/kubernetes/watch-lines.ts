/** Cuts a stream into lines of JSON, each of bounded length. */
import type { Readable } from 'node:stream';
import { RetryableError } from '../model/errors.ts';

/** etcd takes objects of 1.5 MiB; as JSON with all escapes they may be longer. */
const MAX_LINE_BYTES = 8 * 2 ** 20;
const NEWLINE = 0x0a;

/** `heard` is called for every piece that comes. A line that is too long or no JSON is a RetryableError `answer`, as `act` begins it; a last line without its end is one too, of the network. */
export async function* jsonLines(stream: Readable, heard: () => void, act: string): AsyncGenerator<unknown> {
  let parts: Buffer[] = [];
  let bytes = 0;
  for await (const piece of stream) {
    heard();
    let rest = piece as Buffer;
    for (let end = rest.indexOf(NEWLINE); end >= 0; end = rest.indexOf(NEWLINE)) {
      parts.push(rest.subarray(0, end));
      rest = rest.subarray(end + 1);
      const line = Buffer.concat(parts).toString('utf8');
      parts = [];
      bytes = 0;
      if (line.trim() !== '') yield value(line, act);
    }
    if (rest.length > 0) parts.push(rest);
    bytes += rest.length;
    if (bytes > MAX_LINE_BYTES) throw new RetryableError('answer', `${act}: a line is longer than ${MAX_LINE_BYTES} bytes`);
  }
  if (bytes > 0) throw new RetryableError('network', `${act}: broken off in the middle of a line`);
}

function value(line: string, act: string): unknown {
  try {
    return JSON.parse(line);
  } catch (cause) {
    throw new RetryableError('answer', `${act}: a line is no JSON`, { cause });
  }
}
