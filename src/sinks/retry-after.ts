/** How long an HTTP answer asks us to wait. */
import type { DurationMs, EpochMs } from '../model/time.ts';

const SHORTEST_MS = 1_000;
const LONGEST_MS = 60_000;

/** RFC 9110 10.2.3: seconds or an HTTP date, clamped to 1 to 60 s; undefined when absent or neither. */
export function retryAfterMs(header: string | null, now: EpochMs): DurationMs | undefined {
  const text = header?.trim() ?? '';
  const askedMs = /^\d+$/.test(text) ? Number(text) * 1_000 : /[a-z]/i.test(text) ? Date.parse(text) - now : Number.NaN;
  return Number.isNaN(askedMs) ? undefined : Math.min(Math.max(askedMs, SHORTEST_MS), LONGEST_MS);
}
