/** Names rollouts that nobody named: those found in the traffic. */
import { createHash } from 'node:crypto';
import type { ReleaseMatcher } from '../model/series.ts';

/** The same service and canary give the same id on every replica and after every restart; JSON keeps the parts apart. */
export function rolloutId(service: string, canary: ReleaseMatcher): string {
  const sorted = Object.entries(canary).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return `ro_${createHash('sha256')
    .update(JSON.stringify([service, sorted]))
    .digest('hex')
    .slice(0, 20)}`;
}
