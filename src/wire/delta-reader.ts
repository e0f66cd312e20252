/** Turns records of the delta topic into slot deltas with ids of our own. */
import type { StoredNote } from '../model/checkpoint.ts';
import type { SeriesInfo } from '../model/series.ts';
import type { SlotDeltas } from '../model/slot-deltas.ts';
import type { WireError } from './wire-error.ts';

export interface DeltaReaderOptions {
  /** Series of an earlier life, so that ids go on where they were. */
  readonly known?: readonly SeriesInfo[];
  /** Notes of an earlier life. */
  readonly notes?: readonly StoredNote[];
}

export class DeltaReader {
  readonly options: DeltaReaderOptions;

  constructor(options: DeltaReaderOptions = {}) {
    this.options = options;
  }

  /** What one record adds; its arrays are reused by the next one. */
  read(_bytes: Uint8Array): SlotDeltas | WireError {
    return { kind: 'malformed', field: 'kind', offset: 0, message: 'cannot be read yet' };
  }

  /** What is to be saved with the state that what was read became part of; empty when that is saved already. */
  notes(): readonly StoredNote[] {
    return [];
  }
}
