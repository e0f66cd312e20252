/** Talks to a Kubernetes API server: JSON over HTTPS, with a bearer token, every call with an end. */
import type { Readable } from 'node:stream';
import type { Dispatcher } from 'undici';
import type { KubernetesConfig } from '../config/sink-config.ts';
import { PermanentError, RetryableError } from '../model/errors.ts';
import type { DurationMs } from '../model/time.ts';
import { failureOf, networkFailure } from './answer.ts';
import { Connection } from './connection.ts';
import {
  type CallOptions,
  type JsonPatchStep,
  type KubernetesApi,
  type KubernetesObject,
  KubernetesRefusal,
  type WatchEvents,
} from './kubernetes-api.ts';
import { keepWatching, type ListedSet, type WatchTiming } from './watch.ts';

const CALL_MS: DurationMs = 10_000;
/** A page of a list, or one object. etcd takes objects of 1.5 MiB. */
const MAX_ANSWER_BYTES = 32 * 2 ** 20;
const MAX_FAILURE_BYTES = 16_384;
const PAGE_ITEMS = 250;
const MAX_LISTED = 50_000;
/** A list in pages may take so long that the server forgets its beginning; then it is begun anew. */
const MAX_LISTS = 3;
const JSON_TYPE = 'application/json';

export interface ApiParts {
  /** Of the pod, when the configuration has no address. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Of watches; the runtime's own by default. */
  readonly timing?: WatchTiming;
}

interface Call {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH';
  readonly path: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly body?: { readonly type: string; readonly value: object };
}

interface ListPage<Item> {
  readonly metadata?: { readonly continue?: string; readonly resourceVersion?: string };
  readonly items?: readonly Item[];
}

/** Follows no redirect and uses no proxy. Tokens are in no error. */
export class HttpsKubernetesApi implements KubernetesApi {
  readonly #connection: Connection;
  readonly #timing: WatchTiming;

  /** Throws PermanentError when no address is known. Reads no file yet. */
  constructor(config: KubernetesConfig, { env, timing = RUNTIME_TIMING }: ApiParts) {
    this.#connection = new Connection(config, env);
    this.#timing = timing;
  }

  async get<Item extends KubernetesObject>(path: string, options: CallOptions): Promise<Item | null> {
    try {
      return await this.#call<Item>({ method: 'GET', path }, options);
    } catch (error) {
      if (error instanceof KubernetesRefusal && error.status === 404) return null;
      throw error;
    }
  }

  async list<Item extends KubernetesObject>(
    path: string,
    { labelSelector = '' }: { readonly labelSelector?: string },
    options: CallOptions,
  ): Promise<readonly Item[]> {
    return (await this.#whole<Item>(path, labelSelector === '' ? {} : { labelSelector }, options)).items;
  }

  create<Item extends KubernetesObject>(path: string, item: object, options: CallOptions): Promise<Item> {
    return this.#call({ method: 'POST', path, body: { type: JSON_TYPE, value: item } }, options);
  }

  replace<Item extends KubernetesObject>(path: string, item: object, options: CallOptions): Promise<Item> {
    return this.#call({ method: 'PUT', path, body: { type: JSON_TYPE, value: item } }, options);
  }

  jsonPatch<Item extends KubernetesObject>(path: string, steps: readonly JsonPatchStep[], options: CallOptions): Promise<Item> {
    return this.#call({ method: 'PATCH', path, body: { type: 'application/json-patch+json', value: steps } }, options);
  }

  mergePatch<Item extends KubernetesObject>(path: string, patch: object, options: CallOptions): Promise<Item> {
    return this.#call({ method: 'PATCH', path, body: { type: 'application/merge-patch+json', value: patch } }, options);
  }

  /** `path` may carry a `labelSelector` of its own. */
  watch<Item extends KubernetesObject>(path: string, events: WatchEvents<Item>, abort: AbortSignal): Promise<void> {
    return keepWatching<Item>({
      path,
      events,
      abort,
      timing: this.#timing,
      list: (signal) => this.#whole<Item>(path, {}, { abort: signal, timeoutMs: 60_000 }),
      open: (query, signal) => this.#opened({ method: 'GET', path, query }, signal, 'watches'),
    });
  }

  /** Ends all connections, watches included. */
  close(): Promise<void> {
    return this.#connection.close();
  }

  async #whole<Item extends KubernetesObject>(path: string, query: Call['query'], options: CallOptions): Promise<ListedSet<Item>> {
    for (let lists = 1; ; lists++) {
      try {
        return await this.#pages<Item>(path, query, options);
      } catch (error) {
        if (lists >= MAX_LISTS || !(error instanceof KubernetesRefusal) || error.status !== 410) throw error;
      }
    }
  }

