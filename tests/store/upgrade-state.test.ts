/** A state file of the version before is taken up with all that it holds, or put aside. */
import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, describe, expect, it } from 'vitest';
import { readCountRow } from '../../src/model/count-row.ts';
import { rowChecksum } from '../../src/store/row-checksum.ts';
import { SqliteStore } from '../../src/store/sqlite-store.ts';
import { DECIDED_AT, sampleCheckpoint, sampleSignal } from './samples.ts';
import { TemporaryFolders } from './temporary-folder.ts';

const folders = new TemporaryFolders();
const DAY = 86_400;
const T0 = 20_000 * DAY;

/** As the table was then. */
const COUNTS_BEFORE = `create table counts (
  objective text not null, level integer not null, start_sec integer not null, valid real not null, bad real not null, crc integer not null,
  primary key (level, start_sec, objective)
) strict, without rowid`;

function writtenBefore(rows: readonly (readonly [string, number, number, number, number])[], spoil = ''): string {
  const directory = folders.make();
  {
    using store = new SqliteStore(directory);
    store.checkpoint(sampleCheckpoint({ notes: [{ key: 'guard', json: '{}' }] }), [{ signal: sampleSignal(), decidedAt: DECIDED_AT }]);
  }
  using database = new DatabaseSync(join(directory, 'slipstream.db'));
  database.exec(`drop table counts; drop table count_keys; ${COUNTS_BEFORE}; pragma user_version = 1`);
  const put = database.prepare('insert into counts values (?, ?, ?, ?, ?, ?)');
  for (const row of rows) put.run(...row, rowChecksum(row));
  database.exec(spoil);
  return directory;
}

describe('a state of the version before', () => {
  afterEach(() => folders.clean());

  it('is taken up with its counts, of which hours make days', () => {
    const directory = writtenBefore([
      ['a', 10, T0 + 3610, 1, 0],
      ['b', 10, T0 + 3610, 2.5, 1],
      ['a', 3600, T0, 5, 2],
      ['a', 3600, T0 + 3600, 1, 0],
      ['a', 3600, T0 + DAY, 7, 7],
    ]);
    for (let opened = 0; opened < 2; opened++) {
      using store = new SqliteStore(directory);
      expect(store.recovered).toBeNull();
      const saved = store.load({});
      const names = new Map(saved.countKeys.map(({ id, key }) => [id, key]));
      const counts = saved.counts.flatMap(({ kind, startSec, bytes }) => {
        const entries: unknown[] = [];
        readCountRow(bytes, (id, valid, bad) => entries.push([names.get(id), kind, startSec, valid, bad]));
        return entries;
      });
      expect(counts).toEqual([
        ['a', '10', T0 + 3610, 1, 0],
        ['b', '10', T0 + 3610, 2.5, 1],
        ['a', '3600', T0, 5, 2],
        ['a', '3600', T0 + 3600, 1, 0],
        ['a', '3600', T0 + DAY, 7, 7],
        ['a', '86400', T0, 6, 2],
        ['a', '86400', T0 + DAY, 7, 7],
      ]);
      expect(saved.notes).toEqual([{ key: 'guard', json: '{}' }]);
      expect(store.journal.entries(10)).toHaveLength(1);
    }
  });

  it('is taken up without any counts', () => {
    using store = new SqliteStore(writtenBefore([]));
    expect(store.recovered).toBeNull();
    expect(store.load({})).toMatchObject({ at: DECIDED_AT, counts: [], countKeys: [] });
  });

  it('is put aside when it holds a value that we did not write', () => {
    using store = new SqliteStore(writtenBefore([['a', 10, T0, 1, 0]], 'update counts set bad = 1'));
    expect(store.recovered).not.toBeNull();
    expect(store.load({}).at).toBeNull();
  });

  it('is left as it was when taking it up is cut short', () => {
    const directory = writtenBefore([['a', 10, T0, 1, 0]], 'create table counts_before (a)');
    const copy = join(folders.make(), 'slipstream.db');
    copyFileSync(join(directory, 'slipstream.db'), copy);
    using store = new SqliteStore(directory);
    expect(store.recovered).not.toBeNull();
    using aside = new DatabaseSync(`${join(directory, 'slipstream.db')}.corrupt-1`);
    using before = new DatabaseSync(copy);
    const counts = (database: DatabaseSync) => database.prepare('select * from counts').all();
    expect(counts(aside)).toEqual(counts(before));
  });
});
