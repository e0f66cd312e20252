/** The journal of signals in the state file. */
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { PermanentError } from '../model/errors.ts';
import type { DeliveryState, Signal } from '../model/rollout.ts';
import { type DecidedSignal, type DeliveryChange, type JournalEntry, openEntries, type SignalJournal } from './journal.ts';
import { rowChecksum } from './row-checksum.ts';
import { storeError } from './sqlite-error.ts';

const ENTRY = `
  select s.json, s.decided_at, d.sink, d.state, d.is_open, d.attempts, d.last_error, d.escalated_at, d.updated_at
  from deliveries d join signals s on s.id = d.signal_id`;

export class SqliteJournal implements SignalJournal {
  readonly #database: DatabaseSync;
  readonly #kept: number;
  readonly #pending: StatementSync;
  readonly #ofSignal: StatementSync;
  readonly #newest: StatementSync;
  readonly #mark: StatementSync;
  readonly #known: StatementSync;
  readonly #addSignal: StatementSync;
  readonly #addDelivery: StatementSync;
  readonly #size: StatementSync;
  readonly #forget: StatementSync;
  readonly #waitsForDisk: boolean;

  /** `kept`: signals without open deliveries beyond the newest so many are forgotten. */
  constructor(database: DatabaseSync, kept: number) {
    this.#database = database;
    this.#kept = kept;
    this.#waitsForDisk = Number(database.prepare('pragma synchronous').get()?.synchronous) > 0;
    this.#pending = database.prepare(`${ENTRY} where d.is_open = 1 order by s.decided_at, s.id, d.sink`);
    this.#ofSignal = database.prepare(`${ENTRY} where d.signal_id = ? order by d.sink desc`);
    this.#newest = database.prepare(`${ENTRY} order by s.decided_at desc, s.id desc, d.sink desc limit ?`);
    this.#mark = database.prepare(
      `update deliveries set state = ?, is_open = ?, attempts = ?, last_error = ?, escalated_at = ?, updated_at = ?, crc = ?
       where signal_id = ? and sink = ? and is_open = 1`,
    );
    this.#known = database.prepare('select 1 from deliveries where signal_id = ? and sink = ?');
    this.#addSignal = database.prepare('insert into signals (id, json, decided_at, crc) values (?, ?, ?, ?) on conflict (id) do nothing');
    this.#addDelivery = database.prepare(
      `insert into deliveries (signal_id, sink, state, is_open, attempts, last_error, escalated_at, updated_at, crc)
       values (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    );
    this.#size = database.prepare('select count(*) as size from signals');
    this.#forget = database.prepare(
      `delete from signals where id in (
         select id from signals s where not exists (select 1 from deliveries d where d.signal_id = s.id and d.is_open = 1)
         order by decided_at desc, id desc limit -1 offset ?)`,
    );
  }

  pending(): readonly JournalEntry[] {
    return this.#entries('reading open deliveries', () => this.#pending.all());
  }

  entries(limit: number): readonly JournalEntry[] {
    return this.#entries('reading deliveries', () => this.#newest.all(limit));
  }

  of(signalId: string): readonly JournalEntry[] {
    return this.#entries(`reading the deliveries of signal ${signalId}`, () => this.#ofSignal.all(signalId));
  }

  append(signals: readonly DecidedSignal[]): readonly string[] {
    try {
      this.#database.exec('begin immediate');
      const fresh = this.addNew(signals);
      this.#database.exec('commit');
      return fresh;
    } catch (error) {
      if (this.#database.isOpen && this.#database.isTransaction) this.#database.exec('rollback');
      throw storeError('journalling signals', error);
    }
  }

  mark(signalId: string, sink: string, change: DeliveryChange): void {
    const { state, isOpen, attempts, lastError, escalatedAt, at } = change;
    const row = [state, Number(isOpen), attempts, lastError, escalatedAt, at] as const;
    const crc = rowChecksum([signalId, sink, ...row]);
    let known: boolean;
    try {
      const marked = (): boolean => this.#mark.run(...row, crc, signalId, sink).changes > 0;
      known = (state === 'sent' ? this.#unsynced(marked) : marked()) || this.#known.get(signalId, sink) !== undefined;
    } catch (error) {
      throw storeError(`marking signal ${signalId} for ${sink}`, error);
    }
    if (!known) throw new PermanentError('unknown_delivery', `marking signal ${signalId} for ${sink}: it is not in the journal`);
  }

  /**
   * Without waiting for the disk: a process that is killed loses nothing, and after a power failure the signal, which is on the disk, is sent once more
   * with the same id and bytes. What waits here is a rollback. Source: SQLite, `pragma synchronous`: in WAL mode NORMAL loses no consistency.
   */
  #unsynced<T>(act: () => T): T {
    if (!this.#waitsForDisk) return act();
    this.#database.exec('pragma synchronous = normal');
    try {
      return act();
    } finally {
      this.#database.exec('pragma synchronous = full');
    }
  }

  durable(): null {
    return null;
  }

  /** Part of a transaction that others began; returns the ids that were new. */
  addNew(signals: readonly DecidedSignal[]): readonly string[] {
    const fresh = signals.filter((decided) => this.#add(decided)).map(({ signal }) => signal.id);
    if (fresh.length > 0 && Number(this.#size.get()?.size) > this.#kept) this.#forget.run(this.#kept);
    return fresh;
  }

  #add({ signal, decidedAt }: DecidedSignal): boolean {
    const json = JSON.stringify(signal);
    if (this.#addSignal.run(signal.id, json, decidedAt, rowChecksum([signal.id, json, decidedAt])).changes === 0) return false;
    for (const { sink, state, isOpen, attempts, lastError, escalatedAt, updatedAt } of openEntries(signal, decidedAt)) {
      const row = [signal.id, sink, state, Number(isOpen), attempts, lastError, escalatedAt, updatedAt] as const;
      this.#addDelivery.run(...row, rowChecksum(row));
    }
    return true;
  }

  #entries(act: string, rows: () => readonly unknown[]): readonly JournalEntry[] {
    try {
      return (rows() as unknown as readonly EntryRow[]).map(entryOf);
    } catch (error) {
      throw storeError(act, error);
    }
  }
}

interface EntryRow {
  readonly json: string;
  readonly decided_at: number;
  readonly sink: string;
  readonly state: DeliveryState;
  readonly is_open: number;
  readonly attempts: number;
  readonly last_error: string | null;
  readonly escalated_at: number | null;
  readonly updated_at: number;
}

function entryOf(row: EntryRow): JournalEntry {
  const { sink, state, attempts } = row;
  const saved = JSON.parse(row.json) as Signal;
  // Absent where the program that saved it knew of neither.
  const signal = { ...saved, target: saved.target ?? null, link: saved.link ?? null };
  return {
    signal,
    decidedAt: row.decided_at,
    sink,
    state,
    isOpen: row.is_open === 1,
    attempts,
    lastError: row.last_error,
    escalatedAt: row.escalated_at,
    updatedAt: row.updated_at,
  };
}
