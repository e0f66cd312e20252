/** Opens the one state file of a folder: alone, in a version we know, and only when every row can be trusted. */
import { chmodSync, closeSync, existsSync, fsyncSync, openSync, readSync, renameSync, rmSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { PermanentError } from '../model/errors.ts';
import { CACHE_KIB, inLockedFolder, SIDE_FILES, WAL_LIMIT_BYTES } from './locked-folder.ts';
import { createPrivateFile } from './private-file.ts';
import { isSurroundings } from './sqlite-error.ts';
import { SCHEMA, SCHEMA_VERSION } from './sqlite-schema.ts';
import { isUpgradable, upgrade } from './upgrade-state.ts';
import { verifyRows } from './verify-rows.ts';

const STATE_FILE = 'slipstream.db';
const BUSY_TIMEOUT_MS = 2_000;

export interface StateFile {
  readonly database: DatabaseSync;
  /** Where the previous file went, when it could not be trusted. */
  readonly quarantined: string | null;
  close(): void;
}

/**
 * Creates the folder (0700) and the file (0600) where there are none. A damaged file is moved aside as `slipstream.db.corrupt-<n>`, never
 * deleted, and an empty one takes its place. Throws PermanentError, having touched no state, when another process holds the folder, the file
 * is of a newer version, or the disk does not let us.
 */
export function openStateFile(directory: string): StateFile {
  return inLockedFolder('state folder', directory, (release) => {
    const { database, quarantined } = openTrusted(directory);
    const close = () => {
      if (!database.isOpen) return;
      database.close();
      release();
    };
    return { database, quarantined, close };
  });
}

function openTrusted(directory: string): { readonly database: DatabaseSync; readonly quarantined: string | null } {
  const path = join(directory, STATE_FILE);
  const sides = SIDE_FILES.map((suffix) => path + suffix);
  // A log without its file, and a file that lost all its bytes, were a state once.
  const left = [path, ...sides].some((file) => existsSync(file));
  if (!left) return { database: createFile(path), quarantined: null };
  refuseNewer(path, versionInHeader(path));
  const database = existsSync(path) && statSync(path).size > 0 ? openVerified(path) : null;
  if (database !== null) return { database, quarantined: null };
  const quarantined = moveAside(path);
  return { database: createFile(path), quarantined };
}

/** Null when the content cannot be trusted. */
function openVerified(path: string): DatabaseSync | null {
  chmodSync(path, 0o600);
  const database = new DatabaseSync(path, { timeout: BUSY_TIMEOUT_MS });
  try {
    const version = Number(database.prepare('pragma user_version').get()?.user_version);
    refuseNewer(path, version);
    if (!(isUpgradable(version) ? upgrade(database, version) : version === SCHEMA_VERSION && verifyRows(database))) {
      throw new RangeError('not as we wrote it');
    }
    configure(database);
    return database;
  } catch (error) {
    database.close();
    if (error instanceof PermanentError || isSurroundings(error)) throw error;
    return null;
  }
}

/** Made whole beside its place and moved there, so that an empty or half-made file never stands where a state was. */
function createFile(path: string): DatabaseSync {
  const draft = `${path}.new`;
  for (const suffix of ['', ...SIDE_FILES]) rmSync(draft + suffix, { force: true });
  createPrivateFile(draft);
  using making = new DatabaseSync(draft);
  making.exec(`begin immediate; ${SCHEMA} pragma user_version = ${SCHEMA_VERSION}; commit;`);
  making.close();
  renameSync(draft, path);
  syncFolder(dirname(path));
  const database = new DatabaseSync(path, { timeout: BUSY_TIMEOUT_MS });
  configure(database);
  return database;
}

function syncFolder(directory: string): void {
  const folder = openSync(directory, 'r');
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}

/** Ends with a write, so that a file that can only be read is refused at the start and not at the first checkpoint. */
function configure(database: DatabaseSync): void {
  database.exec(`pragma journal_mode = wal; pragma cache_size = -${CACHE_KIB}; pragma synchronous = full; pragma journal_size_limit = ${WAL_LIMIT_BYTES};
    pragma user_version = ${SCHEMA_VERSION};`);
}

function refuseNewer(path: string, version: number): void {
  if (version <= SCHEMA_VERSION) return;
  throw new PermanentError(
    'state_newer',
    `opening ${path}: it has schema version ${version}, this program knows up to ${SCHEMA_VERSION}; run the newer program or use another folder`,
  );
}

/** `user_version` as the file has it (big-endian at byte 60), read without SQLite, which would already tidy up. 0 when it is no such file. */
function versionInHeader(path: string): number {
  if (!existsSync(path)) return 0;
  const header = Buffer.alloc(64);
  const file = openSync(path, 'r');
  try {
    const complete = readSync(file, header) === header.length && header.toString('latin1', 0, 15) === 'SQLite format 3';
    return complete ? header.readInt32BE(60) : 0;
  } finally {
    closeSync(file);
  }
}

function moveAside(path: string): string {
  let n = 1;
  while (['', ...SIDE_FILES].some((suffix) => existsSync(`${path}.corrupt-${n}${suffix}`))) n++;
  for (const suffix of ['', ...SIDE_FILES]) {
    if (existsSync(path + suffix)) renameSync(path + suffix, `${path}.corrupt-${n}${suffix}`);
  }
  return `${path}.corrupt-${n}`;
}
