/** Creates files that only their owner may read. */
import { closeSync, openSync } from 'node:fs';

/**
 * An empty file with mode 0600; false when it exists. SQLite gives its side files the mode of the main one. An existing file is not opened:
 * closing it again would take away the locks that this process holds on it (POSIX advisory locks).
 */
export function createPrivateFile(path: string): boolean {
  try {
    closeSync(openSync(path, 'wx', 0o600));
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false;
    throw error;
  }
}
