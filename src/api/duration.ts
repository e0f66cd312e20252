/** Lengths of time as people write them: `250ms`, `60s`, `1h30m`. */
import type { DurationMs } from '../model/time.ts';

const UNIT_MS: ReadonlyMap<string, number> = new Map([
  ['ms', 1],
  ['s', 1000],
  ['m', 60_000],
  ['h', 3_600_000],
  ['d', 86_400_000],
]);

/** One or more numbers with units; anything else does not match. */
export const DURATION_PATTERN = /^(?:\d{1,9}(?:\.\d{1,3})?(?:ms|s|m|h|d))+$/;

/** Null when `text` is no duration. */
export function durationMs(text: string): DurationMs | null {
  if (!DURATION_PATTERN.test(text)) return null;
  let total = 0;
  for (const [, number, unit] of text.matchAll(/([\d.]+)(ms|s|m|h|d)/g)) total += Number(number) * (UNIT_MS.get(unit ?? '') ?? Number.NaN);
  return total;
}
