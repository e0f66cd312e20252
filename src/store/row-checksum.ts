/** Tells a row that was written by us from one that the disk has changed: SQLite itself notices no flipped bit inside a value. */
import { crc32 } from 'node:zlib';

/** CRC-32 over the row's values as a JSON array, then over its bytes. */
export function rowChecksum(values: readonly (string | number | null)[], bytes?: Uint8Array): number {
  const ofValues = crc32(JSON.stringify(values));
  return bytes === undefined ? ofValues : crc32(bytes, ofValues);
}
