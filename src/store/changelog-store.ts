/** State in a compacted log: a scratch file has it at hand, and every change of a row goes to the log, one transaction after the other. */
import type { ChangelogLog, ChangelogRow } from '../kafka/changelog-row.ts';
import type { Checkpoint, LevelSeconds, SavedState, StoredSlot } from '../model/checkpoint.ts';
import { PermanentError } from '../model/errors.ts';
import { ChangedRows } from './changed-rows.ts';
import type { DecidedSignal, SignalJournal } from './journal.ts';
import { formatRow, RowLoader } from './row-loader.ts';
import { openScratchFile } from './scratch-file.ts';
import { storeError } from './sqlite-error.ts';
import { SqliteStore } from './sqlite-store.ts';
import type { DecisionRecord, Store } from './store.ts';
import { WriteBehind } from './write-behind.ts';

export interface ChangelogStoreParts {
  /** For the scratch file; whatever state is in it is thrown away. */
  readonly folder: string;
  /** Hands over every row that is in the log, then resolves with what writes on. */
  open(take: (row: ChangelogRow) => void): Promise<ChangelogLog>;
  /** Called once when nothing more can become durable, as a rule because the state has another owner. The store is to be thrown away. */
  lost?(error: unknown): void;
  readonly kept?: { readonly signals?: number; readonly runs?: number };
}

/**
 * What is written is in the scratch file at once, and durable when `durable` says so. After a crash the log gives the state of one moment at which all was
 * durable: a transaction holds all rows that changed since the one before, as they were together.
 */
export class ChangelogStore implements Store {
  readonly recovered = null;
  readonly journal: SignalJournal;
  readonly #scratch: SqliteStore;
  readonly #log: ChangelogLog;
  readonly #behind: WriteBehind;

  private constructor(scratch: SqliteStore, log: ChangelogLog, behind: WriteBehind) {
    this.#scratch = scratch;
    this.#log = log;
    this.#behind = behind;
    const { journal } = scratch;
    this.journal = {
      pending: () => journal.pending(),
      append: (signals) => behind.after(() => journal.append(signals)),
      mark: (signalId, sink, change) => behind.after(() => journal.mark(signalId, sink, change)),
      of: (signalId) => journal.of(signalId),
      entries: (limit) => journal.entries(limit),
      durable: () => behind.durable(),
    };
  }

  /** Reads back what the log holds. Rejects with what `open` rejects with, and with PermanentError when it is not a whole state of this program. */
  static async restore({ folder, open, lost, kept }: ChangelogStoreParts): Promise<ChangelogStore> {
    const file = openScratchFile(folder);
    let log: ChangelogLog | null = null;
    try {
      const loader = new RowLoader(file.database);
      log = await open((row) => loader.take(row));
      let first = loader.finish() ? [] : [formatRow()];
      const changed = new ChangedRows(file.database);
      const take = (): readonly ChangelogRow[] => {
        const rows = [...first, ...changed.take()];
        first = [];
        return rows;
      };
      return new ChangelogStore(new SqliteStore(file, kept), log, new WriteBehind({ take, log, lost: lost ?? (() => {}) }));
    } catch (error) {
      file.close();
      await log?.close();
      throw storeError('restoring the state', error);
    }
  }

  load(slotsFromSec: Partial<Record<LevelSeconds, number>>): SavedState {
    return this.#scratch.load(slotsFromSec);
  }

  checkpoint(checkpoint: Checkpoint, signals: readonly DecidedSignal[] = []): readonly string[] {
    return this.#behind.after(() => this.#scratch.checkpoint(checkpoint, signals));
  }

  recordDecisions(changed: DecisionRecord, signals: readonly DecidedSignal[]): readonly string[] {
    return this.#behind.after(() => this.#scratch.recordDecisions(changed, signals));
  }

  durable(): Promise<void> | null {
    return this.#behind.durable();
  }

  slots(level: LevelSeconds, fromSec: number, toSec: number): readonly StoredSlot[] {
    return this.#scratch.slots(level, fromSec, toSec);
  }

  /** Waits until what was written is durable, or `abort` fires; then closes, and resolves when the log is let go. True when all is durable. */
  async finish(abort: AbortSignal): Promise<boolean> {
    const isDurable = await Promise.race([this.#settled(), fired(abort)]);
    this.close();
    await this.#log.close();
    return isDurable;
  }

  async #settled(): Promise<boolean> {
    try {
      await this.durable();
      return true;
    } catch {
      return false;
    }
  }

  /** Lets go at once: what is not durable yet may or may not become so. */
  close(): void {
    this.#behind.close(new PermanentError('store_closed', 'writing the state: the store was closed'));
    this.#scratch.close();
    // Says nothing that anybody waits for, and never hangs.
    this.#log.close().catch(() => {});
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

function fired(abort: AbortSignal): Promise<false> {
  if (abort.aborted) return Promise.resolve(false);
  return new Promise((resolve) => abort.addEventListener('abort', () => resolve(false), { once: true }));
}
