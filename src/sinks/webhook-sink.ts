/** Sends signals to an HTTP endpoint, signed as Standard Webhooks asks, in the format that the endpoint reads. */
import type { KeyObject } from 'node:crypto';
import { URI_REFERENCE, type WebhookSinkConfig } from '../config/sink-config.ts';
import { PermanentError, RetryableError } from '../model/errors.ts';
import type { SignalAction } from '../model/rollout.ts';
import type { EpochMs } from '../model/time.ts';
import { HttpClient, type HttpClientParts } from './http/http-client.ts';
import { requireDelivered } from './http/require-delivered.ts';
import type { Attempt, Receipt, Sink, SinkMessage } from './sink.ts';
import { ed25519Key, signedHeaders, signingKey } from './standard-webhook.ts';
import { type WebhookFormatting, webhookFormatting } from './webhook-format.ts';

/**
 * The URL may carry a token and is never part of an error. A signed signal goes where the configuration says and nowhere else. The signature covers id,
 * time of the attempt and body, so of the formats only `cloudevents-binary` has something outside of it: what its body says too, but for the source.
 */
export class WebhookSink implements Sink {
  readonly name: string;
  readonly actions: ReadonlySet<SignalAction>;
  readonly awaitsOutcome: boolean;
  readonly #url: URL;
  readonly #keys: readonly KeyObject[];
  readonly #isDryRun: boolean;
  readonly #formatting: WebhookFormatting;
  readonly #client: HttpClient;
  readonly #now: () => EpochMs;

  /** `network` replaces the system's resolver and certificates. */
  constructor(config: WebhookSinkConfig, now: () => EpochMs, network: Pick<HttpClientParts, 'resolve' | 'ca'> = {}) {
    this.name = config.name;
    this.awaitsOutcome = config.awaitsOutcome;
    this.#url = endpoint(config);
    this.#keys = keysOf(config);
    if (!URI_REFERENCE.test(config.eventSource)) {
      throw new PermanentError(
        'invalid_sink',
        `webhook ${config.name}: eventSource must be a URI reference, such as /slipstream/cluster-a`,
      );
    }
    this.#isDryRun = config.isDryRun;
    this.#formatting = webhookFormatting(config);
    this.actions = this.#formatting.actions;
    this.#client = new HttpClient({ timeoutMs: config.timeoutMs, networks: config.networks, ...network });
    this.#now = now;
  }

  async deliver(message: SinkMessage, { abort, mayStillAct }: Attempt): Promise<Receipt> {
    const act = `delivering signal ${message.id} to webhook ${this.name}`;
    const { headers: contentHeaders, body } = this.#formatting.request(message);
    const signed = signedHeaders({ id: message.id, body }, this.#keys, this.#now());
    if (this.#isDryRun) {
      if (abort.aborted) throw new RetryableError('aborted', `${act}: stopped`);
      if (!mayStillAct()) throw new RetryableError('stale', `${act}: it may not be acted upon any more`);
      return 'dry_run';
    }
    const headers = { ...contentHeaders, 'user-agent': 'slipstream', ...signed };
    const answer = await this.#client.post({ url: this.#url, headers, body, act, abort, mayStillAct });
    requireDelivered(answer, act, this.#now());
    return 'acknowledged';
  }
}

function endpoint(config: WebhookSinkConfig): URL {
  const url = URL.parse(config.url);
  if (url === null || (url.protocol !== 'http:' && url.protocol !== 'https:')) {
    throw new PermanentError('invalid_sink', `webhook ${config.name}: url must be an absolute http or https URL`);
  }
  // They would not be sent, and a URL with a password in it ends in logs.
  if (url.username !== '' || url.password !== '')
    throw new PermanentError('invalid_sink', `webhook ${config.name}: url must not carry credentials`);
  return url;
}

function keysOf({ name, secrets, signingKeys }: WebhookSinkConfig): readonly KeyObject[] {
  if (secrets.length + signingKeys.length === 0) throw new PermanentError('invalid_sink', `webhook ${name}: needs a secret to sign with`);
  return [
    ...secrets.map((secret, index) => signingKey(secret, `webhook ${name}: secret ${index + 1}`)),
    ...signingKeys.map((key, index) => ed25519Key(key, `webhook ${name}: signing key ${index + 1}`)),
  ];
}
