/** What a thrown error means for a delivery, in words that are safe to keep and show. */
import { PermanentError, RetryableError } from '../model/errors.ts';
import type { DurationMs } from '../model/time.ts';
import type { SinkRefusal } from './sink.ts';

const REFUSALS: readonly SinkRefusal[] = ['superseded', 'refused', 'misdirected', 'declined'];

export interface DeliveryFailure {
  readonly kind: 'retry' | SinkRefusal;
  readonly text: string;
  readonly retryAfterMs?: DurationMs | undefined;
}

/** An error that is not of our two kinds is a fault in a sink: retried, and named without its message, which nobody has cleared of secrets. */
export function failureOf(error: unknown): DeliveryFailure {
  if (error instanceof RetryableError) return { kind: 'retry', text: error.message, retryAfterMs: error.retryAfterMs };
  if (error instanceof PermanentError) {
    return { kind: REFUSALS.find((refusal) => refusal === error.code) ?? 'refused', text: error.message };
  }
  return { kind: 'retry', text: `unexpected ${error instanceof Error ? error.name : typeof error}` };
}
