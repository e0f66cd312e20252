/** Gathers one message that arrives in chunks into one buffer, and uses the memory of finished messages again. */

/** Smaller buffers are cheap to make anew. */
const MIN_CAPACITY_BYTES = 64 * 1024;
/** A message is trusted to be as long as it says only so far: beyond it memory follows what really arrives, by doubling. */
const TRUSTED_BYTES = 256 * 1024;
/** Larger buffers are not kept. */
const MAX_KEPT_CAPACITY_BYTES = 8 * 1024 * 1024;
/** Free buffers of one receiver, all together. */
const MAX_KEPT_BYTES = 32 * 1024 * 1024;

/**
 * Free buffers by capacity. Without it every request of 512 spans costs a quarter of a MB of garbage outside the heap, and
 * V8 collects all of it each 30 ms: a third of the CPU of a receiver under load.
 */
export class MessageBuffers {
  #keptBytes = 0;
  readonly #free = new Map<number, Buffer[]>();
  /** Whole buffers by their memory. What is never given back is left to the garbage collector. */
  readonly #lent = new WeakMap<ArrayBufferLike, Buffer>();

  get keptBytes(): number {
    return this.#keptBytes;
  }

  /** For a message that is said to be `expectedBytes` long; it may become longer. */
  message(expectedBytes: number): MessageBuffer {
    return new MessageBuffer(this, expectedBytes);
  }

  /** A buffer of at least `bytes`, its content undefined. */
  take(bytes: number): Buffer {
    const capacity = capacityFor(bytes);
    let buffer = this.#free.get(capacity)?.pop();
    if (buffer === undefined) buffer = Buffer.allocUnsafeSlow(capacity);
    else this.#keptBytes -= capacity;
    this.#lent.set(buffer.buffer, buffer);
    return buffer;
  }

  /** Takes back what `take` or a message's `bytes` gave, or a part of it: nobody may use it any more. Other buffers are left alone. */
  giveBack(bytes: Buffer): void {
    const buffer = this.#lent.get(bytes.buffer);
    if (buffer === undefined) return;
    this.#lent.delete(bytes.buffer);
    const capacity = buffer.length;
    if (capacity > MAX_KEPT_CAPACITY_BYTES || this.#keptBytes + capacity > MAX_KEPT_BYTES) return;
    const free = this.#free.get(capacity);
    if (free === undefined) this.#free.set(capacity, [buffer]);
    else free.push(buffer);
    this.#keptBytes += capacity;
  }
}

export class MessageBuffer {
  length = 0;
  #buffer: Buffer;
  readonly #buffers: MessageBuffers;

  constructor(buffers: MessageBuffers, expectedBytes: number) {
    this.#buffers = buffers;
    this.#buffer = buffers.take(Math.min(expectedBytes, TRUSTED_BYTES));
  }

  append(chunk: Buffer, start = 0, end: number = chunk.length): void {
    const length = this.length + end - start;
    if (length > this.#buffer.length) {
      // Doubling, so that a long message is copied about once.
      const larger = this.#buffers.take(Math.max(length, 2 * this.#buffer.length));
      this.#buffer.copy(larger, 0, 0, this.length);
      this.#buffers.giveBack(this.#buffer);
      this.#buffer = larger;
    }
    chunk.copy(this.#buffer, this.length, start, end);
    this.length = length;
  }

  /** What was appended, for as long as it is not given back. */
  bytes(): Buffer {
    return this.#buffer.subarray(0, this.length);
  }
}

/** In steps of a quarter of the next lower power of two, so that a buffer is at most a quarter too large. */
function capacityFor(bytes: number): number {
  if (bytes <= MIN_CAPACITY_BYTES) return MIN_CAPACITY_BYTES;
  const step = 2 ** (Math.ceil(Math.log2(bytes)) - 3);
  return Math.ceil(bytes / step) * step;
}
