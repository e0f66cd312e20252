/** What every file of state lies in: a private folder that one process has to itself for as long as the file is open. */
import { mkdirSync } from 'node:fs';
import { PermanentError } from '../model/errors.ts';
import { lockFolder } from './folder-lock.ts';

/** Files that SQLite keeps beside the main one. */
export const SIDE_FILES = ['-wal', '-shm', '-journal'];
/** The write-ahead log is cut back to this after a burst. */
export const WAL_LIMIT_BYTES = 16 * 1024 * 1024;
/** Pages of counts are met in no order; with SQLite's 2 MiB a checkpoint of 1,000 objectives takes a third longer. */
export const CACHE_KIB = 16 * 1024;

/**
 * Creates the folder (0700) where there is none, and locks it; `open` gets what lets it go again. `what` names the folder in errors. Throws PermanentError when
 * another process holds it, or the disk does not let us; it is not held then.
 */
export function inLockedFolder<T>(what: string, directory: string, open: (release: () => void) => T): T {
  try {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    const lock = lockFolder(directory);
    try {
      return open(() => lock.release());
    } catch (error) {
      lock.release();
      throw error;
    }
  } catch (error) {
    if (error instanceof PermanentError) throw error;
    const text = error instanceof Error ? error.message : String(error);
    throw new PermanentError('state_unusable', `opening ${what} ${directory}: ${text}`, { cause: error });
  }
}
