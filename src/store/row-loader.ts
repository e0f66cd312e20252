/** Fills an empty state file from the rows of a changelog, and refuses what this program did not write. */
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { ChangelogRow } from '../kafka/changelog-row.ts';
import { PermanentError } from '../model/errors.ts';
import { decodeRow, KEPT_TABLES, keyOfRow } from './row-record.ts';
import { SCHEMA_VERSION } from './sqlite-schema.ts';

/** How rows are written; grows with every change of `row-record.ts`. */
const LAYOUT = 1;
const FORMAT_KEY = 'format';

/** Says in which form all other rows are; the first row of a log. */
export function formatRow(): ChangelogRow {
  return { key: FORMAT_KEY, value: Buffer.from(JSON.stringify({ layout: LAYOUT, schema: SCHEMA_VERSION })) };
}

export class RowLoader {
  readonly #database: DatabaseSync;
  readonly #statements: ReadonlyMap<string, { readonly put: StatementSync; readonly drop: StatementSync }>;
  #format: { readonly layout: number; readonly schema: number } | null = null;
  #rows = 0;
  #failure: unknown = null;

  constructor(database: DatabaseSync) {
    this.#database = database;
    // Rows come in the order in which they were last changed, and the one that another refers to may come later.
    database.exec('pragma foreign_keys = off; begin');
    this.#statements = new Map(
      KEPT_TABLES.map(({ name, columns, keyColumns }) => {
        // The table of a single row counts it.
        const all = [...(keyColumns.length === 0 ? ['one'] : []), ...columns, 'crc'];
        const put = database.prepare(
          `insert or replace into ${name} (${all.join(', ')}) values (${all.map((column) => (column === 'one' ? '1' : '?')).join(', ')})`,
        );
        const drop = database.prepare(`delete from ${name} where true${keyColumns.map((column) => ` and ${column} = ?`).join('')}`);
        return [name, { put, drop }];
      }),
    );
  }

  /** A later row of a key replaces the earlier one. What is wrong with it is told by `finish`, when it is known who wrote it. */
  take(row: ChangelogRow): void {
    if (this.#failure !== null && row.key !== FORMAT_KEY) return;
    try {
      if (row.key === FORMAT_KEY) this.#format = formatOf(row);
      else this.#apply(row);
    } catch (error) {
      this.#failure = error;
    }
  }

  /** True when there was a state. Throws PermanentError when it is not a whole one of this program; the file is to be thrown away then. */
  finish(): boolean {
    if (this.#format === null && this.#rows === 0 && this.#failure === null) return this.#end(false);
    refuseForeign(this.#format);
    if (this.#failure !== null) throw this.#failure;
    this.#end(true);
    const orphan = this.#database.prepare('pragma foreign_key_check').get();
    if (orphan !== undefined) {
      throw new PermanentError('state_damaged', `reading the saved state: a row of ${String(orphan.table)} has lost the one it belongs to`);
    }
    return true;
  }

  #end(found: boolean): boolean {
    this.#database.exec('commit; pragma foreign_keys = on');
    return found;
  }

  #apply({ key: text, value }: ChangelogRow): void {
    this.#rows++;
    const { table, key } = keyOfRow(text);
    const statements = this.#statements.get(table.name);
    if (value === null) statements?.drop.run(...key);
    else statements?.put.run(...decodeRow(text, table, value));
  }
}

function formatOf({ value }: ChangelogRow): { readonly layout: number; readonly schema: number } {
  const { layout, schema } = JSON.parse(Buffer.from(value ?? []).toString('utf8')) as { layout?: unknown; schema?: unknown };
  if (typeof layout === 'number' && typeof schema === 'number') return { layout, schema };
  throw new PermanentError(
    'state_foreign',
    'reading the saved state: its row `format` names no versions; is this the topic of another program?',
  );
}

function refuseForeign(format: { readonly layout: number; readonly schema: number } | null): void {
  if (format === null) {
    throw new PermanentError('state_foreign', 'reading the saved state: it has no row `format`; is this the topic of another program?');
  }
  const { layout, schema } = format;
  if (layout === LAYOUT && schema === SCHEMA_VERSION) return;
  const known = `this program knows layout ${LAYOUT} and schema ${SCHEMA_VERSION}`;
  const isNewer = layout > LAYOUT || schema > SCHEMA_VERSION;
  throw new PermanentError(
    isNewer ? 'state_newer' : 'state_older',
    `reading the saved state: it has layout ${layout} and schema ${schema}, ${known}; run the ${isNewer ? 'newer' : 'earlier'} program or use another state topic`,
  );
}
