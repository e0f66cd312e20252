/** Ways to tell people: beside what sinks do with signals, they are told of burning budgets and of deliveries that need a person. */
import type { Notice } from '../model/notice.ts';

export interface Notifier {
  readonly name: string;
  /**
   * Resolves when the other side has taken it. The same notice may come again, after a failure or a restart: its key is what the other side tells
   * matters apart by. Errors as for `Sink.deliver`.
   */
  notify(notice: Notice, abort: AbortSignal): Promise<void>;
}
