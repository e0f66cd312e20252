/** A state file of an earlier version is taken up with all that it holds, or put aside. */
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

/** As it was up to version 2. */
const DELIVERIES_BEFORE = `create table deliveries (
  signal_id text not null references signals (id) on delete cascade, sink text not null,
  state text not null, attempts integer not null, last_error text, updated_at real not null, crc integer not null,
  primary key (signal_id, sink)
) strict, without rowid`;

type DeliveryBefore = readonly [sink: string, state: string, attempts: number, lastError: string | null, updatedAt: number];

function putDeliveries(database: DatabaseSync, rows: readonly DeliveryBefore[]): void {
  database.exec(`drop table deliveries; ${DELIVERIES_BEFORE}`);
  const put = database.prepare('insert into deliveries values (?, ?, ?, ?, ?, ?, ?)');
  for (const delivery of rows) {
    const row = [sampleSignal().id, ...delivery] as const;
    put.run(...row, rowChecksum(row));
  }
}

function writtenBefore(rows: readonly (readonly [string, number, number, number, number])[], spoil = ''): string {
  const directory = folders.make();
  {
    using store = new SqliteStore(directory);
    store.checkpoint(sampleCheckpoint({ notes: [{ key: 'guard', json: '{}' }] }), [{ signal: sampleSignal(), decidedAt: DECIDED_AT }]);
  }
  using database = new DatabaseSync(join(directory, 'slipstream.db'));
  putDeliveries(database, [['deploy', 'pending', 0, null, DECIDED_AT]]);
  database.exec(`drop table counts; drop table count_keys; ${COUNTS_BEFORE}; pragma user_version = 1`);
  const put = database.prepare('insert into counts values (?, ?, ?, ?, ?, ?)');
  for (const row of rows) put.run(...row, rowChecksum(row));
  database.exec(spoil);
  return directory;
}

describe('a state of version 1', () => {
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

describe('a state of version 2', () => {
  afterEach(() => folders.clean());

  function ofVersion2(deliveries: readonly DeliveryBefore[], spoil = ''): string {
    const directory = folders.make();
    {
      using store = new SqliteStore(directory);
      store.checkpoint(sampleCheckpoint(), [{ signal: sampleSignal(), decidedAt: DECIDED_AT }]);
    }
    using database = new DatabaseSync(join(directory, 'slipstream.db'));
    putDeliveries(database, deliveries);
    database.exec(`pragma user_version = 2; ${spoil}`);
    return directory;
  }

  it('is taken up with its deliveries: what was under way is open, what was over stays over, and nobody was told', () => {
    const directory = ofVersion2([
      ['a', 'pending', 0, null, DECIDED_AT],
      ['b', 'sent', 3, '503', DECIDED_AT + 3],
      ['c', 'acknowledged', 1, null, DECIDED_AT + 1],
      ['d', 'expired', 9, '503', DECIDED_AT + 9],
    ]);
    for (let opened = 0; opened < 2; opened++) {
      using store = new SqliteStore(directory);
      expect(store.recovered).toBeNull();
      const rest = { signal: sampleSignal(), decidedAt: DECIDED_AT, escalatedAt: null };
      expect(store.journal.of(sampleSignal().id)).toEqual([
        { ...rest, sink: 'd', state: 'expired', isOpen: false, attempts: 9, lastError: '503', updatedAt: DECIDED_AT + 9 },
        { ...rest, sink: 'c', state: 'acknowledged', isOpen: false, attempts: 1, lastError: null, updatedAt: DECIDED_AT + 1 },
        { ...rest, sink: 'b', state: 'sent', isOpen: true, attempts: 3, lastError: '503', updatedAt: DECIDED_AT + 3 },
        { ...rest, sink: 'a', state: 'pending', isOpen: true, attempts: 0, lastError: null, updatedAt: DECIDED_AT },
      ]);
    }
  });

  it('is put aside when it holds a delivery that we did not write', () => {
    using store = new SqliteStore(ofVersion2([['a', 'pending', 0, null, DECIDED_AT]], "update deliveries set state = 'acknowledged'"));
    expect(store.recovered).not.toBeNull();
    expect(store.journal.entries(10)).toEqual([]);
  });
});
