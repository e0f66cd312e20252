/** What survives a restart, behind one small interface; siblings pass one contract suite. */
import type { Checkpoint, LevelSeconds, SavedState, StoredSlot } from '../model/checkpoint.ts';
import type { DecidedSignal, SignalJournal } from './journal.ts';

/** Signals without open deliveries beyond the newest so many are forgotten. */
export const KEPT_SIGNALS = 10_000;
/** Runs beyond the most recently changed so many are forgotten. */
export const KEPT_RUNS = 2_000;

/** Runs and notes that a decision changed. */
export type DecisionRecord = Pick<Checkpoint, 'runs' | 'notes'>;

export interface Store extends Disposable {
  /**
   * Where what was found could not be trusted and was put aside; null after an ordinary start. The state that `load` gives is then empty
   * because it was lost, not because there never was one.
   */
  readonly recovered: { readonly quarantined: string } | null;
  /** Everything but slots, and the slots of the named levels from the given start on; slots ascend by level, then start. */
  load(slotsFromSec: Partial<Record<LevelSeconds, number>>): SavedState;
  /**
   * Writes a checkpoint and the signals decided since the last one (one delivery per sink) all together or not at all; durable when
   * `durable` says so. A signal whose id is known changes nothing. Returns the ids that were new, in order. Throws RetryableError when the disk
   * refuses; nothing is changed then.
   */
  checkpoint(checkpoint: Checkpoint, signals?: readonly DecidedSignal[]): readonly string[];
  /**
   * Writes what decisions changed and the signals they led to, all together or not at all, and leaves the time of the last checkpoint: what was counted since is
   * still to be written. Small, so that a signal waits for little. Otherwise as `checkpoint`.
   */
  recordDecisions(changed: DecisionRecord, signals: readonly DecidedSignal[]): readonly string[];
  /**
   * Null: everything that was written is durable. Else resolves once what was written until now is, which takes as long as it takes; rejects with
   * PermanentError when it never will be, because the state has another owner: then nothing of it may take effect.
   */
  durable(): Promise<void> | null;
  /** Slots of one level that start in [fromSec, toSec), ascending. */
  slots(level: LevelSeconds, fromSec: number, toSec: number): readonly StoredSlot[];
  readonly journal: SignalJournal;
  /** Lets go of the state; a second call does nothing. */
  close(): void;
}
