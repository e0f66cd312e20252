/** Reads the body of an HTTP request within bounds, or gets rid of it. */
import type { IncomingMessage } from 'node:http';
import type { Lease } from './admission.ts';
import type { MessageBuffer, MessageBuffers } from './message-buffer.ts';
import { type Refused, refusal } from './outcome-table.ts';

/** A refused sender may still send this much: it usually reads the answer only after its body is out. */
const MAX_DISCARDED_BYTES = 1024 * 1024;
/** Then the connection is closed for writing, and after this long altogether, so that the answer is not lost to a reset. */
const LINGER_MS = 1000;
const EMPTY = Buffer.alloc(0);

/** The whole body, held in `lease` as it arrives and to be given back to `buffers`; never rejects. A sender that goes away ends as `aborted`. */
export function readBody(
  request: IncomingMessage,
  limitBytes: number,
  lease: Lease,
  buffers: MessageBuffers,
): Promise<{ readonly bytes: Buffer } | { readonly refused: Refused }> {
  return new Promise((resolve) => {
    const expectedBytes = Number(request.headers['content-length'] ?? 0);
    let first: Buffer | null = null;
    let message: MessageBuffer | null = null;
    let total = 0;
    const onData = (chunk: Buffer): void => {
      total += chunk.length;
      if (total > limitBytes) refuse(refusal('too_large', `the request is larger than ${limitBytes} bytes`));
      else if (!lease.grow(chunk.length)) refuse(refusal('overloaded'));
      else if (first === null) first = chunk;
      else {
        if (message === null) {
          message = buffers.message(expectedBytes);
          message.append(first);
        }
        message.append(chunk);
      }
    };
    const settle = (result: { readonly bytes: Buffer } | { readonly refused: Refused }): void => {
      request.off('data', onData);
      request.off('close', onClose);
      resolve(result);
    };
    const refuse = (refused: Refused): void => {
      lease.close();
      settle({ refused });
    };
    const onClose = (): void => refuse(refusal('aborted'));
    request.on('data', onData);
    request.on('close', onClose);
    // Every error ends in `close`, which says it all; without a listener it would end the process.
    request.on('error', () => {});
    request.once('end', () => settle({ bytes: message?.bytes() ?? first ?? EMPTY }));
  });
}

/** Lets an answered request finish, so that its connection can be used again, but only for so many bytes. */
export function discardBody(request: IncomingMessage): void {
  let discarded = 0;
  const { socket } = request;
  request.on('error', () => socket.destroy());
  request.on('data', (chunk: Buffer) => {
    discarded += chunk.length;
    if (discarded <= MAX_DISCARDED_BYTES) return;
    request.removeAllListeners('data');
    request.pause();
    socket.end();
    setTimeout(() => socket.destroy(), LINGER_MS).unref();
  });
  request.resume();
}