  async #pages<Item extends KubernetesObject>(path: string, query: Call['query'], options: CallOptions): Promise<ListedSet<Item>> {
    const items: Item[] = [];
    for (let next = ''; ; ) {
      const page: ListPage<Item> = await this.#call(
        { method: 'GET', path, query: { ...query, limit: String(PAGE_ITEMS), ...(next !== '' && { continue: next }) } },
        options,
      );
      for (const item of page.items ?? []) items.push(item);
      if (items.length > MAX_LISTED) {
        throw new PermanentError(
          'too_many',
          `GET ${path}: more than ${MAX_LISTED} objects; a namespace or a label selector would narrow it`,
        );
      }
      next = page.metadata?.continue ?? '';
      if (next === '') return { items, resourceVersion: page.metadata?.resourceVersion ?? '' };
    }
  }

  async #call<Answer>(call: Call, options: CallOptions): Promise<Answer> {
    const { abort, timeoutMs = CALL_MS, dryRun = false } = options;
    const act = `${call.method} ${call.path}`;
    const timeout = AbortSignal.timeout(timeoutMs);
    const ended = AbortSignal.any([abort, timeout]);
    const asked = dryRun ? { ...call, query: { ...call.query, dryRun: 'All' } } : call;
    try {
      const { body } = await this.#opened(asked, ended, 'calls', options.mayStillAct);
      return parsed(await limitedText(body, MAX_ANSWER_BYTES, act), act);
    } catch (error) {
      if (abort.aborted) throw new RetryableError('aborted', `${act}: stopped`);
      if (timeout.aborted) throw new RetryableError('timeout', `${act}: no answer within ${timeoutMs} ms`);
      if (isOurs(error)) throw error;
      throw networkFailure(act, error);
    }
  }

  /** An answer of 2xx, with its body to be read. */
  async #opened(
    { method, path, query, body }: Call,
    abort: AbortSignal,
    agent: 'calls' | 'watches',
    mayStillAct?: () => boolean,
  ): Promise<{ readonly body: Readable }> {
    const act = `${method} ${path}`;
    const [token, agents] = [await this.#connection.token(), await this.#connection.agents()];
    const url = new URL(this.#connection.url + path);
    for (const [key, value] of Object.entries(query ?? {})) url.searchParams.set(key, value);
    const bytes = body === undefined ? null : Buffer.from(JSON.stringify(body.value));
    const request = agents[agent].request({
      origin: url.origin,
      path: `${url.pathname}${url.search}`,
      method,
      headers: {
        accept: JSON_TYPE,
        'user-agent': 'slipstream',
        ...(token !== null && { authorization: `Bearer ${token.reveal()}` }),
        ...(bytes !== null && { 'content-type': body?.type ?? JSON_TYPE, 'content-length': String(bytes.length) }),
      },
      body: bytes === null ? null : guarded(bytes, abort, act, mayStillAct),
      signal: abort,
    });
    const answer = await untilEnded(request, abort);
    const { statusCode: status } = answer;
    if (status >= 200 && status < 300) return answer;
    const text = await limitedText(answer.body, MAX_FAILURE_BYTES, act).catch(() => '');
    throw failureOf({ act, status, retryAfter: retryAfterOf(answer), text, token: token?.reveal() ?? null });
  }
}

/** Runs when the connection is there; undici sends the head of a request together with the first piece of such a body, so until then nothing has left. */
function guarded(bytes: Buffer, abort: AbortSignal, act: string, mayStillAct?: () => boolean): Readable {
  const pieces = async function* () {
    abort.throwIfAborted();
    if (mayStillAct?.() === false) throw new RetryableError('stale', `${act}: no longer current when the connection was there`);
    yield bytes;
  };
  // undici takes any iterable; its types know of streams only.
  return pieces() as unknown as Readable;
}

/** A request that waits for a connection does not end by its signal alone, so it is left behind; what is answered after that is thrown away. */
function untilEnded(request: Promise<Dispatcher.ResponseData>, ended: AbortSignal): Promise<Dispatcher.ResponseData> {
  return new Promise((resolve, reject) => {
    const left = () => reject(ended.reason);
    if (ended.aborted) left();
    else ended.addEventListener('abort', left, { once: true });
    request
      .finally(() => ended.removeEventListener('abort', left))
      .then((answer) => {
        if (ended.aborted) answer.body.on('error', () => undefined).destroy();
        resolve(answer);
      }, reject);
  });
}

async function limitedText(body: Readable, maxBytes: number, act: string): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of body) {
    bytes += (chunk as Buffer).length;
    if (bytes > maxBytes) throw new PermanentError('answer_too_long', `${act}: the answer is longer than ${maxBytes} bytes`);
    chunks.push(chunk as Buffer);
  }
  return Buffer.concat(chunks).toString('utf8');
}

/** Something between us and the API server answered in its place: it may not do so the next time. */
function parsed<Answer>(text: string, act: string): Answer {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null) return value as Answer;
  } catch {
    // Told below.
  }
  throw new RetryableError('answer', `${act}: the answer is no JSON object`);
}

function retryAfterOf({ headers }: Dispatcher.ResponseData): string | null {
  const value = headers['retry-after'];
  return (typeof value === 'string' ? value : value?.[0]) ?? null;
}

function isOurs(error: unknown): boolean {
  return error instanceof RetryableError || error instanceof PermanentError || error instanceof KubernetesRefusal;
}

const RUNTIME_TIMING: WatchTiming = {
  schedule: (task, waitMs) => {
    const timer = setTimeout(task, waitMs);
    return () => clearTimeout(timer);
  },
  monotonicMs: () => performance.now(),
  random: () => Math.random(),
};
