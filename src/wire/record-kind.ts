/** What a record of the delta topic is: its first byte tells the kind, the second the version of the layout. */
import type { RecordReader } from './record-reader.ts';
import type { RecordWriter } from './record-writer.ts';

export type RecordKind = 'deltas' | 'progress';

/** No letter or bracket of a text format begins so. */
const FIRST_BYTES = { deltas: 0xd1, progress: 0xd2 } as const satisfies Record<RecordKind, number>;
const VERSION = 1;

/** Null: none of ours. */
export function kindOf(bytes: Uint8Array): RecordKind | null {
  return (['deltas', 'progress'] as const).find((kind) => FIRST_BYTES[kind] === bytes[0]) ?? null;
}

export function writeKind(out: RecordWriter, kind: RecordKind): void {
  out.byte(FIRST_BYTES[kind]);
  out.byte(VERSION);
}

/** Refuses other kinds, and versions that this release does not know. */
export function readKind(from: RecordReader, kind: RecordKind): void {
  from.field = 'kind';
  if (from.bytes[0] !== FIRST_BYTES[kind]) from.fail(`this is no record of ${kind}`);
  from.at = 1;
  from.field = 'version';
  const version = from.byte();
  if (version !== VERSION) from.fail(`version ${version} of the layout is unknown, expected ${VERSION}: written by another release`);
}
