/** Turns the status of an answer into what a delivery can act upon, by the one table. */
import { PermanentError, RetryableError } from '../../model/errors.ts';
import type { EpochMs } from '../../model/time.ts';
import { retryAfterMs } from '../retry-after.ts';
import { outcomeOfStatus } from '../status-table.ts';
import type { HttpAnswer } from './http-client.ts';

/** Returns for 2xx. Throws RetryableError `status` (with the wait that was asked for) or PermanentError with a `SinkRefusal`; `act` begins the message. */
export function requireDelivered({ status, retryAfter, text }: HttpAnswer, act: string, now: EpochMs): void {
  const outcome = outcomeOfStatus(status);
  const message = text === '' ? `${act}: ${status}` : `${act}: ${status}: ${text}`;
  switch (outcome) {
    case 'delivered':
      return;
    case 'retry': {
      const askedMs = retryAfterMs(retryAfter, now);
      throw new RetryableError('status', message, askedMs === undefined ? {} : { retryAfterMs: askedMs });
    }
    case 'superseded':
    case 'refused':
    case 'misdirected':
    case 'declined':
      throw new PermanentError(outcome, message);
    default:
      outcome satisfies never;
  }
}
