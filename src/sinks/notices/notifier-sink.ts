/** Tells people of signals: a sink around a notifier. */
import { RetryableError } from '../../model/errors.ts';
import type { SignalAction } from '../../model/rollout.ts';
import type { Notifier } from '../notifier.ts';
import type { Attempt, Receipt, Sink, SinkMessage } from '../sink.ts';
import { signalNotice } from './signal-notice.ts';

export class NotifierSink implements Sink {
  readonly name: string;
  readonly actions: ReadonlySet<SignalAction> = new Set(['rollback', 'promote', 'hold', 'rolled_back']);
  readonly #notifier: Notifier;
  readonly #isDryRun: boolean;

  constructor(notifier: Notifier, isDryRun: boolean) {
    this.name = notifier.name;
    this.#notifier = notifier;
    this.#isDryRun = isDryRun;
  }

  async deliver(message: SinkMessage, { abort, mayStillAct }: Attempt): Promise<Receipt> {
    const act = `telling ${this.name} of signal ${message.id}`;
    if (abort.aborted) throw new RetryableError('aborted', `${act}: stopped`);
    if (!mayStillAct()) throw new RetryableError('stale', `${act}: no longer current`);
    if (this.#isDryRun) return 'dry_run';
    await this.#notifier.notify(signalNotice(message), abort);
    return 'acknowledged';
  }
}
