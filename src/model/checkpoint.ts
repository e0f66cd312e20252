/** What survives a restart: the pieces of state that changed since the last checkpoint, in one transaction. */
import type { SeriesInfo } from './series.ts';
import type { EpochMs } from './time.ts';

/** Levels of the roll-up: width of a slot at that level in seconds. */
export const LEVEL_SECONDS = [1, 10, 60, 600, 3600] as const;
export type LevelSeconds = (typeof LEVEL_SECONDS)[number];

/** Histograms and counts of all series in one slot of one level, encoded by `window`. */
export interface StoredSlot {
  readonly level: LevelSeconds;
  /** Start in epoch seconds, a multiple of `level`. */
  readonly startSec: number;
  readonly bytes: Uint8Array;
}

/** Valid and bad requests of one objective in one slot. */
export interface StoredCount {
  readonly objective: string;
  readonly level: LevelSeconds;
  readonly startSec: number;
  readonly valid: number;
  readonly bad: number;
}

/** An analysis run with the state of its processes, as JSON. */
export interface StoredRun {
  readonly id: string;
  readonly json: string;
}

/** A piece of state per key, as JSON (`guard`, `stream`, …). */
export interface StoredNote {
  readonly key: string;
  readonly json: string;
}

/** What changed. Slots, counts, runs and notes replace what has the same key. */
export interface Checkpoint {
  readonly at: EpochMs;
  readonly series: readonly SeriesInfo[];
  readonly slots: readonly StoredSlot[];
  readonly counts: readonly StoredCount[];
  readonly runs: readonly StoredRun[];
  readonly notes: readonly StoredNote[];
  /** Slots and counts of a level that start before this many epoch seconds are dropped. */
  readonly retain: readonly { readonly level: LevelSeconds; readonly slotsFromSec: number; readonly countsFromSec: number }[];
}

/** All of it, as read back at start; slots only of the levels and times asked for. */
export interface SavedState {
  readonly at: EpochMs | null;
  readonly series: readonly SeriesInfo[];
  readonly slots: readonly StoredSlot[];
  readonly counts: readonly StoredCount[];
  readonly runs: readonly StoredRun[];
  readonly notes: readonly StoredNote[];
}
