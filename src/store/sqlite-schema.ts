/** The tables of the state file. A row's `crc` is `rowChecksum` over its other columns in order. */
import { LEVEL_SECONDS, type LevelSeconds } from '../model/checkpoint.ts';

/** Kept in `user_version`; grows with every change of the tables. */
export const SCHEMA_VERSION = 3;

/** One table per level keeps a slot's start its primary key, so that no table has a second index which could disagree with it. */
export function slotsTable(level: LevelSeconds): string {
  return `slots_${level}`;
}

export const COUNT_TABLES = `
create table count_keys (id integer primary key, key text not null, crc integer not null) strict;
create table counts (kind text not null, start_sec integer not null, bytes blob not null, crc integer not null, primary key (kind, start_sec)) strict, without rowid;
`;

export const DELIVERY_TABLE = `
create table deliveries (
  signal_id text not null references signals (id) on delete cascade, sink text not null,
  state text not null, is_open integer not null, attempts integer not null, last_error text, escalated_at real, updated_at real not null, crc integer not null,
  primary key (signal_id, sink)
) strict, without rowid;
`;

export const SCHEMA = `
create table notes (key text primary key, json text not null, crc integer not null) strict, without rowid;
create table series (id integer primary key, json text not null, crc integer not null) strict;
create table runs (id text primary key, json text not null, changed integer not null, crc integer not null) strict, without rowid;
${COUNT_TABLES}
create table signals (id text primary key, json text not null, decided_at real not null, crc integer not null) strict, without rowid;
${DELIVERY_TABLE}
${LEVEL_SECONDS.map((level) => `create table ${slotsTable(level)} (start_sec integer primary key, bytes blob not null, crc integer not null) strict;`).join('\n')}
create table checkpoint (one integer primary key check (one = 1), at real not null, number integer not null, crc integer not null) strict;
`;
