/** From state of version 1, where each count of an objective was a row of its own. */
import type { DatabaseSync } from 'node:sqlite';
import type { CountKind } from '../model/checkpoint.ts';
import { CountRowWriter } from '../model/count-row.ts';
import { rowChecksum } from './row-checksum.ts';
import { COUNT_TABLES } from './sqlite-schema.ts';

/** Read as days too, which that version did not keep. */
const HOURS = `select objective, '3600' as kind, start_sec, valid, bad from counts_before where level = 3600`;
const BEFORE = `
select objective, cast(level as text) as kind, start_sec, valid, bad from counts_before where level in (10, 60, 600, 3600)
union all
select objective, '86400' as kind, start_sec / 86400 * 86400 as start_sec, sum(valid) as valid, sum(bad) as bad from (${HOURS}) group by 1, 3
order by kind, start_sec`;

/** Part of a transaction that others began. */
export function upgradeCounts(database: DatabaseSync): void {
  database.exec(`alter table counts rename to counts_before; ${COUNT_TABLES}`);
  packCounts(database);
  database.exec('drop table counts_before');
}

interface CountBefore {
  readonly objective: string;
  readonly kind: CountKind;
  readonly start_sec: number;
  readonly valid: number;
  readonly bad: number;
}

function packCounts(database: DatabaseSync): void {
  const putKey = database.prepare('insert into count_keys (id, key, crc) values (?, ?, ?)');
  const putRow = database.prepare('insert into counts (kind, start_sec, bytes, crc) values (?, ?, ?, ?)');
  const ids = new Map<string, number>();
  const writer = new CountRowWriter();
  let last: CountBefore | null = null;
  const close = () => {
    const bytes = writer.take();
    if (last !== null) putRow.run(last.kind, last.start_sec, bytes, rowChecksum([last.kind, last.start_sec], bytes));
  };
  for (const row of database.prepare(BEFORE).all() as unknown as readonly CountBefore[]) {
    if (last !== null && (row.kind !== last.kind || row.start_sec !== last.start_sec)) close();
    last = row;
    let id = ids.get(row.objective);
    if (id === undefined) {
      id = ids.size;
      ids.set(row.objective, id);
      putKey.run(id, row.objective, rowChecksum([id, row.objective]));
    }
    writer.add(id, row.valid, row.bad);
  }
  close();
}
