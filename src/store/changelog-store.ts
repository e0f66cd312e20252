/** State in a compacted log: a scratch file has it at hand, and every change of a row goes to the log in one transaction per checkpoint or decision. */
import type { ChangelogLog, ChangelogRow } from '../kafka/changelog-row.ts';
import type { Checkpoint, LevelSeconds, SavedState, StoredSlot } from '../model/checkpoint.ts';
import type { DecidedSignal, SignalJournal } from './journal.ts';
import { SqliteStore } from './sqlite-store.ts';
import type { DecisionRecord, Store } from './store.ts';

export interface ChangelogStoreParts {
  /** For the scratch file; whatever state is in it is thrown away. */
  readonly folder: string;
  /** Hands over every row that is in the log, then resolves with what writes on. */
  open(take: (row: ChangelogRow) => void): Promise<ChangelogLog>;
  /** Called once when nothing more can become durable: the state has another owner. The store is to be thrown away. */
  lost?(error: unknown): void;
  readonly kept?: { readonly signals?: number; readonly runs?: number };
}

export class ChangelogStore implements Store {
  readonly recovered = null;
  readonly #scratch: SqliteStore;
  readonly #log: ChangelogLog;

  private constructor(scratch: SqliteStore, log: ChangelogLog) {
    this.#scratch = scratch;
    this.#log = log;
  }

  /** Reads back what the log holds. Rejects with what `open` rejects with, and with PermanentError when a row is not as it was written. */
  static async restore({ folder, open, kept }: ChangelogStoreParts): Promise<ChangelogStore> {
    const scratch = new SqliteStore(folder, kept);
    return new ChangelogStore(scratch, await open(() => {}));
  }

  get journal(): SignalJournal {
    return this.#scratch.journal;
  }

  load(slotsFromSec: Partial<Record<LevelSeconds, number>>): SavedState {
    return this.#scratch.load(slotsFromSec);
  }

  checkpoint(checkpoint: Checkpoint, signals: readonly DecidedSignal[] = []): readonly string[] {
    return this.#scratch.checkpoint(checkpoint, signals);
  }

  recordDecisions(changed: DecisionRecord, signals: readonly DecidedSignal[]): readonly string[] {
    return this.#scratch.recordDecisions(changed, signals);
  }

  durable(): Promise<void> | null {
    return null;
  }

  slots(level: LevelSeconds, fromSec: number, toSec: number): readonly StoredSlot[] {
    return this.#scratch.slots(level, fromSec, toSec);
  }

  /** Resolves when what was written is durable, or never will be, and the log is let go; then closes. */
  async finish(): Promise<void> {
    await this.#log.close();
    this.close();
  }

  close(): void {
    this.#scratch.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}
