/** Begins and ends rollouts by objects that say all of themselves, each in its own status. */
import type { KubernetesApi, KubernetesObject } from '../kubernetes/kubernetes-api.ts';
import type { RolloutBook } from './rollout-book.ts';
import { isIn, keyOf, type WatchedKind, watchObjects } from './watch-objects.ts';
import { type Reading, readingOf } from './watched-rollout.ts';

export interface RolloutWatch<Item extends KubernetesObject> {
  readonly api: KubernetesApi;
  readonly kind: WatchedKind;
  readonly book: RolloutBook;
  /** Null: the object says nothing yet, and what was known of it stays. */
  read(item: Item): Reading | null;
  onTrouble(error: Error): void;
}

/** Resolves when aborted; never throws. */
export function watchRollouts<Item extends KubernetesObject>(
  { api, kind, book, read, onTrouble }: RolloutWatch<Item>,
  abort: AbortSignal,
): Promise<void> {
  const see = (item: Item) => {
    const reading = read(item);
    if (reading !== null) book.seen(keyOf(item), readingOf(reading, item.metadata.uid));
  };
  const listener = {
    onSynced: (items: readonly Item[], namespace: string | null) => {
      book.keepOnly(new Set(items.map(keyOf)), isIn(namespace));
      for (const item of items) see(item);
    },
    onChanged: see,
    onDeleted: (item: Item) => book.gone(keyOf(item)),
    onTrouble,
  };
  return watchObjects(api, kind, listener, abort);
}
