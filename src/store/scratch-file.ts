/** Opens an empty state file for state that is safe elsewhere: nothing of it survives, so nothing of it waits for the disk. */
import { chmodSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { CACHE_KIB, inLockedFolder, SIDE_FILES, WAL_LIMIT_BYTES } from './locked-folder.ts';
import { createPrivateFile } from './private-file.ts';
import { SCHEMA } from './sqlite-schema.ts';
import type { StateFile } from './state-file.ts';

/** Not the name of state on one machine, which is never thrown away. */
const SCRATCH_FILE = 'scratch.db';

/** Throws away what is left in the folder. Throws PermanentError when another process holds the folder, or the disk does not let us. */
export function openScratchFile(directory: string): StateFile {
  return inLockedFolder('scratch folder', directory, (release) => {
    const path = join(directory, SCRATCH_FILE);
    const remove = () => {
      for (const suffix of ['', ...SIDE_FILES]) rmSync(path + suffix, { force: true });
    };
    remove();
    createPrivateFile(path);
    chmodSync(path, 0o600);
    const database = new DatabaseSync(path);
    database.exec(`pragma journal_mode = wal; pragma synchronous = off; pragma temp_store = memory; pragma cache_size = -${CACHE_KIB};
      pragma journal_size_limit = ${WAL_LIMIT_BYTES}; begin; ${SCHEMA} commit;`);
    const close = () => {
      if (!database.isOpen) return;
      database.close();
      remove();
      release();
    };
    return { database, quarantined: null, close };
  });
}
