/** What cannot be done just now, and how the caller is told when to ask again. */
import type { DurationMs } from '../model/time.ts';
import { problemResponse } from './problem.ts';

/** Not now: starting, draining, too many of them at once, or a store that refuses. */
export interface Unavailable {
  readonly outcome: 'unavailable';
  readonly detail: string;
  readonly retryAfterMs: DurationMs;
}

export function unavailable({ detail, retryAfterMs }: Unavailable): Response {
  const headers = { 'retry-after': String(Math.max(1, Math.ceil(retryAfterMs / 1000))) };
  return problemResponse({ status: 503, title: 'Unavailable', detail, headers });
}
