/** State in one SQLite file: every checkpoint is one durable transaction. */
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import {
  type Checkpoint,
  LEVEL_SECONDS,
  type LevelSeconds,
  type SavedState,
  type StoredCountKey,
  type StoredCounts,
  type StoredNote,
  type StoredRun,
  type StoredSlot,
} from '../model/checkpoint.ts';
import { PermanentError } from '../model/errors.ts';
import type { DecidedSignal } from './journal.ts';
import { rowChecksum } from './row-checksum.ts';
import { seriesFromJson, seriesToJson } from './series-json.ts';
import { storeError } from './sqlite-error.ts';
import { SqliteJournal } from './sqlite-journal.ts';
import { slotsTable } from './sqlite-schema.ts';
import { openStateFile, type StateFile } from './state-file.ts';
import { type DecisionRecord, KEPT_RUNS, KEPT_SIGNALS, type Store } from './store.ts';

/** Opening throws PermanentError, see `openStateFile`; a writer that fails in passing leaves the last checkpoint as it was. */
export class SqliteStore implements Store {
  readonly recovered: { readonly quarantined: string } | null;
  readonly journal: SqliteJournal;
  readonly #file: StateFile;
  readonly #database: DatabaseSync;
  readonly #keptRuns: number;
  readonly #write: Writes;
  readonly #slots: ReadonlyMap<LevelSeconds, SlotStatements>;

  /** In a folder of its own, or in a file that was opened for it. */
  constructor(at: string | StateFile, kept: { readonly signals?: number; readonly runs?: number } = {}) {
    this.#file = typeof at === 'string' ? openStateFile(at) : at;
    const { database, quarantined } = this.#file;
    this.#database = database;
    this.recovered = quarantined === null ? null : { quarantined };
    this.#keptRuns = kept.runs ?? KEPT_RUNS;
    this.journal = new SqliteJournal(database, kept.signals ?? KEPT_SIGNALS);
    this.#write = writes(database);
    this.#slots = new Map(LEVEL_SECONDS.map((level) => [level, slotStatements(database, level)]));
  }

  load(slotsFromSec: Partial<Record<LevelSeconds, number>>): SavedState {
    try {
      const rows = <Row>(sql: string) => this.#database.prepare(sql).all() as unknown as readonly Row[];
      return {
        at: rows<{ at: number }>('select at from checkpoint')[0]?.at ?? null,
        series: rows<{ json: string }>('select json from series order by id').map((row) => seriesFromJson(row.json)),
        slots: LEVEL_SECONDS.flatMap((level) => {
          const fromSec = slotsFromSec[level];
          return fromSec === undefined ? [] : this.slots(level, fromSec, Number.MAX_SAFE_INTEGER);
        }),
        countKeys: rows<StoredCountKey>('select id, key from count_keys order by id').map((row) => ({ ...row })),
        counts: rows<StoredCounts>('select kind, start_sec as startSec, bytes from counts order by kind, start_sec').map((row) => ({
          ...row,
        })),
        runs: rows<StoredRun>('select id, json from runs').map((row) => ({ ...row })),
        notes: rows<StoredNote>('select key, json from notes').map((row) => ({ ...row })),
      };
    } catch (error) {
      throw storeError('loading the state', error);
    }
  }

