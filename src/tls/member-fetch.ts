/** `fetch` for members that share the work: trusts whom the file of the configuration names, as it is at that time. */
import { readFileSync } from 'node:fs';
import type { DurationMs } from '../model/time.ts';
import { type Fetch, fetchOver } from './client-tls.ts';

/** Renewed authorities are seen so soon. */
const READ_EVERY_MS: DurationMs = 5_000;

/** `caFile` null: whom Node.js trusts. A file that cannot be read leaves trust as it was; without any, requests reject. */
export function memberFetch(caFile: string | null, monotonicMs: () => number = () => performance.now()): Fetch {
  if (caFile === null) return fetch;
  let trusted: { readonly ca: string; readonly fetch: Fetch } | null = null;
  let readAtMs = Number.NEGATIVE_INFINITY;
  return async (url, request) => {
    if (!url.startsWith('https:')) return fetch(url, request);
    if (trusted === null || monotonicMs() - readAtMs >= READ_EVERY_MS) {
      const ca = textOf(caFile, trusted?.ca);
      readAtMs = monotonicMs();
      if (ca !== trusted?.ca) trusted = { ca, fetch: fetchOver({ ca, isChecked: true }) };
    }
    return trusted.fetch(url, request);
  };
}

function textOf(path: string, before: string | undefined): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (before === undefined) throw error;
    return before;
  }
}
