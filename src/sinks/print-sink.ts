/** Writes each signal as one line of JSON to a stream. */
import type { Writable } from 'node:stream';
import { RetryableError } from '../model/errors.ts';
import type { SignalAction } from '../model/rollout.ts';
import type { DurationMs } from '../model/time.ts';
import { ALL_RUN_ACTIONS, type Attempt, type Receipt, type Sink, type SinkMessage } from './sink.ts';

/** Who reads the stream may have stopped reading. */
const TIMEOUT_MS: DurationMs = 10_000;

/**
 * Delivered is what the stream has taken over; a dry run writes nothing. The stream's `error` event is its owner's to listen to. What was written too slowly may
 * still appear, and the same line after it.
 */
export class PrintSink implements Sink {
  readonly name: string;
  /** Who reads along reads of what came of a signal too. */
  readonly actions: ReadonlySet<SignalAction> = new Set([...ALL_RUN_ACTIONS, 'rolled_back']);
  readonly #stream: Writable;
  readonly #isDryRun: boolean;
  readonly #timeoutMs: DurationMs;

  constructor(name: string, stream: Writable, isDryRun = false, timeoutMs: DurationMs = TIMEOUT_MS) {
    this.name = name;
    this.#stream = stream;
    this.#isDryRun = isDryRun;
    this.#timeoutMs = timeoutMs;
  }

  deliver(message: SinkMessage, { abort, mayStillAct }: Attempt): Promise<Receipt> {
    const act = `delivering signal ${message.id} to ${this.name}`;
    return new Promise((resolve, reject) => {
      let timer: NodeJS.Timeout | undefined;
      const stopped = () => {
        clearTimeout(timer);
        reject(new RetryableError('aborted', `${act}: stopped`));
      };
      if (abort.aborted) {
        stopped();
        return;
      }
      if (!mayStillAct()) {
        reject(new RetryableError('stale', `${act}: it may not be acted upon any more`));
        return;
      }
      if (this.#isDryRun) {
        resolve('dry_run');
        return;
      }
      // A stream whose reader stands still keeps what it is given in memory: not once more for each attempt.
      if (this.#stream.writableNeedDrain) {
        reject(new RetryableError('stream', `${act}: its reader does not keep up`));
        return;
      }
      abort.addEventListener('abort', stopped, { once: true });
      timer = setTimeout(() => {
        abort.removeEventListener('abort', stopped);
        reject(new RetryableError('timeout', `${act}: not taken within ${this.#timeoutMs} ms`));
      }, this.#timeoutMs);
      this.#stream.write(`${message.body}\n`, (error) => {
        clearTimeout(timer);
        abort.removeEventListener('abort', stopped);
        if (error) reject(new RetryableError('stream', `${act}: ${error.message}`, { cause: error }));
        else resolve('acknowledged');
      });
    });
  }
}
