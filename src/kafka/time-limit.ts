/** An end for what kafkajs may try for ever. */
import type { DurationMs } from '../model/time.ts';

/** What was waited for has not come; it may come yet, to nobody. */
export class TimeLimitError extends Error {}

/** As `work`, but rejects with a TimeLimitError after `limitMs`. What `work` does later is nobody's then, also if it fails. */
export async function within<T>(work: Promise<T>, limitMs: DurationMs): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<never>((_, late) => {
    timer = setTimeout(() => late(new TimeLimitError(`no answer within ${Math.ceil(limitMs)} ms`)), Math.max(0, limitMs));
  });
  try {
    return await Promise.race([work, limit]);
  } finally {
    clearTimeout(timer);
  }
}