  checkpoint(checkpoint: Checkpoint, signals: readonly DecidedSignal[] = []): readonly string[] {
    return this.#together('writing a checkpoint', () => {
      const number = this.#nextNumber();
      this.#writeRest(checkpoint, number);
      this.#writeDecided(checkpoint, number);
      return this.journal.addNew(signals);
    });
  }

  recordDecisions(changed: DecisionRecord, signals: readonly DecidedSignal[]): readonly string[] {
    return this.#together('recording decisions', () => {
      this.#writeDecided(changed, this.#nextNumber());
      return this.journal.addNew(signals);
    });
  }

  durable(): null {
    return null;
  }

  slots(level: LevelSeconds, fromSec: number, toSec: number): readonly StoredSlot[] {
    try {
      const rows = this.#slots.get(level)?.between.all(fromSec, toSec) as unknown as readonly SlotRow[];
      return rows.map(({ startSec, bytes, crc }) => {
        if (crc === rowChecksum([startSec], bytes)) return { level, startSec, bytes };
        throw new PermanentError('state_damaged', `reading slot ${startSec} of level ${level} s: it is not as it was written`);
      });
    } catch (error) {
      throw storeError('reading slots', error);
    }
  }

  close(): void {
    this.#file.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #together<T>(act: string, write: () => T): T {
    try {
      this.#database.exec('begin immediate');
      const written = write();
      this.#database.exec('commit');
      return written;
    } catch (error) {
      // A full or failing disk may have ended the transaction already.
      if (this.#database.isOpen && this.#database.isTransaction) this.#database.exec('rollback');
      throw storeError(act, error);
    }
  }

  #nextNumber(): number {
    return Number(this.#write.number.get()?.number ?? 0) + 1;
  }

  #writeDecided({ runs, notes }: DecisionRecord, number: number): void {
    const write = this.#write;
    for (const { id, json } of runs) write.run.run(id, json, number, rowChecksum([id, json, number]));
    for (const { key, json } of notes) write.note.run(key, json, rowChecksum([key, json]));
    if (runs.length > 0 && Number(write.runs.get()?.runs) > this.#keptRuns) write.forgetRuns.run(this.#keptRuns);
  }

  #writeRest(checkpoint: Checkpoint, number: number): void {
    const write = this.#write;
    write.checkpoint.run(checkpoint.at, number, rowChecksum([checkpoint.at, number]));
    for (const series of checkpoint.series) {
      const json = seriesToJson(series);
      write.series.run(series.id, json, rowChecksum([series.id, json]));
    }
    for (const { level, startSec, bytes } of checkpoint.slots) {
      this.#slots.get(level)?.put.run(startSec, bytes, rowChecksum([startSec], bytes));
    }
    for (const { id, key } of checkpoint.countKeys) {
      if (key === null) write.dropCountKey.run(id);
      else write.countKey.run(id, key, rowChecksum([id, key]));
    }
    for (const { kind, startSec, bytes } of checkpoint.counts) {
      write.counts.run(kind, startSec, bytes, rowChecksum([kind, startSec], bytes));
    }
    for (const { level, slotsFromSec } of checkpoint.retain) this.#slots.get(level)?.dropBefore.run(slotsFromSec);
    for (const { kind, fromSec } of checkpoint.retainCounts) write.dropCountsBefore.run(kind, fromSec);
  }
}

interface SlotRow {
  readonly startSec: number;
  readonly bytes: Uint8Array;
  readonly crc: number;
}

interface SlotStatements {
  readonly put: StatementSync;
  readonly dropBefore: StatementSync;
  readonly between: StatementSync;
}

function slotStatements(database: DatabaseSync, level: LevelSeconds): SlotStatements {
  const table = slotsTable(level);
  return {
    put: database.prepare(`insert or replace into ${table} (start_sec, bytes, crc) values (?, ?, ?)`),
    dropBefore: database.prepare(`delete from ${table} where start_sec < ?`),
    between: database.prepare(
      `select start_sec as startSec, bytes, crc from ${table} where start_sec >= ? and start_sec < ? order by start_sec`,
    ),
  };
}

type Writes = ReturnType<typeof writes>;

function writes(database: DatabaseSync) {
  return {
    number: database.prepare('select number from checkpoint'),
    checkpoint: database.prepare('insert or replace into checkpoint (one, at, number, crc) values (1, ?, ?, ?)'),
    series: database.prepare('insert or replace into series (id, json, crc) values (?, ?, ?)'),
    countKey: database.prepare('insert or replace into count_keys (id, key, crc) values (?, ?, ?)'),
    dropCountKey: database.prepare('delete from count_keys where id = ?'),
    counts: database.prepare('insert or replace into counts (kind, start_sec, bytes, crc) values (?, ?, ?, ?)'),
    dropCountsBefore: database.prepare('delete from counts where kind = ? and start_sec < ?'),
    run: database.prepare('insert or replace into runs (id, json, changed, crc) values (?, ?, ?, ?)'),
    runs: database.prepare('select count(*) as runs from runs'),
    forgetRuns: database.prepare('delete from runs where id in (select id from runs order by changed desc limit -1 offset ?)'),
    note: database.prepare('insert or replace into notes (key, json, crc) values (?, ?, ?)'),
  };
}
