/** The small part of what objectives count that is saved as JSON. */
import type { StoredNote } from '../model/checkpoint.ts';
import type { SlotIndex } from '../model/time.ts';
import type { SavedSlices } from './objective-slices.ts';

/** Which objectives there are and since when they count: changes seldom. */
const OBJECTIVES_NOTE = 'objectives';
/** How far time has come, and slices that are open: changes with every request. */
const PROGRESS_NOTE = 'objectives-progress';

export interface SavedObjectives {
  /** JSON has no infinities: null is "from the first span on", and "nothing valid yet". */
  readonly tallies: readonly (readonly [key: string, declaredFrom: SlotIndex | null, since: SlotIndex | null])[];
  readonly heardFrom: readonly (readonly [service: string, slot: SlotIndex])[];
}

export interface SavedProgress {
  readonly newest: SlotIndex | null;
  readonly ledgerFrom: number | null;
  readonly slices: SavedSlices | null;
}

/** Of a state without any, or one that an earlier version of the program has left. */
const NO_OBJECTIVES: SavedObjectives = { tallies: [], heardFrom: [] };
const NO_PROGRESS: SavedProgress = { newest: null, ledgerFrom: null, slices: null };

export class ObjectiveNotes {
  #last = '';

  /** The one that changes seldom is told only when it did. */
  changed(objectives: SavedObjectives, progress: SavedProgress): StoredNote[] {
    const json = JSON.stringify(objectives);
    const notes = [{ key: PROGRESS_NOTE, json: JSON.stringify(progress) }];
    if (json !== this.#last) notes.push({ key: OBJECTIVES_NOTE, json });
    this.#last = json;
    return notes;
  }

  restored(notes: readonly StoredNote[]): { readonly objectives: SavedObjectives; readonly progress: SavedProgress } {
    const [objectives, progress] = [OBJECTIVES_NOTE, PROGRESS_NOTE].map((key) => notes.find((note) => note.key === key)?.json);
    this.#last = objectives ?? '';
    return {
      objectives: objectives === undefined ? NO_OBJECTIVES : (JSON.parse(objectives) as SavedObjectives),
      progress: progress === undefined ? NO_PROGRESS : (JSON.parse(progress) as SavedProgress),
    };
  }
}
