/** Which runs a checkpoint saves, so that many large ones never hold up the process. */
import type { EpochMs } from '../model/time.ts';

/** Evidence of so many endpoints is saved per checkpoint: about 6 kB of JSON and 50 µs each, so 25 ms in all. */
const MAX_ENDPOINTS = 500;

export interface SavableRun {
  /** Changed since it was last saved. */
  readonly isDirty: boolean;
  /** More than its evidence changed: it was started, said something new, or ended. */
  readonly isNews: boolean;
  readonly endpoints: number;
  /** When it was last saved; -Infinity before that. */
  readonly savedAt: EpochMs;
}

/**
 * Every run with news, and of those whose evidence alone grew the ones not saved for longest, at least one, as far as `MAX_ENDPOINTS` goes. A run
 * that waits loses a little more of its evidence in a crash: what is not saved is a gap in its time, never a wrong number.
 */
export function dueRuns<Run extends SavableRun>(runs: Iterable<Run>): Run[] {
  const dirty = [...runs].filter((run) => run.isDirty);
  const due = dirty.filter((run) => run.isNews);
  let endpoints = 0;
  for (const run of dirty.filter((one) => !one.isNews).sort((a, b) => a.savedAt - b.savedAt)) {
    if (endpoints > 0 && endpoints + run.endpoints > MAX_ENDPOINTS) break;
    endpoints += run.endpoints;
    due.push(run);
  }
  return due;
}
