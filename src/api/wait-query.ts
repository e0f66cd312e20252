/** How long a caller may ask to wait for a verdict. */
import { z } from 'zod';
import { DURATION_PATTERN } from '../config/quantity.ts';
import type { DurationMs } from '../model/time.ts';
import { durationMs } from './duration.ts';

/** Proxies commonly cut what is silent for a minute. */
const MAX_WAIT_MS = 60_000;

export const waitText = z
  .string()
  .max(64)
  .regex(new RegExp(DURATION_PATTERN), { error: 'must be a duration like 30s', abort: true })
  .refine((text) => (durationMs(text) ?? Number.POSITIVE_INFINITY) <= MAX_WAIT_MS, 'must be at most 60s')
  .describe('Answer as soon as there is a verdict or the run is over, at the latest after this long, at most 60s. Default: at once.');

export const runQuery = z.strictObject({ wait: waitText.optional() });

/** Milliseconds to wait; 0 for none, or for a text that is no duration and was refused before. */
export function waitMs(text: string | undefined): DurationMs {
  return text === undefined ? 0 : (durationMs(text) ?? 0);
}
