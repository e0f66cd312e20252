/** Keeps a set of objects known: lists them, follows their changes, and begins anew when either breaks. */
import type { Readable } from 'node:stream';
import { RetryableError } from '../model/errors.ts';
import type { DurationMs } from '../model/time.ts';
import { failureOf, networkFailure } from './answer.ts';
import { type KubernetesObject, KubernetesRefusal, type WatchEvents } from './kubernetes-api.ts';
import { jsonLines } from './watch-lines.ts';

/** How long one request of a watch is asked to last. Short, so that a connection that died in silence is found soon. */
const SHORTEST_WATCH_SEC = 60;
const SPREAD_SEC = 15;
/** Without a byte for so long after the server should have ended the request, the connection is dead. */
const PATIENCE_MS: DurationMs = 10_000;
/** The head of the answer comes at once from a server that is well. */
const OPEN_MS: DurationMs = 15_000;
const FIRST_WAIT_MS: DurationMs = 200;
const LONGEST_WAIT_MS: DurationMs = 30_000;
/** A request that ends sooner counts as a failure: else a server that ends all at once would be asked without pause. */
const TOO_SOON_MS: DurationMs = 1_000;

export interface WatchTiming {
  /** Runs `task` once after a wait, and returns what cancels it. */
  schedule(task: () => void, waitMs: DurationMs): () => void;
  /** Never jumps. */
  monotonicMs(): DurationMs;
  /** Uniform in [0, 1), for jitter. */
  random(): number;
}

export interface ListedSet<Item> {
  readonly items: readonly Item[];
  /** From where changes follow. */
  readonly resourceVersion: string;
}

export interface WatchParts<Item extends KubernetesObject> {
  /** For messages. */
  readonly path: string;
  readonly events: WatchEvents<Item>;
  readonly abort: AbortSignal;
  readonly timing: WatchTiming;
  list(abort: AbortSignal): Promise<ListedSet<Item>>;
  open(query: Readonly<Record<string, string>>, abort: AbortSignal): Promise<{ readonly body: Readable }>;
}

/** Wait before the attempt after `failures` in a row (1 and up): 0.2, 0.4, 0.8 … 30 s, less up to half of it by `random`. */
export function watchWaitMs(failures: number, random: number): DurationMs {
  return Math.min(FIRST_WAIT_MS * 2 ** Math.min(failures - 1, 20), LONGEST_WAIT_MS) * (1 - random / 2);
}

/** Resolves when aborted; never throws. What a listener throws is told as trouble and changes nothing else. */
export async function keepWatching<Item extends KubernetesObject>(parts: WatchParts<Item>): Promise<void> {
  const { events, abort, timing } = parts;
  const told = (tell: () => void) => {
    try {
      tell();
    } catch (error) {
      trouble(events, error);
    }
  };
  /** Null: nothing is known, or what is known may be wrong. */
  let version: string | null = null;
  let failures = 0;
  while (!abort.aborted) {
    try {
      if (version === null) {
        const { items, resourceVersion } = await parts.list(abort);
        if (abort.aborted) return;
        told(() => events.onSynced(items));
        version = resourceVersion;
      }
      const { path } = parts;
      const startedAt = timing.monotonicMs();
      for await (const line of lines(parts, version)) {
        if (abort.aborted) return;
        if (line.type === 'ERROR') {
          // 410 Gone as a rule: what happened meanwhile can only be found by listing.
          version = null;
          throw failureOf(asFailure(path, line.object));
        }
        failures = 0;
        version = line.object.metadata?.resourceVersion ?? version;
        if (line.type === 'DELETED') told(() => events.onDeleted(line.object as Item));
        else if (line.type !== 'BOOKMARK') told(() => events.onChanged(line.object as Item));
      }
      if (timing.monotonicMs() - startedAt < TOO_SOON_MS)
        throw new RetryableError('network', `watching ${path}: the server ended it at once`);
      failures = 0;
    } catch (error) {
      if (abort.aborted) return;
      // 410 Gone as the answer itself, or lines that cannot be read.
      if (error instanceof KubernetesRefusal || isBadStream(error)) version = null;
      trouble(events, error);
      failures++;
      const askedMs = error instanceof RetryableError ? (error.retryAfterMs ?? 0) : 0;
      await waited(timing, Math.max(askedMs, watchWaitMs(failures, timing.random())), abort);
    }
  }
}

interface WatchLine {
  readonly type: string;
  readonly object: Partial<KubernetesObject> & { readonly code?: number };
}

/** Ends when the server ends the request; throws when it does so in the middle of a line, or stays silent for too long. */
async function* lines<Item extends KubernetesObject>(
  { path, open, abort, timing }: WatchParts<Item>,
  resourceVersion: string,
): AsyncGenerator<WatchLine> {
  const seconds = SHORTEST_WATCH_SEC + Math.floor(timing.random() * SPREAD_SEC);
  const silent = new AbortController();
  const stop = AbortSignal.any([abort, silent.signal]);
  let cancel = timing.schedule(() => silent.abort(), OPEN_MS);
  const patient = () => {
    cancel();
    cancel = timing.schedule(() => silent.abort(), seconds * 1_000 + PATIENCE_MS);
  };
  try {
    const query = { watch: '1', allowWatchBookmarks: 'true', resourceVersion, timeoutSeconds: String(seconds) };
    const { body } = await open(query, stop);
    patient();
    for await (const value of jsonLines(body, patient, `watching ${path}`)) yield watchLine(value, path);
  } catch (error) {
    if (silent.signal.aborted && !abort.aborted) throw new RetryableError('timeout', `watching ${path}: the connection fell silent`);
    if (error instanceof RetryableError || error instanceof KubernetesRefusal) throw error;
    throw networkFailure(`watching ${path}`, error);
  } finally {
    cancel();
    // Ends a request that is still open.
    silent.abort();
  }
}

function watchLine(value: unknown, path: string): WatchLine {
  const { type, object } = (value ?? {}) as Partial<WatchLine>;
  if (typeof type === 'string' && typeof object === 'object' && object !== null) {
    if (type === 'ERROR' || type === 'BOOKMARK' || typeof object.metadata?.name === 'string') return { type, object };
  }
  throw new RetryableError('answer', `watching ${path}: a line is no event`);
}

function asFailure(path: string, object: WatchLine['object']) {
  return { act: `watching ${path}`, status: object.code ?? 500, retryAfter: null, text: JSON.stringify(object), token: null };
}

/** The place in the stream is no longer sure. */
function isBadStream(error: unknown): boolean {
  return error instanceof RetryableError && error.code === 'answer';
}

function trouble<Item extends KubernetesObject>(events: WatchEvents<Item>, error: unknown): void {
  try {
    events.onTrouble(error instanceof Error ? error : new Error(String(error)));
  } catch {
    // Who cannot bear to hear of trouble does not.
  }
}

function waited(timing: WatchTiming, waitMs: DurationMs, abort: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const cancel = timing.schedule(done, waitMs);
    function done(): void {
      abort.removeEventListener('abort', done);
      cancel();
      resolve();
    }
    if (abort.aborted) done();
    else abort.addEventListener('abort', done, { once: true });
  });
}
