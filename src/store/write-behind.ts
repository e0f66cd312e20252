/** Brings what changed to a log, one write at a time, and knows what of it is durable. */
import type { ChangelogLog, ChangelogRow } from '../kafka/changelog-row.ts';

export interface WriteBehindParts {
  /** All that changed since it was last asked. */
  take(): readonly ChangelogRow[];
  readonly log: ChangelogLog;
  /** Called once, when nothing more will become durable. */
  lost(error: unknown): void;
}

/** Changes that come while a write is under way go together into the next one. */
export class WriteBehind {
  readonly #parts: WriteBehindParts;
  /** Something changed that no write has taken yet. */
  #isBehind = false;
  #isWriting = false;
  /** What is being written; null: nothing is. */
  #current: PromiseWithResolvers<void> | null = null;
  #next = promised();
  #lost: { readonly error: unknown } | null = null;

  constructor(parts: WriteBehindParts) {
    this.#parts = parts;
  }

  /** Runs `write`, which may change something, and brings that to the log. Throws what it throws, and once all is lost what lost it. */
  after<T>(write: () => T): T {
    if (this.#lost !== null) throw this.#lost.error;
    const written = write();
    this.#isBehind = true;
    if (!this.#isWriting) {
      this.#isWriting = true;
      void this.#writeOn();
    }
    return written;
  }

  /** See `Store.durable`. */
  durable(): Promise<void> | null {
    if (this.#lost !== null || this.#isBehind) return this.#next.promise;
    return this.#current?.promise ?? null;
  }

  /** What is not durable by now is lost to whoever waits for it; nothing more is written. */
  close(error: unknown): void {
    if (this.#lost !== null) return;
    this.#lost = { error };
    this.#current?.reject(error);
    this.#next.reject(error);
  }

  async #writeOn(): Promise<void> {
    // What one turn of the process changes goes together.
    await null;
    while (this.#isBehind && this.#lost === null) {
      const current = this.#next;
      this.#current = current;
      this.#next = promised();
      this.#isBehind = false;
      try {
        const rows = this.#parts.take();
        if (rows.length > 0) await this.#parts.log.write(rows);
        current.resolve();
      } catch (error) {
        if (this.#lost === null) {
          this.close(error);
          this.#parts.lost(error);
        }
      }
      this.#current = null;
    }
    this.#isWriting = false;
  }
}

function promised(): PromiseWithResolvers<void> {
  const made = Promise.withResolvers<void>();
  // That nobody waits for it is no fault.
  made.promise.catch(() => {});
  return made;
}
