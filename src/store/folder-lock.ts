/** Keeps a second process out of a state folder. */
import { chmodSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { PermanentError } from '../model/errors.ts';
import { createPrivateFile } from './private-file.ts';
import { isBusy } from './sqlite-error.ts';

const LOCK_FILE = 'lock.db';

/**
 * Holds an exclusive SQLite lock on a file of its own until released. The lock is the kernel's, so it goes with the process however that ends,
 * and works across containers that share the volume, where a socket name would not. Throws PermanentError when another holds it.
 */
export function lockFolder(directory: string): { release(): void } {
  const path = join(directory, LOCK_FILE);
  createPrivateFile(path);
  chmodSync(path, 0o600);
  const database = new DatabaseSync(path);
  try {
    database.exec('begin exclusive');
  } catch (error) {
    database.close();
    if (isBusy(error)) {
      throw new PermanentError('state_locked', `opening state folder ${directory}: another process is using it`, { cause: error });
    }
    throw error;
  }
  return { release: () => database.close() };
}
