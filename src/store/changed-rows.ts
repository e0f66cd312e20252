/** Knows which rows of a state file changed since they were last taken, whoever changed them. */
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { ChangelogRow } from '../kafka/changelog-row.ts';
import { encodeRow, KEPT_TABLES, type KeptTable, rowKey, type SqlValue } from './row-record.ts';

/**
 * Only keys are held, each once, however often its row changes: what is taken is each row as it then is. A row that came and went in between leaves
 * nothing. So it grows with the state, not with the time between takings.
 */
export class ChangedRows {
  readonly #database: DatabaseSync;
  readonly #keys: StatementSync;
  readonly #clear: StatementSync;
  readonly #rows: ReadonlyMap<string, { readonly table: KeptTable; readonly read: StatementSync }>;

  /** Rows that are there already count as unchanged. */
  constructor(database: DatabaseSync) {
    this.#database = database;
    // Columns without a type keep the one of the key.
    database.exec(`create temp table changed (of text not null, a not null, b not null, is_new integer not null, primary key (of, a, b)) without rowid;
      ${KEPT_TABLES.map(triggers).join('\n')}`);
    this.#keys = database.prepare('select of, a, b from changed order by of, a, b');
    this.#clear = database.prepare('delete from changed');
    this.#rows = new Map(
      KEPT_TABLES.map((table) => {
        const where = table.keyColumns.map((column) => ` and ${column} = ?`).join('');
        const read = database.prepare(`select ${table.columns.join(', ')}, crc from ${table.name} where true${where}`);
        read.setReturnArrays(true);
        return [table.name, { table, read }];
      }),
    );
  }

  /** All changed rows as one moment has them; from here on they count as unchanged. */
  take(): readonly ChangelogRow[] {
    const database = this.#database;
    database.exec('begin immediate');
    try {
      const keys = this.#keys.all() as unknown as readonly ChangedKey[];
      const rows = keys.map((key) => this.#row(key));
      this.#clear.run();
      database.exec('commit');
      return rows;
    } catch (error) {
      if (database.isTransaction) database.exec('rollback');
      throw error;
    }
  }

  #row({ of, a, b }: ChangedKey): ChangelogRow {
    const { table, read } = this.#rows.get(of) as { table: KeptTable; read: StatementSync };
    const key = [a, b].slice(0, table.keyColumns.length);
    const values = read.get(...key) as unknown as SqlValue[] | undefined;
    return { key: rowKey(table, key), value: values === undefined ? null : encodeRow(values) };
  }
}

interface ChangedKey {
  readonly of: string;
  readonly a: string | number;
  readonly b: string | number;
}

/**
 * `is_new`: it was not there when changes were last taken. No conflict clause inside: the one of the statement that fires a trigger overrides it
 * (sqlite.org/lang_createtrigger.html).
 */
function triggers({ name, keyColumns }: KeptTable): string {
  const keyOf = (row: 'new' | 'old') => [0, 1].map((i) => (keyColumns[i] === undefined ? '0' : `${row}.${keyColumns[i]}`));
  const insert = (row: 'new' | 'old', isNew: string) => {
    const [a, b] = keyOf(row);
    return `insert into changed select '${name}', ${a}, ${b}, ${isNew} where not exists (select 1 from changed where ${isKey(row)});`;
  };
  const isKey = (row: 'new' | 'old') => {
    const [a, b] = keyOf(row);
    return `of = '${name}' and a = ${a} and b = ${b}`;
  };
  const isSame = keyColumns.map((column) => ` and ${column} = new.${column}`).join('');
  return `
    create temp trigger ${name}_added before insert on main.${name} begin
      ${insert('new', `not exists (select 1 from ${name} where true${isSame})`)}
    end;
    create temp trigger ${name}_turned after update on main.${name} begin ${insert('new', '0')} end;
    create temp trigger ${name}_gone after delete on main.${name} begin
      ${insert('old', '0')}
      delete from changed where ${isKey('old')} and is_new = 1;
    end;`;
}
