/** Series that were heard for the first time a moment ago: each may be the first of a canary, once all is there that it is to be compared with. */
import type { StoredNote } from '../model/checkpoint.ts';
import type { SeriesInfo } from '../model/series.ts';
import { type EpochMs, SLOT_MS, type SlotIndex } from '../model/time.ts';
import type { SeriesBook } from './series-book.ts';

const NOTE = 'appearances';
/** First slots are saved for so long: whether a release was there before another is asked of no older ones. */
const KEPT_SEC = 120;

interface SavedAppearances {
  readonly firstSlots: readonly (readonly [series: number, slot: SlotIndex])[];
  readonly waiting: readonly number[];
}

export class Appearances {
  readonly #series: SeriesBook;
  readonly #waiting = new Set<SeriesInfo>();

  constructor(series: SeriesBook) {
    this.#series = series;
  }

  add(heard: Iterable<SeriesInfo>): void {
    for (const info of heard) this.#waiting.add(info);
  }

  /** Those that appeared by `at`, each once, in order. */
  *due(at: EpochMs): Generator<SeriesInfo> {
    for (const info of this.#waiting) {
      if (this.#series.firstAt(info) > at) continue;
      this.#waiting.delete(info);
      yield info;
    }
  }

  snapshot(newestSlot: SlotIndex): StoredNote[] {
    const waiting = [...this.#waiting].map(({ id }) => id);
    const firstSlots = this.#series
      .all()
      .map((info) => [info.id, this.#series.firstAt(info) / SLOT_MS] as const)
      .filter(([, slot]) => slot > newestSlot - KEPT_SEC);
    return [{ key: NOTE, json: JSON.stringify({ firstSlots, waiting } satisfies SavedAppearances) }];
  }

  /** Series are known again by then. */
  restore(notes: readonly StoredNote[]): void {
    const note = notes.find(({ key }) => key === NOTE);
    if (note === undefined) return;
    const { firstSlots, waiting } = JSON.parse(note.json) as SavedAppearances;
    const byId = new Map(this.#series.all().map((info) => [info.id, info]));
    for (const [id, slot] of firstSlots) this.#series.heardFirst(id, slot);
    for (const id of waiting) {
      const info = byId.get(id);
      if (info !== undefined) this.#waiting.add(info);
    }
  }
}
