/** The journal of signals in the state file. */
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { PermanentError } from '../model/errors.ts';
import type { DeliveryState, Signal } from '../model/rollout.ts';
import { type DeliveryChange, type JournalEntry, openEntries, type SignalJournal } from './journal.ts';
import { rowChecksum } from './row-checksum.ts';
import { storeError } from './sqlite-error.ts';
import type { DecidedSignal } from './store.ts';

const OPEN_STATES = `('pending', 'sent')`;
const ENTRY = `
  select s.json, s.decided_at, d.sink, d.state, d.attempts, d.last_error, d.updated_at
  from deliveries d join signals s on s.id = d.signal_id`;

export class SqliteJournal implements SignalJournal {
  readonly #pending: StatementSync;
  readonly #newest: StatementSync;
  readonly #mark: StatementSync;
  readonly #known: StatementSync;
  readonly #addSignal: StatementSync;
  readonly #addDelivery: StatementSync;
  readonly #size: StatementSync;
  readonly #forget: StatementSync;

  constructor(database: DatabaseSync) {
    this.#pending = database.prepare(`${ENTRY} where d.state in ${OPEN_STATES} order by s.decided_at, s.id, d.sink`);
    this.#newest = database.prepare(`${ENTRY} order by s.decided_at desc, s.id desc, d.sink desc limit ?`);
    this.#mark = database.prepare(
      `update deliveries set state = ?, attempts = ?, last_error = ?, updated_at = ?, crc = ?
       where signal_id = ? and sink = ? and state in ${OPEN_STATES}`,
    );
    this.#known = database.prepare('select 1 from deliveries where signal_id = ? and sink = ?');
    this.#addSignal = database.prepare('insert into signals (id, json, decided_at, crc) values (?, ?, ?, ?) on conflict (id) do nothing');
    this.#addDelivery = database.prepare(
      'insert into deliveries (signal_id, sink, state, attempts, last_error, updated_at, crc) values (?, ?, ?, ?, ?, ?, ?)',
    );
    this.#size = database.prepare('select count(*) as size from signals');
    this.#forget = database.prepare(
      `delete from signals where id in (
         select id from signals s where not exists (select 1 from deliveries d where d.signal_id = s.id and d.state in ${OPEN_STATES})
         order by decided_at desc, id desc limit -1 offset ?)`,
    );
  }

  pending(): readonly JournalEntry[] {
    return this.#entries('reading open deliveries', () => this.#pending.all());
  }

  entries(limit: number): readonly JournalEntry[] {
    return this.#entries('reading deliveries', () => this.#newest.all(limit));
  }

  mark(signalId: string, sink: string, change: DeliveryChange): void {
    const { state, attempts, lastError, at } = change;
    const crc = rowChecksum([signalId, sink, state, attempts, lastError, at]);
    let known: boolean;
    try {
      known =
        this.#mark.run(state, attempts, lastError, at, crc, signalId, sink).changes > 0 || this.#known.get(signalId, sink) !== undefined;
    } catch (error) {
      throw storeError(`marking signal ${signalId} for ${sink}`, error);
    }
    if (!known) throw new PermanentError('unknown_delivery', `marking signal ${signalId} for ${sink}: it is not in the journal`);
  }

  /** Part of the checkpoint's transaction; returns the ids that were new. */
  addNew(signals: readonly DecidedSignal[], kept: number): readonly string[] {
    const fresh = signals.filter((decided) => this.#add(decided)).map(({ signal }) => signal.id);
    if (fresh.length > 0 && Number(this.#size.get()?.size) > kept) this.#forget.run(kept);
    return fresh;
  }

  #add({ signal, decidedAt }: DecidedSignal): boolean {
    const json = JSON.stringify(signal);
    if (this.#addSignal.run(signal.id, json, decidedAt, rowChecksum([signal.id, json, decidedAt])).changes === 0) return false;
    for (const { sink, state, attempts, lastError, updatedAt } of openEntries(signal, decidedAt)) {
      const row = [signal.id, sink, state, attempts, lastError, updatedAt] as const;
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
  readonly attempts: number;
  readonly last_error: string | null;
  readonly updated_at: number;
}

function entryOf(row: EntryRow): JournalEntry {
  const { sink, state, attempts } = row;
  const saved = JSON.parse(row.json) as Signal;
  // Absent where the program that saved it knew of neither.
  const signal = { ...saved, target: saved.target ?? null, link: saved.link ?? null };
  return { signal, decidedAt: row.decided_at, sink, state, attempts, lastError: row.last_error, updatedAt: row.updated_at };
}
