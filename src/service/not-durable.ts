/** What a caller is told of a change that holds in memory only. */
import type { Unavailable } from '../api/unavailable.ts';

/** A crash would forget it, so nobody should rely on it yet. */
export const NOT_DURABLE: Unavailable = {
  outcome: 'unavailable',
  detail: 'the store refuses to be written; send the same again',
  retryAfterMs: 5_000,
};
