/** Opens an empty state file for state that is safe elsewhere: nothing of it survives, so nothing of it waits for the disk. */
import { chmodSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { PermanentError } from '../model/errors.ts';
import { lockFolder } from './folder-lock.ts';
import { createPrivateFile } from './private-file.ts';
import { SCHEMA } from './sqlite-schema.ts';
import type { StateFile } from './state-file.ts';

/** Not the name of state on one machine, which is never thrown away. */
const SCRATCH_FILE = 'scratch.db';
const SIDE_FILES = ['-wal', '-shm', '-journal'];
/** The write-ahead log is cut back to this after a burst. */
const WAL_LIMIT_BYTES = 16 * 1024 * 1024;

/** Throws away what is left in the folder. Throws PermanentError when another process holds the folder, or the disk does not let us. */
export function openScratchFile(directory: string): StateFile {
  try {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    const lock = lockFolder(directory);
    const path = join(directory, SCRATCH_FILE);
    const remove = () => {
      for (const suffix of ['', ...SIDE_FILES]) rmSync(path + suffix, { force: true });
    };
    try {
      remove();
      createPrivateFile(path);
      chmodSync(path, 0o600);
      const database = new DatabaseSync(path);
      database.exec(`pragma journal_mode = wal; pragma synchronous = off; pragma temp_store = memory; pragma cache_size = -16384;
        pragma journal_size_limit = ${WAL_LIMIT_BYTES}; begin; ${SCHEMA} commit;`);
      const close = () => {
        if (!database.isOpen) return;
        database.close();
        remove();
        lock.release();
      };
      return { database, quarantined: null, close };
    } catch (error) {
      lock.release();
      throw error;
    }
  } catch (error) {
    if (error instanceof PermanentError) throw error;
    const text = error instanceof Error ? error.message : String(error);
    throw new PermanentError('state_unusable', `opening scratch folder ${directory}: ${text}`, { cause: error });
  }
}
