/** Every series that was announced: by service, which are new since the last checkpoint, and since when each has been heard. */
import type { SeriesInfo } from '../model/series.ts';
import type { SlotDeltas } from '../model/slot-deltas.ts';
import { type EpochMs, SLOT_MS, type SlotIndex } from '../model/time.ts';
import type { SeenSeries } from './discovery.ts';

export class SeriesBook {
  readonly #series: (SeriesInfo | undefined)[] = [];
  readonly #byService = new Map<string, SeriesInfo[]>();
  readonly #firstSlot: SlotIndex[] = [];
  #unsaved: SeriesInfo[] = [];

  /** Notes a series; false when it is known already. */
  add(info: SeriesInfo): boolean {
    if (this.#series[info.id] !== undefined) return false;
    this.#series[info.id] = info;
    const siblings = this.#byService.get(info.service);
    if (siblings === undefined) this.#byService.set(info.service, [info]);
    else siblings.push(info);
    this.#unsaved.push(info);
    return true;
  }

  /** Notes a series that an earlier life of this process saved: it was heard before anything that is heard from now on. */
  addSaved(info: SeriesInfo): boolean {
    this.#firstSlot[info.id] = Number.NEGATIVE_INFINITY;
    const isNew = this.add(info);
    this.#unsaved = [];
    return isNew;
  }

  /** The first slot of a saved series, where it is known. */
  heardFirst(id: number, slot: SlotIndex): void {
    this.#firstSlot[id] = slot;
  }

  /** Series since the last call, in order of appearance. */
  takeUnsaved(): readonly SeriesInfo[] {
    const unsaved = this.#unsaved;
    this.#unsaved = [];
    return unsaved;
  }

  all(): SeriesInfo[] {
    return this.#series.filter((info) => info !== undefined);
  }

  services(): IterableIterator<[service: string, series: readonly SeriesInfo[]]> {
    return this.#byService.entries();
  }

  of(service: string): readonly SeriesInfo[] {
    return this.#byService.get(service) ?? [];
  }

  /** Series whose first spans are in this flush: they may have been announced long before, as overflow series are. */
  noteFirstSlots(deltas: SlotDeltas): Iterable<SeriesInfo> {
    const heard = new Set<SeriesInfo>();
    for (let row = 0; row < deltas.size; row++) {
      const series = deltas.series[row] as number;
      const slot = deltas.slot[row] as number;
      const known = this.#firstSlot[series];
      if (known !== undefined && known <= slot) continue;
      this.#firstSlot[series] = slot;
      const info = this.#series[series];
      if (known === undefined && info !== undefined) heard.add(info);
    }
    return heard;
  }

  /** Series of the service that have been heard. */
  *seenOf(service: string): Generator<SeenSeries> {
    for (const info of this.of(service)) {
      if (this.#firstSlot[info.id] !== undefined) yield { id: info.id, attributes: info.release.attributes, firstAt: this.firstAt(info) };
    }
  }

  /** Begin of the first slot with its spans, -Infinity when that was in an earlier life; only of series that have been heard. */
  firstAt(info: SeriesInfo): EpochMs {
    return (this.#firstSlot[info.id] as SlotIndex) * SLOT_MS;
  }

  /** Begin of the first slot of any of the service's series; Infinity when none has been heard. */
  firstAtOf(service: string): EpochMs {
    let firstAt = Number.POSITIVE_INFINITY;
    for (const seen of this.seenOf(service)) firstAt = Math.min(firstAt, seen.firstAt);
    return firstAt;
  }
}
