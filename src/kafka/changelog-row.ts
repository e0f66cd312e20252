/** The words of a changelog: rows by key, and what writes them. */

export interface ChangelogRow {
  readonly key: string;
  /** Null: there is no such row any more. */
  readonly value: Uint8Array | null;
}

export interface ChangelogLog {
  /**
   * Writes all rows or none, and resolves once they are durable, which takes as long as it takes; one call at a time. Rejects with PermanentError when they
   * never will be: another owner has the state (`FencedError`), or the log was closed.
   */
  write(rows: readonly ChangelogRow[]): Promise<void>;
  /** Never hangs; a write that is under way is given up. */
  close(): Promise<void>;
}
