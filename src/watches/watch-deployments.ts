/** Begins and ends rollouts by Deployments, each seen together with its ReplicaSets. */
import { APPS_API, type Deployment, type ReplicaSet } from '../kubernetes/deployment-object.ts';
import type { KubernetesApi } from '../kubernetes/kubernetes-api.ts';
import { lean, noteOf, type ReplicaSetNote, readDeployment } from './deployments.ts';
import type { RolloutBook } from './rollout-book.ts';
import { isIn, keyOf, watchObjects } from './watch-objects.ts';
import { readingOf } from './watched-rollout.ts';

export interface DeploymentWatch {
  readonly api: KubernetesApi;
  /** Empty: all. */
  readonly namespaces: readonly string[];
  /** Of Deployments; empty: all. */
  readonly labelSelector: string;
  readonly releaseAttribute: string;
  readonly book: RolloutBook;
  onTrouble(error: Error): void;
}

/** Resolves when aborted; never throws. */
export async function watchDeployments(watch: DeploymentWatch, abort: AbortSignal): Promise<void> {
  const { api, namespaces, labelSelector, book, onTrouble } = watch;
  const pairs = new Pairs(watch);
  const deployments = {
    onSynced: (items: readonly Deployment[], namespace: string | null) => {
      const keys = new Set(items.map(keyOf));
      pairs.keepDeployments(keys, isIn(namespace));
      book.keepOnly(keys, isIn(namespace));
      for (const item of items) pairs.deployment(item);
    },
    onChanged: (item: Deployment) => pairs.deployment(item),
    onDeleted: (item: Deployment) => {
      pairs.keepDeployments(new Set(), (key) => key === keyOf(item));
      book.gone(keyOf(item));
    },
    onTrouble,
  };
  const replicaSets = {
    onSynced: (items: readonly ReplicaSet[], namespace: string | null) => {
      pairs.replicaSets(items);
      pairs.keepReplicaSets(new Set(items.map(keyOf)), isIn(namespace));
    },
    onChanged: (item: ReplicaSet) => pairs.replicaSets([item]),
    onDeleted: (item: ReplicaSet) => pairs.keepReplicaSets(new Set(), (key) => key === keyOf(item)),
    onTrouble,
  };
  const kind = { root: APPS_API, namespaces };
  await Promise.all([
    watchObjects<Deployment>(api, { ...kind, plural: 'deployments', labelSelector }, deployments, abort),
    // ReplicaSets need not have the labels of their Deployment.
    watchObjects<ReplicaSet>(api, { ...kind, plural: 'replicasets', labelSelector: '' }, replicaSets, abort),
  ]);
}

/** Both kinds by key, joined by the uid of the Deployment; a pair is read again when either half changes. */
class Pairs {
  readonly #watch: DeploymentWatch;
  readonly #deployments = new Map<string, Deployment>();
  readonly #keysByUid = new Map<string, string>();
  readonly #sets = new Map<string, ReplicaSetNote>();
  readonly #setsByUid = new Map<string, Map<string, ReplicaSetNote>>();

  constructor(watch: DeploymentWatch) {
    this.#watch = watch;
  }

  deployment(item: Deployment): void {
    const key = keyOf(item);
    const before = this.#deployments.get(key);
    if (before?.metadata.uid !== undefined && before.metadata.uid !== item.metadata.uid) this.#keysByUid.delete(before.metadata.uid);
    this.#deployments.set(key, lean(item));
    if (item.metadata.uid !== undefined) this.#keysByUid.set(item.metadata.uid, key);
    this.#read(item.metadata.uid);
  }

  /** All are noted before any Deployment is read: with half of its ReplicaSets a rollout in flight looks as if it were through. */
  replicaSets(items: readonly ReplicaSet[]): void {
    const owners = new Set<string>();
    for (const item of items) {
      const note = noteOf(item);
      if (note === null) continue;
      const key = keyOf(item);
      this.#sets.set(key, note);
      const siblings = this.#setsByUid.get(note.ownerUid) ?? new Map<string, ReplicaSetNote>();
      this.#setsByUid.set(note.ownerUid, siblings.set(key, note));
      owners.add(note.ownerUid);
    }
    for (const uid of owners) this.#read(uid);
  }

  /** Forgets those of the keys that `isMeant` and that are not among `keys`. */
  keepDeployments(keys: ReadonlySet<string>, isMeant: (key: string) => boolean): void {
    for (const [key, { metadata }] of this.#deployments) {
      if (!isMeant(key) || keys.has(key)) continue;
      this.#deployments.delete(key);
      if (metadata.uid !== undefined) this.#keysByUid.delete(metadata.uid);
    }
  }

  keepReplicaSets(keys: ReadonlySet<string>, isMeant: (key: string) => boolean): void {
    for (const [key, { ownerUid }] of this.#sets) {
      if (!isMeant(key) || keys.has(key)) continue;
      this.#sets.delete(key);
      const siblings = this.#setsByUid.get(ownerUid);
      siblings?.delete(key);
      if (siblings?.size === 0) this.#setsByUid.delete(ownerUid);
      this.#read(ownerUid);
    }
  }

  #read(uid = ''): void {
    const key = this.#keysByUid.get(uid);
    const deployment = key === undefined ? undefined : this.#deployments.get(key);
    if (key === undefined || deployment === undefined) return;
    const sets = [...(this.#setsByUid.get(uid)?.values() ?? [])];
    const reading = readDeployment(deployment, sets, this.#watch.releaseAttribute);
    if (reading !== null) this.#watch.book.seen(key, readingOf(reading, uid));
  }
}
