/** Bytes that arrive in chunks and leave in records. */

const NEWLINE = 0x0a;

/** Reads from its source only as far as it is asked to, so a slow consumer slows the source down. */
export class ByteQueue {
  /** Bytes waiting to be taken. */
  size = 0;
  /** Bytes taken or skipped so far. */
  offset = 0;
  #chunks: Buffer[] = [];
  readonly #source: AsyncIterator<Uint8Array>;

  constructor(source: AsyncIterable<Uint8Array>) {
    this.#source = source[Symbol.asyncIterator]();
  }

  /** Waits for at least `bytes` bytes, or for the end. */
  async fill(bytes: number): Promise<void> {
    while (this.size < bytes && (await this.#more())) {}
  }

  /**
   * Waits for a whole line and returns its length with its newline; the last line needs none. 0 at the end, null when it is longer than
   * `maxBytes`.
   */
  async fillLine(maxBytes: number): Promise<number | null> {
    let searched = 0;
    let index = 0;
    for (;;) {
      for (; index < this.#chunks.length; index++) {
        const chunk = this.#chunks[index] as Buffer;
        const found = chunk.indexOf(NEWLINE);
        if (found >= 0) return searched + found > maxBytes ? null : searched + found + 1;
        searched += chunk.length;
      }
      if (searched > maxBytes) return null;
      if (!(await this.#more())) return searched;
    }
  }

  /** Drops everything up to and with the next newline, or all there is. */
  async skipLine(): Promise<void> {
    for (;;) {
      const [chunk] = this.#chunks;
      if (chunk === undefined) {
        if (!(await this.#more())) return;
        continue;
      }
      const found = chunk.indexOf(NEWLINE);
      this.take(found < 0 ? chunk.length : found + 1);
      if (found >= 0) return;
    }
  }

  /** The first `bytes` bytes, or fewer when there are not so many; they stay. */
  peek(bytes: number): Buffer {
    const length = Math.min(bytes, this.size);
    const first = this.#chunks[0] ?? Buffer.alloc(0);
    if (first.length >= length) return first.subarray(0, length);
    this.#chunks = [Buffer.concat(this.#chunks, this.size)];
    return (this.#chunks[0] as Buffer).subarray(0, length);
  }

  /** Removes the first `bytes` bytes, which must be there. */
  take(bytes: number): Buffer {
    const taken = this.peek(bytes);
    const first = this.#chunks[0];
    if (first !== undefined) {
      if (bytes === first.length) this.#chunks.shift();
      else this.#chunks[0] = first.subarray(bytes);
    }
    this.size -= bytes;
    this.offset += bytes;
    return taken;
  }

  /** What waits, then the rest of the source. */
  async *rest(): AsyncGenerator<Buffer> {
    do {
      while (this.#chunks.length > 0) yield this.take((this.#chunks[0] as Buffer).length);
    } while (await this.#more());
  }

  async #more(): Promise<boolean> {
    const { done, value } = await this.#source.next();
    if (done) return false;
    if (value.length > 0) this.#chunks.push(Buffer.from(value.buffer, value.byteOffset, value.length));
    this.size += value.length;
    return true;
  }
}
