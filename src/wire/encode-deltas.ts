/** Turns a flush into records of the delta topic, one for each service. */
import type { SeriesInfo } from '../model/series.ts';
import type { SlotDeltas } from '../model/slot-deltas.ts';

/** What the ids of a flush stand for. */
export interface SeriesNames {
  /** Throws RangeError for an id never given. */
  info(id: number): SeriesInfo;
}

export interface ServiceRecord {
  /** The record's key. */
  readonly service: string;
  readonly bytes: Uint8Array;
}

/** Records stand for themselves: no other is needed to read one. */
export function encodeDeltas(_deltas: SlotDeltas, _names: SeriesNames): readonly ServiceRecord[] {
  return [];
}
