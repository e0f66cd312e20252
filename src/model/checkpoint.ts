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

/**
 * What is counted for objectives: their rings by width of a slot in seconds, periods of calendars, what was spent by whom in an hour, and the minutes
 * of an hour in which services were heard.
 */
export const COUNT_KINDS = ['10', '60', '600', '3600', '86400', 'period', 'spent', 'heard'] as const;
export type CountKind = (typeof COUNT_KINDS)[number];

/** One kind of counts of everything that is counted, from one begin, encoded by `window`. */
export interface StoredCounts {
  readonly kind: CountKind;
  /** Start in epoch seconds. */
  readonly startSec: number;
  readonly bytes: Uint8Array;
}

/** The number that stands for a name in stored counts; a null name frees it: no counts mention it any more. */
export interface StoredCountKey {
  readonly id: number;
  readonly key: string | null;
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

/** What changed. Slots, names of counts, counts, runs and notes replace what has the same key. */
export interface Checkpoint {
  readonly at: EpochMs;
  readonly series: readonly SeriesInfo[];
  readonly slots: readonly StoredSlot[];
  readonly countKeys: readonly StoredCountKey[];
  readonly counts: readonly StoredCounts[];
  readonly runs: readonly StoredRun[];
  readonly notes: readonly StoredNote[];
  /** Slots of a level, and counts of a kind, that start before this many epoch seconds are dropped. */
  readonly retain: readonly { readonly level: LevelSeconds; readonly slotsFromSec: number }[];
  readonly retainCounts: readonly { readonly kind: CountKind; readonly fromSec: number }[];
}

/** All of it, as read back at start; slots only of the levels and times asked for. */
export interface SavedState {
  readonly at: EpochMs | null;
  readonly series: readonly SeriesInfo[];
  readonly slots: readonly StoredSlot[];
  readonly countKeys: readonly StoredCountKey[];
  readonly counts: readonly StoredCounts[];
  readonly runs: readonly StoredRun[];
  readonly notes: readonly StoredNote[];
}
