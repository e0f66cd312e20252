/** The way to one sink: at most so many attempts at once, so that a slow sink holds up nobody but itself. */

export class Lane {
  readonly #maxInFlight: number;
  readonly #ready: (() => Promise<void>)[] = [];
  readonly #inFlight = new Set<Promise<void>>();
  #closed = false;

  constructor(maxInFlight: number) {
    this.#maxInFlight = maxInFlight;
  }

  /** Starts an attempt as soon as there is room, in order of asking. Attempts must not throw. */
  run(attempt: () => Promise<void>): void {
    if (this.#closed) return;
    this.#ready.push(attempt);
    this.#pump();
  }

  /** Starts nothing more and resolves when what is in flight has ended. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#ready.length = 0;
    await Promise.all(this.#inFlight);
  }

  #pump(): void {
    while (this.#inFlight.size < this.#maxInFlight) {
      const attempt = this.#ready.shift();
      if (attempt === undefined) return;
      const running = attempt().finally(() => {
        this.#inFlight.delete(running);
        this.#pump();
      });
      this.#inFlight.add(running);
    }
  }
}
