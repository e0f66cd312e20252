/** The one way sinks make HTTP requests: bounded in time and size, to allowed addresses, and without showing where to. */
import type { Readable } from 'node:stream';
import { Agent, type Dispatcher } from 'undici';
import { PermanentError, RetryableError } from '../../model/errors.ts';
import type { DurationMs } from '../../model/time.ts';
import { AddressRule } from './address-rule.ts';
import { type AnswerText, readAnswer } from './answer-body.ts';
import { AddressRefused, guardedConnector, type Resolve, systemResolve } from './guarded-connector.ts';

/** Twice as many as a delivery has attempts under way through one sink: an attempt that was given up while connecting may still hold one. */
const MAX_CONNECTIONS = 32;
/** Unused for so long, a connection is closed: shorter than what servers and balancers usually wait, so that few requests meet a closing one. */
const IDLE_MS: DurationMs = 4_000;
const MAX_ANSWER_HEADER_BYTES = 16_384;

export interface HttpClientParts {
  /** One request in all: waiting for a connection, connecting, sending and the head of the answer. */
  readonly timeoutMs: DurationMs;
  /** CIDR blocks, besides which none may be connected to; null: the default rule of `AddressRule`. */
  readonly networks: readonly string[] | null;
  /** By default the system's. */
  readonly resolve?: Resolve;
  /** Certificates to trust in place of the system's, PEM. */
  readonly ca?: string;
}

export interface HttpPost {
  /** May carry a token: it is never part of an error. */
  readonly url: URL;
  /** Content type and whatever else; length and host are added. */
  readonly headers: Readonly<Record<string, string>>;
  /** Not empty. */
  readonly body: string;
  /** What is done, as errors begin: `delivering signal s-12 to webhook deploy`. */
  readonly act: string;
  /** Ends the request. */
  readonly abort: AbortSignal;
  /** Asked when the connection is there, right before the first byte leaves. */
  mayStillAct(): boolean;
  /** Keeps the beginning of the answer's text, cleared of these secrets and of those in the URL. Absent: it is thrown away. */
  readonly keepText?: AnswerText;
}

export interface HttpAnswer {
  readonly status: number;
  /** Null: none. Of several the first. */
  readonly retryAfter: string | null;
  /** At most 1,024 characters, safe to show; empty unless asked for. */
  readonly text: string;
}

/**
 * One for each sink. Follows no redirect, uses no proxy, speaks HTTP/1.1, verifies certificates. Throws RetryableError `aborted`, `stale`, `timeout` or
 * `network` (with the code of the system in its message), and PermanentError `misdirected` when no address of the host is allowed or its certificate is
 * not good. What a status means is for the caller: `requireDelivered`.
 */
export class HttpClient {
  readonly #agent: Agent;
  readonly #timeoutMs: DurationMs;

  constructor({ timeoutMs, networks, resolve = systemResolve, ca }: HttpClientParts) {
    this.#timeoutMs = timeoutMs;
    this.#agent = new Agent({
      connect: guardedConnector({ rule: new AddressRule(networks), resolve, timeoutMs, ca }),
      connections: MAX_CONNECTIONS,
      pipelining: 1,
      allowH2: false,
      maxHeaderSize: MAX_ANSWER_HEADER_BYTES,
      keepAliveTimeout: IDLE_MS,
      keepAliveMaxTimeout: IDLE_MS,
      // The time limit is one for all of it.
      headersTimeout: 0,
      bodyTimeout: 0,
    });
  }

  async post(request: HttpPost): Promise<HttpAnswer> {
    const { url, act, abort, keepText } = request;
    const timeout = AbortSignal.timeout(this.#timeoutMs);
    const ended = AbortSignal.any([abort, timeout]);
    try {
      const answer = await this.#answer(request, ended);
      const text = await readAnswer(answer.body, keepText === undefined ? null : { secrets: [...keepText.secrets, ...secretsOf(url)] });
      return { status: answer.statusCode, retryAfter: firstOf(answer.headers['retry-after']), text };
    } catch (error) {
      if (abort.aborted) throw new RetryableError('aborted', `${act}: stopped`);
      if (timeout.aborted) throw new RetryableError('timeout', `${act}: no answer within ${this.#timeoutMs} ms`);
      throw failure(error, act);
    }
  }

  /** A request that waits for a connection does not end by its signal alone, so it is left behind: undici drops it when its turn comes. */
  #answer({ url, headers, body, act, mayStillAct }: HttpPost, ended: AbortSignal): Promise<Dispatcher.ResponseData> {
    return new Promise((resolve, reject) => {
      const left = () => reject(ended.reason);
      if (ended.aborted) {
        left();
        return;
      }
      ended.addEventListener('abort', left, { once: true });
      const bytes = Buffer.from(body);
      this.#agent
        .request({
          origin: url.origin,
          path: `${url.pathname}${url.search}`,
          method: 'POST',
          headers: { ...headers, 'content-length': String(bytes.length) },
          body: guarded(bytes, () => {
            if (!mayStillAct()) throw new RetryableError('stale', `${act}: no longer current when the connection was there`);
          }),
          signal: ended,
        })
        .finally(() => ended.removeEventListener('abort', left))
        .then(resolve, reject);
    });
  }

  /** Ends all connections. */
  close(): Promise<void> {
    return this.#agent.destroy();
  }
}

/** Its one chunk is asked for when the connection is there, and undici sends even the head of a request only with it. */
function guarded(bytes: Buffer, check: () => void): Readable {
  const chunks = async function* () {
    check();
    yield bytes;
  };
  // undici takes any iterable; its types know of streams only.
  return chunks() as unknown as Readable;
}

function failure(error: unknown, act: string): Error {
  if (error instanceof RetryableError) return error;
  const cause = innermost(error);
  if (cause instanceof AddressRefused)
    return new PermanentError('misdirected', `${act}: no address of the host may be connected to (${cause.rule})`);
  const code = codeOf(cause);
  if (CERTIFICATE_CODE.test(code)) return new PermanentError('misdirected', `${act}: the certificate is not good (${code})`);
  return new RetryableError('network', `${act}: ${code}`);
}

/** Of Node and OpenSSL: another host, expired, not yet valid, self-signed, unknown issuer, revoked. */
const CERTIFICATE_CODE = /^ERR_TLS_CERT_|CERT_|CERTIFICATE|^UNABLE_TO_(VERIFY|GET_ISSUER)|SELF_SIGNED/;

/** Errors of several addresses, or of undici about one of the system, hold what happened within. */
function innermost(error: unknown): unknown {
  if (error instanceof AggregateError) return innermost(error.errors[0]);
  return error instanceof Error && error.cause instanceof Error ? innermost(error.cause) : error;
}

/** Codes and names are safe to show; messages may have the address in them. */
function codeOf(error: unknown): string {
  if (!(error instanceof Error)) return 'network failure';
  const code = 'code' in error ? error.code : null;
  return ([code, error.name].find((one) => typeof one === 'string' && /^\w{1,64}$/.test(one)) as string | undefined) ?? 'network failure';
}

function firstOf(header: string | string[] | undefined): string | null {
  return (Array.isArray(header) ? header[0] : header) ?? null;
}

/** An endpoint may answer with what it was asked: its path and query, whole and in parts. */
function secretsOf(url: URL): readonly string[] {
  return [url.href, `${url.pathname}${url.search}`, ...url.searchParams.values(), ...url.pathname.split('/')].filter(
    (part) => part.length >= 8,
  );
}
