/** What a record of the delta topic is: told by its first byte. */

export type RecordKind = 'deltas' | 'progress';

export const DELTAS_BYTE = 0xd1;
export const PROGRESS_BYTE = 0xd2;

/** Null: none of ours. */
export function kindOf(bytes: Uint8Array): RecordKind | null {
  switch (bytes[0]) {
    case DELTAS_BYTE:
      return 'deltas';
    case PROGRESS_BYTE:
      return 'progress';
    default:
      return null;
  }
}
