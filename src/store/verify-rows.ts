/** Reads a whole state file once to see that its structure is sound and each row is as we wrote it. */
import type { DatabaseSync } from 'node:sqlite';
import { LEVEL_SECONDS } from '../model/checkpoint.ts';
import { rowChecksum } from './row-checksum.ts';
import { slotsTable } from './sqlite-schema.ts';

/** Columns under the checksum, in its order; a blob comes last. */
export const CHECKED_COLUMNS: Readonly<Record<string, readonly string[]>> = {
  checkpoint: ['at', 'number'],
  notes: ['key', 'json'],
  series: ['id', 'json'],
  runs: ['id', 'json', 'changed'],
  count_keys: ['id', 'key'],
  counts: ['kind', 'start_sec', 'bytes'],
  signals: ['id', 'json', 'decided_at'],
  deliveries: ['signal_id', 'sink', 'state', 'is_open', 'attempts', 'last_error', 'escalated_at', 'updated_at'],
  ...Object.fromEntries(LEVEL_SECONDS.map((level) => [slotsTable(level), ['start_sec', 'bytes']])),
};

/** False when something is not as we wrote it; SQLite's own complaints are thrown. */
export function verifyRows(database: DatabaseSync, checked = CHECKED_COLUMNS): boolean {
  const check = database.prepare('pragma quick_check(1)').get();
  if (check?.quick_check !== 'ok') return false;
  if (database.prepare('pragma foreign_key_check').get() !== undefined) return false;
  return Object.entries(checked).every(([table, columns]) => {
    const rows = database.prepare(`select ${columns.join(', ')}, crc from ${table}`);
    rows.setReturnArrays(true);
    for (const row of rows.iterate() as Iterable<unknown>) if (!isIntact(row as SqlValue[])) return false;
    return true;
  });
}

type SqlValue = string | number | null | Uint8Array;

function isIntact(row: SqlValue[]): boolean {
  const crc = row.pop();
  const last = row.at(-1);
  const bytes = last instanceof Uint8Array ? last : undefined;
  if (bytes !== undefined) row.pop();
  return crc === rowChecksum(row as (string | number | null)[], bytes);
}
