/** Tells people by HTTP requests with JSON in them: what Alertmanager, Slack and PagerDuty have in common. */
import type { Notice } from '../../model/notice.ts';
import type { DurationMs, EpochMs } from '../../model/time.ts';
import { HttpClient } from '../http/http-client.ts';
import { requireDelivered } from '../http/require-delivered.ts';
import type { Notifier } from '../notifier.ts';

export interface RequestingParts {
  readonly name: string;
  /** Of several that are one system; each gets everything. */
  readonly urls: readonly URL[];
  readonly headers?: Readonly<Record<string, string>>;
  readonly timeoutMs: DurationMs;
  readonly networks: readonly string[] | null;
  /** What must not show when an answer repeats it. */
  readonly secrets: readonly string[];
  /** Wall clock. */
  now(): EpochMs;
  bodyOf(notice: Notice): unknown;
}

export class RequestingNotifier implements Notifier {
  readonly name: string;
  readonly #parts: RequestingParts;
  readonly #client: HttpClient;

  constructor(parts: RequestingParts) {
    this.name = parts.name;
    this.#parts = parts;
    this.#client = new HttpClient(parts);
  }

  /** Taken when one of the addresses took it: the others are told when it is sent again. */
  async notify(notice: Notice, abort: AbortSignal): Promise<void> {
    const { urls, headers = {}, secrets, now, bodyOf } = this.#parts;
    const act = `telling ${this.name} of ${notice.topic} ${notice.labels.objective ?? notice.labels.signal ?? notice.key}`;
    const body = JSON.stringify(bodyOf(notice));
    const sent = await Promise.allSettled(
      urls.map(async (url) => {
        const answer = await this.#client.post({
          url,
          headers: { 'content-type': 'application/json', 'user-agent': 'slipstream', ...headers },
          body,
          act,
          abort,
          // What is told is true when it is late, too.
          mayStillAct: () => true,
          keepText: { secrets },
        });
        requireDelivered(answer, act, now());
      }),
    );
    const failures = sent.flatMap((one) => (one.status === 'rejected' ? [one.reason] : []));
    if (failures.length === sent.length) throw failures[0];
  }
}
