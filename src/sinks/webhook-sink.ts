/** Sends signals to an HTTP endpoint, signed as Standard Webhooks asks. */
import type { KeyObject } from 'node:crypto';
import type { WebhookSinkConfig } from '../config/sink-config.ts';
import { PermanentError, RetryableError } from '../model/errors.ts';
import type { DurationMs, EpochMs } from '../model/time.ts';
import { retryAfterMs } from './retry-after.ts';
import { ALL_RUN_ACTIONS, type Attempt, type Receipt, type Sink, type SinkMessage } from './sink.ts';
import { signedHeaders, signingKey } from './standard-webhook.ts';
import { outcomeOfStatus } from './status-table.ts';

/** What is read of an answer's body before the connection is given up; nothing in it is looked at. */
const MAX_ANSWER_BYTES = 16_384;

/**
 * The URL may carry a token and is never part of an error. One attempt takes at most `timeoutMs` in all. Redirects are not
 * followed: a signed signal goes where the configuration says and nowhere else.
 */
export class WebhookSink implements Sink {
  readonly name: string;
  readonly actions = ALL_RUN_ACTIONS;
  readonly #url: URL;
  readonly #keys: readonly KeyObject[];
  readonly #timeoutMs: DurationMs;
  readonly #now: () => EpochMs;

  constructor(config: WebhookSinkConfig, now: () => EpochMs) {
    this.name = config.name;
    this.#url = endpoint(config);
    if (config.secrets.length === 0) throw new PermanentError('invalid_sink', `webhook ${config.name}: needs a secret to sign with`);
    this.#keys = config.secrets.map((secret, index) => signingKey(secret, `webhook ${config.name}: secret ${index + 1}`));
    this.#timeoutMs = config.timeoutMs;
    this.#now = now;
  }

  async deliver(message: SinkMessage, { abort }: Attempt): Promise<Receipt> {
    const act = `delivering signal ${message.id} to webhook ${this.name}`;
    const response = await this.#send(message, abort, act);
    await drained(response);
    const outcome = outcomeOfStatus(response.status);
    switch (outcome) {
      case 'delivered':
        return 'acknowledged';
      case 'retry': {
        const askedMs = retryAfterMs(response.headers.get('retry-after'), this.#now());
        throw new RetryableError('status', `${act}: ${response.status}`, askedMs === undefined ? {} : { retryAfterMs: askedMs });
      }
      case 'superseded':
      case 'refused':
      case 'misdirected':
      case 'declined':
        throw new PermanentError(outcome, `${act}: ${response.status}`);
      default:
        return outcome satisfies never;
    }
  }

  async #send(message: SinkMessage, abort: AbortSignal, act: string): Promise<Response> {
    const headers = {
      'content-type': 'application/json',
      'user-agent': 'slipstream',
      ...signedHeaders(message, this.#keys, this.#now()),
    };
    const timeout = AbortSignal.timeout(this.#timeoutMs);
    try {
      return await fetch(this.#url, {
        method: 'POST',
        headers,
        body: message.body,
        redirect: 'manual',
        signal: AbortSignal.any([abort, timeout]),
      });
    } catch (error) {
      if (abort.aborted) throw new RetryableError('aborted', `${act}: stopped`);
      if (timeout.aborted) throw new RetryableError('timeout', `${act}: no answer within ${this.#timeoutMs} ms`);
      const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
      throw new RetryableError('network', `${act}: ${networkCode(cause)}`, { cause });
    }
  }
}

function endpoint(config: WebhookSinkConfig): URL {
  const url = URL.parse(config.url);
  if (url === null || (url.protocol !== 'http:' && url.protocol !== 'https:')) {
    throw new PermanentError('invalid_sink', `webhook ${config.name}: url must be an absolute http or https URL`);
  }
  // `fetch` refuses such a URL, and shows it when it does.
  if (url.username !== '' || url.password !== '')
    throw new PermanentError('invalid_sink', `webhook ${config.name}: url must not carry credentials`);
  return url;
}

/** The status has already told the outcome: reading on only spares the other side a reset, so no failure here matters. */
async function drained(response: Response): Promise<void> {
  const reader = response.body?.getReader();
  if (reader === undefined) return;
  try {
    for (let bytes = 0; bytes < MAX_ANSWER_BYTES; ) {
      const { done, value } = await reader.read();
      if (done) return;
      bytes += value.length;
    }
    await reader.cancel();
  } catch {
    // Timed out, aborted or broken off.
  }
}

function networkCode(error: unknown): string {
  if (error instanceof Error && 'code' in error && typeof error.code === 'string') return error.code;
  return 'network failure';
}
