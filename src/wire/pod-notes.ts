/** Which lane each pod has, as notes that survive a restart: one for each service, written when its pods changed. */
import type { StoredNote } from '../model/checkpoint.ts';
import type { KnownRelease, KnownSeries } from './known-series.ts';

/** Before the name of the service. */
const KEY = 'pods/';

/** Per release, by its key, the hashes of its pods in order of appearance. */
type SavedPods = readonly (readonly [key: string, pods: readonly number[]])[];

export class PodNotes {
  readonly #known: KnownSeries;
  #changes: number;
  /** What the last note of a service was about. */
  readonly #saved = new Map<string, string>();

  /** Takes back what `notes` tell of releases that are known. */
  constructor(known: KnownSeries, notes: readonly StoredNote[]) {
    this.#known = known;
    for (const { key, json } of notes) {
      if (!key.startsWith(KEY)) continue;
      for (const [release, pods] of JSON.parse(json) as SavedPods) known.releaseWithKey(release)?.pods.restore(pods);
    }
    for (const [service, releases] of known.releasesByService()) this.#saved.set(service, signature(releases));
    this.#changes = known.podRoom.changes;
  }

  /** Of services whose pods changed since the last call. */
  changed(): readonly StoredNote[] {
    if (this.#changes === this.#known.podRoom.changes) return [];
    this.#changes = this.#known.podRoom.changes;
    const notes: StoredNote[] = [];
    const byService = this.#known.releasesByService();
    for (const service of this.#saved.keys()) if (!byService.has(service)) byService.set(service, []);
    for (const [service, releases] of byService) {
      const now = signature(releases);
      if (now === (this.#saved.get(service) ?? '')) continue;
      if (releases.length === 0) this.#saved.delete(service);
      else this.#saved.set(service, now);
      const pods: SavedPods = releases.filter(({ pods }) => pods.size > 0).map(({ key, pods }) => [key, pods.saved()]);
      notes.push({ key: `${KEY}${service}`, json: JSON.stringify(pods) });
    }
    return notes;
  }
}

/** Pods are only added, or forgotten all with their release, which gets another number when it comes back. */
function signature(releases: readonly KnownRelease[]): string {
  return releases
    .filter(({ pods }) => pods.size > 0)
    .map(({ index, pods }) => `${index}:${pods.size}`)
    .join();
}
