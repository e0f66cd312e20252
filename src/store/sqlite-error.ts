/** Tells apart what an error of SQLite means (primary result codes of sqlite.org/rescode.html). */
import { PermanentError, RetryableError } from '../model/errors.ts';

const SQLITE_BUSY = 5;
/** Page beyond the end of the file: how a truncated file shows. */
const SQLITE_IOERR_SHORT_READ = 522;
/** PERM, BUSY, LOCKED, NOMEM, READONLY, INTERRUPT, IOERR, FULL, CANTOPEN, AUTH: the surroundings failed, the file may be well. */
const SURROUNDINGS: ReadonlySet<number> = new Set([3, SQLITE_BUSY, 6, 7, 8, 9, 10, 13, 14, 23]);

export function isBusy(error: unknown): boolean {
  return (resultCode(error) & 0xff) === SQLITE_BUSY;
}

/** False for whatever speaks against the file's content: then it must not be trusted. */
export function isSurroundings(error: unknown): boolean {
  const code = resultCode(error);
  if (code === 0) return error instanceof Error && 'syscall' in error;
  return code !== SQLITE_IOERR_SHORT_READ && SURROUNDINGS.has(code & 0xff);
}

function resultCode(error: unknown): number {
  return error instanceof Error && 'errcode' in error && typeof error.errcode === 'number' ? error.errcode : 0;
}

/** What failed while the store was in use, as one of our two kinds. */
export function storeError(act: string, error: unknown): RetryableError | PermanentError {
  if (error instanceof RetryableError || error instanceof PermanentError) return error;
  const text = error instanceof Error ? error.message : String(error);
  if (isSurroundings(error)) return new RetryableError('store_unavailable', `${act}: ${text}`, { cause: error });
  return new PermanentError('store_failed', `${act}: ${text}`, { cause: error });
}
