/** How long to wait between attempts: quickly at first, since a bad release is serving, then patiently. */
import type { DurationMs } from '../model/time.ts';

/** A rollback is worth little after a minute, so the usual hours-long webhook schedule starts far too slowly. */
const FIRST_WAITS_MS: readonly DurationMs[] = [200, 500, 1_000, 2_000, 5_000];
/** Longest wait: what is delivered after an outage arrives at most so much after its end. */
export const LONGEST_WAIT_MS: DurationMs = 30_000;
/** Share of a wait that jitter may take away. */
const JITTER = 0.2;

/** Wait after the `failures`-th failed attempt in a row (1 and up): 0.2, 0.5, 1, 2, 5, 10, 20, 30, 30 … s, less up to 20 % by `random` in [0, 1). */
export function retryWaitMs(failures: number, random: number): DurationMs {
  const last = FIRST_WAITS_MS.length - 1;
  const base = FIRST_WAITS_MS[Math.min(failures - 1, last)] ?? LONGEST_WAIT_MS;
  return jittered(Math.min(base * 2 ** Math.max(0, failures - 1 - last), LONGEST_WAIT_MS), random);
}

/** Wait after a refusal that only a human, or a change of mind on the other side, can end. */
export function refusedWaitMs(random: number): DurationMs {
  return jittered(LONGEST_WAIT_MS, random);
}

function jittered(waitMs: DurationMs, random: number): DurationMs {
  return waitMs * (1 - JITTER * random);
}
