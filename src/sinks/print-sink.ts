/** Writes each signal as one line of JSON to a stream. */
import type { Writable } from 'node:stream';
import { RetryableError } from '../model/errors.ts';
import type { SignalAction } from '../model/rollout.ts';
import { ALL_RUN_ACTIONS, type Attempt, type Receipt, type Sink, type SinkMessage } from './sink.ts';

/** Delivered is what the stream has taken over; a dry run writes nothing. The stream's `error` event is its owner's to listen to. */
export class PrintSink implements Sink {
  readonly name: string;
  /** Who reads along reads of what came of a signal too. */
  readonly actions: ReadonlySet<SignalAction> = new Set([...ALL_RUN_ACTIONS, 'rolled_back']);
  readonly #stream: Writable;
  readonly #isDryRun: boolean;

  constructor(name: string, stream: Writable, isDryRun = false) {
    this.name = name;
    this.#stream = stream;
    this.#isDryRun = isDryRun;
  }

  deliver(message: SinkMessage, { abort, mayStillAct }: Attempt): Promise<Receipt> {
    const act = `delivering signal ${message.id} to ${this.name}`;
    return new Promise((resolve, reject) => {
      const stopped = () => reject(new RetryableError('aborted', `${act}: stopped`));
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
      abort.addEventListener('abort', stopped, { once: true });
      this.#stream.write(`${message.body}\n`, (error) => {
        abort.removeEventListener('abort', stopped);
        if (error) reject(new RetryableError('stream', `${act}: ${error.message}`, { cause: error }));
        else resolve('acknowledged');
      });
    });
  }
}
