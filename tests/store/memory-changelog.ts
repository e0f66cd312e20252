/** A changelog for as long as the test lives: owners one after the other, refusals, and a death at any write. */
import type { ChangelogLog, ChangelogRow } from '../../src/kafka/changelog-row.ts';
import { PermanentError } from '../../src/model/errors.ts';

export class MemoryChangelog {
  /** Every row that was ever committed, in order. */
  readonly rows: ChangelogRow[] = [];
  /** Sizes of the transactions, in rows. */
  readonly writes: number[] = [];
  /** Waits before each commit. */
  before: () => Promise<void> = async () => {};
  /** The transaction after so many never ends, committed or not: as the process sees it when it dies. */
  dies: { readonly atWrite: number; readonly isCommitted: boolean } | null = null;
  #owner = 0;

  async open(take: (row: ChangelogRow) => void): Promise<ChangelogLog> {
    const owner = ++this.#owner;
    for (const row of this.rows) take(row);
    let isClosed = false;
    return {
      write: async (rows) => {
        const copies = rows.map(({ key, value }) => ({ key, value: value && Uint8Array.from(value) }));
        await this.before();
        if (isClosed) throw new PermanentError('closed', 'writing: the log was closed');
        if (owner !== this.#owner) throw new PermanentError('fenced', 'writing: another owner has the state');
        const { dies } = this;
        const isLast = dies !== null && this.writes.length >= dies.atWrite;
        if (!isLast || dies.isCommitted) {
          this.rows.push(...copies);
          this.writes.push(rows.length);
        }
        if (isLast) await new Promise<never>(() => {});
      },
      close: async () => {
        isClosed = true;
      },
    };
  }

  /** As a compacted topic has it: the latest row of each key, where it was written, and no deleted ones. */
  compact(): void {
    const last = new Map(this.rows.map((row, at) => [row.key, at]));
    this.rows.splice(0, Number.POSITIVE_INFINITY, ...this.rows.filter(({ key, value }, at) => value !== null && last.get(key) === at));
  }
}
