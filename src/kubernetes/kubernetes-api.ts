/** What we ask of a Kubernetes API server: few verbs, plain objects, every call with an end. */
import type { DurationMs } from '../model/time.ts';

/** As much of any object as all have in common. */
export interface KubernetesObject {
  readonly apiVersion?: string;
  readonly kind?: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly uid?: string;
    readonly resourceVersion?: string;
    readonly generation?: number;
    readonly creationTimestamp?: string;
    readonly deletionTimestamp?: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
    readonly ownerReferences?: readonly {
      readonly kind: string;
      readonly name: string;
      readonly uid: string;
      readonly controller?: boolean;
    }[];
  };
}

/** One step of RFC 6902; a `test` that fails leaves the object as it was. */
export type JsonPatchStep =
  | { readonly op: 'test' | 'add' | 'replace'; readonly path: string; readonly value: unknown }
  | { readonly op: 'remove'; readonly path: string };

export interface CallOptions {
  readonly abort: AbortSignal;
  /** In all, connecting included; 10 s when absent. */
  readonly timeoutMs?: DurationMs;
  /** The server checks everything and stores nothing. */
  readonly dryRun?: boolean;
  /** Asked right before the request's body leaves; when false nothing is sent: RetryableError `stale`. */
  mayStillAct?(): boolean;
}

/** What a watch tells. After `onSynced` the set of objects is whole; it is called again after every new list, so that what vanished meanwhile shows. */
export interface WatchEvents<Item extends KubernetesObject> {
  onSynced(items: readonly Item[]): void;
  onChanged(item: Item): void;
  onDeleted(item: Item): void;
  /** The watch broke and is being taken up again, for what reason. */
  onTrouble(error: Error): void;
}

/**
 * Paths begin with `/api` or `/apis`. Failures: RetryableError for the network, time-outs, 408, 425, 429 and 5xx, with the Retry-After asked for;
 * KubernetesRefusal for every other status.
 */
export interface KubernetesApi {
  /** Null when there is no such object (404). */
  get<Item extends KubernetesObject>(path: string, options: CallOptions): Promise<Item | null>;
  list<Item extends KubernetesObject>(
    path: string,
    query: { readonly labelSelector?: string },
    options: CallOptions,
  ): Promise<readonly Item[]>;
  create<Item extends KubernetesObject>(path: string, item: object, options: CallOptions): Promise<Item>;
  /** Replaces the whole object; with a resourceVersion in it only when that is still the newest (409 otherwise). */
  replace<Item extends KubernetesObject>(path: string, item: object, options: CallOptions): Promise<Item>;
  jsonPatch<Item extends KubernetesObject>(path: string, steps: readonly JsonPatchStep[], options: CallOptions): Promise<Item>;
  mergePatch<Item extends KubernetesObject>(path: string, patch: object, options: CallOptions): Promise<Item>;
  /** Lists and watches until aborted, over restarts of the server and lost connections. Resolves when aborted; never throws. */
  watch<Item extends KubernetesObject>(path: string, events: WatchEvents<Item>, abort: AbortSignal): Promise<void>;
}

/** The server understood and refused. */
export class KubernetesRefusal extends Error {
  readonly status: number;
  /** Of the server's Status object: `Forbidden`, `Conflict`, `Invalid` …; empty when it gave none. */
  readonly reason: string;

  constructor(status: number, reason: string, message: string) {
    super(message);
    this.name = 'KubernetesRefusal';
    this.status = status;
    this.reason = reason;
  }
}
