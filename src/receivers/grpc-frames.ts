/** Cuts the bytes of a gRPC stream into its messages. */
import type { MessageBuffer, MessageBuffers } from './message-buffer.ts';

/** Length-prefixed message of gRPC: 1 byte compressed flag, 4 bytes big-endian length, then the message. */
export const PREFIX_BYTES = 5;

export class GrpcFrames {
  #prefix = Buffer.alloc(PREFIX_BYTES);
  #prefixLength = 0;
  /** Prefix and message. */
  #frame: MessageBuffer | null = null;
  #frameBytes = 0;
  readonly #maxMessageBytes: number;
  readonly #buffers: MessageBuffers;

  constructor(maxMessageBytes: number, buffers: MessageBuffers) {
    this.#maxMessageBytes = maxMessageBytes;
    this.#buffers = buffers;
  }

  /** The messages that `data` completes, each with its prefix; null when a message announces itself as too large. */
  write(data: Buffer): Buffer[] | null {
    const whole: Buffer[] = [];
    let at = 0;
    while (at < data.length) {
      if (this.#frame === null) {
        const taken = data.copy(this.#prefix, this.#prefixLength, at, at + PREFIX_BYTES - this.#prefixLength);
        at += taken;
        this.#prefixLength += taken;
        if (this.#prefixLength < PREFIX_BYTES) break;
        const length = this.#prefix.readUInt32BE(1);
        if (length > this.#maxMessageBytes) return null;
        this.#frameBytes = PREFIX_BYTES + length;
        this.#frame = this.#buffers.message(this.#frameBytes);
        this.#frame.append(this.#prefix);
        this.#prefixLength = 0;
      }
      const end = Math.min(data.length, at + this.#frameBytes - this.#frame.length);
      this.#frame.append(data, at, end);
      at = end;
      if (this.#frame.length < this.#frameBytes) break;
      whole.push(this.#frame.bytes());
      this.#frame = null;
    }
    return whole;
  }
}
