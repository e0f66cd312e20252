/** The small part of a window's state that is saved as JSON, and the checks on what is read back. */
import type { LevelSeconds, StoredNote, StoredSlot } from '../model/checkpoint.ts';
import { PermanentError } from '../model/errors.ts';
import type { HistogramLayout } from '../model/histogram-layout.ts';
import { cellLanes } from '../model/slot-deltas.ts';
import type { SeenOrigin } from './origins.ts';
import type { SavedPunctuality } from './punctuality.ts';
import { SlotBlock } from './slot-block.ts';

export const WINDOW_NOTE = 'window';

/** Borders between levels. JSON has no -Infinity: here and below it is read back as null, "not yet". */
export interface SavedCascade {
  readonly frozenBefore: number | null;
  readonly rolledBefore: number | null;
  /** Absent where the program that saved it always counted back from the newest slot. */
  readonly droppedBefore?: number | null;
  readonly openFrom: readonly (number | null)[];
}

export interface WindowNote {
  readonly newestMs: number | null;
  /** How far time has come, where sources tell it; null or absent: as far as the newest event. */
  readonly reachedMs?: number | null;
  /** When anything was heard last, as far as it was told; null or absent: it is told next. */
  readonly heardAt?: number | null;
  readonly lateSpans: number;
  readonly cascade: SavedCascade;
  readonly origins: readonly SeenOrigin[];
  readonly services: readonly ({ readonly service: string; readonly heardAt?: number | null } & SavedPunctuality)[];
}

/** The note, or null when there is none. Throws PermanentError when it is not what was written. */
export function restoredNote(notes: readonly StoredNote[]): WindowNote | null {
  const note = notes.find(({ key }) => key === WINDOW_NOTE);
  if (note === undefined) return null;
  try {
    const parsed = JSON.parse(note.json) as Partial<WindowNote>;
    if (!Array.isArray(parsed.origins) || !Array.isArray(parsed.services) || !Array.isArray(parsed.cascade?.openFrom))
      throw new Error('a list is missing');
    return parsed as WindowNote;
  } catch (cause) {
    throw new PermanentError('note_corrupt', `reading note ${WINDOW_NOTE}: ${String(cause)}`, { cause });
  }
}

/** Blocks of `slots`, every byte checked; of the levels named in `from`, only slots that start there or later. */
export function restoredBlocks(
  slots: readonly StoredSlot[],
  layout: HistogramLayout,
  from: Partial<Record<LevelSeconds, number>>,
): { level: LevelSeconds; startSec: number; block: SlotBlock }[] {
  return slots
    .filter(({ level, startSec }) => startSec >= (from[level] ?? Number.NEGATIVE_INFINITY))
    .map(({ level, startSec, bytes }) => ({ level, startSec, block: checkedBlock(bytes, layout, level) }));
}

/** A stored slot's block. Throws PermanentError when it is corrupt or of another layout; lanes are in 1 s slots only. */
export function checkedBlock(bytes: Uint8Array, layout: HistogramLayout, level: LevelSeconds): SlotBlock {
  const block = new SlotBlock(bytes, false);
  const isLaned = level === 1 && block.cells === layout.size * 2 * cellLanes(layout.size);
  if (block.cells !== layout.size * 2 && !isLaned) {
    throw new PermanentError('slot_layout', `reading a stored slot: ${block.cells} cells at byte 1, expected ${layout.size * 2}`);
  }
  return block;
}
