/** Watches one kind of object, in some namespaces or in all. */
import type { KubernetesApi, KubernetesObject } from '../kubernetes/kubernetes-api.ts';

export interface ObjectListener<Item extends KubernetesObject> {
  /** All objects of one namespace, or of all with null. */
  onSynced(items: readonly Item[], namespace: string | null): void;
  onChanged(item: Item): void;
  onDeleted(item: Item): void;
  onTrouble(error: Error): void;
}

export interface WatchedKind {
  /** `/apis/apps/v1`. */
  readonly root: string;
  /** `deployments`. */
  readonly plural: string;
  /** Empty: all, in one watch. */
  readonly namespaces: readonly string[];
  /** Empty: all. */
  readonly labelSelector: string;
}

/** Resolves when aborted; never throws. */
export async function watchObjects<Item extends KubernetesObject>(
  api: KubernetesApi,
  { root, plural, namespaces, labelSelector }: WatchedKind,
  listener: ObjectListener<Item>,
  abort: AbortSignal,
): Promise<void> {
  const query = labelSelector === '' ? '' : `?labelSelector=${encodeURIComponent(labelSelector)}`;
  const places = namespaces.length === 0 ? [null] : [...new Set(namespaces)];
  await Promise.all(
    places.map((namespace) => {
      const path = `${root}${namespace === null ? '' : `/namespaces/${namespace}`}/${plural}${query}`;
      const events = {
        onSynced: (items: readonly Item[]) => listener.onSynced(items, namespace),
        onChanged: (item: Item) => listener.onChanged(item),
        onDeleted: (item: Item) => listener.onDeleted(item),
        onTrouble: (error: Error) => listener.onTrouble(error),
      };
      return api.watch<Item>(path, events, abort);
    }),
  );
}

/** What a book calls an object. */
export function keyOf({ metadata }: KubernetesObject): string {
  return `${metadata.namespace ?? ''}/${metadata.name}`;
}

/** Whether a key is of a namespace, or any with null. */
export function isIn(namespace: string | null): (key: string) => boolean {
  return (key) => namespace === null || key.startsWith(`${namespace}/`);
}
