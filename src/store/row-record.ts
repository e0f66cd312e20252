/** A row of a state file as a key and bytes, and back. */
import { PermanentError } from '../model/errors.ts';
import { rowChecksum } from './row-checksum.ts';
import { CHECKED_COLUMNS } from './verify-rows.ts';

export type SqlValue = string | number | null | Uint8Array;

export interface KeptTable {
  readonly name: string;
  /** Columns under the checksum, in its order: those of the key first, a blob last. */
  readonly columns: readonly string[];
  /** None where the table has a single row. */
  readonly keyColumns: readonly string[];
  readonly hasBlob: boolean;
}

const KEY_LENGTHS: Readonly<Record<string, number>> = { checkpoint: 0, counts: 2, deliveries: 2 };

export const KEPT_TABLES: readonly KeptTable[] = Object.entries(CHECKED_COLUMNS).map(([name, columns]) => ({
  name,
  columns,
  keyColumns: columns.slice(0, KEY_LENGTHS[name] ?? 1),
  hasBlob: columns.at(-1) === 'bytes',
}));

const BY_NAME: ReadonlyMap<string, KeptTable> = new Map(KEPT_TABLES.map((table) => [table.name, table]));

/** `["counts","10",1700000000]`: the table, then the key. */
export function rowKey(table: KeptTable, key: readonly (string | number)[]): string {
  return JSON.stringify([table.name, ...key]);
}

export function keyOfRow(text: string): { readonly table: KeptTable; readonly key: readonly (string | number)[] } {
  const [name, ...key] = jsonArray(text);
  const table = typeof name === 'string' ? BY_NAME.get(name) : undefined;
  if (
    table === undefined ||
    key.length !== table.keyColumns.length ||
    !key.every((part) => typeof part === 'string' || typeof part === 'number')
  ) {
    throw damaged(text, 'it is no key of ours');
  }
  return { table, key };
}

// | bytes | content                                              |
// |-------|------------------------------------------------------|
// | 4     | checksum of the row, big-endian                      |
// | 4     | length n of the JSON, big-endian                     |
// | n     | the columns but the blob, as a JSON array            |
// | rest  | the blob, where the table has one                    |
const HEAD_BYTES = 8;

/** `row`: the columns in order, then the checksum. The bytes share no memory with it. */
export function encodeRow(row: readonly SqlValue[]): Uint8Array {
  const values = row.slice(0, -1);
  const last = values.at(-1);
  const blob = last instanceof Uint8Array ? last : null;
  const json = Buffer.from(JSON.stringify(blob === null ? values : values.slice(0, -1)));
  const bytes = Buffer.alloc(HEAD_BYTES + json.length + (blob?.length ?? 0));
  bytes.writeUInt32BE(row.at(-1) as number, 0);
  bytes.writeUInt32BE(json.length, 4);
  bytes.set(json, HEAD_BYTES);
  if (blob !== null) bytes.set(blob, HEAD_BYTES + json.length);
  return bytes;
}

/** The columns in order, then the checksum. Throws PermanentError when they are not as they were written. The blob is a slice of `bytes`. */
export function decodeRow(text: string, table: KeptTable, bytes: Uint8Array): readonly SqlValue[] {
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (view.length < HEAD_BYTES) throw damaged(text, `${view.length} bytes are too few`);
  const crc = view.readUInt32BE(0);
  const end = HEAD_BYTES + view.readUInt32BE(4);
  if (end > view.length) throw damaged(text, 'it is cut off');
  const values = jsonArray(view.toString('utf8', HEAD_BYTES, end)) as (string | number | null)[];
  const blob = table.hasBlob ? bytes.subarray(end) : undefined;
  if (values.length !== table.columns.length - (table.hasBlob ? 1 : 0)) throw damaged(text, `it has ${values.length} columns`);
  if (crc !== rowChecksum(values, blob)) throw damaged(text, 'its checksum is another one');
  return blob === undefined ? [...values, crc] : [...values, blob, crc];
}

function damaged(key: string, why: string): PermanentError {
  return new PermanentError(
    'state_damaged',
    `reading row ${key.slice(0, 200)} of the saved state: ${why}; it is not as this program wrote it`,
  );
}

function jsonArray(text: string): readonly unknown[] {
  try {
    const parsed: unknown = JSON.parse(text);
    if (Array.isArray(parsed)) return parsed;
  } catch {
    // Told below.
  }
  throw damaged(text, 'it is no JSON array');
}
