/** Timeslices that are still open: what happened in each, until nothing more can come for it. */
import type { EpochMs, SlotIndex } from '../model/time.ts';
import { SLOT_MS } from '../model/time.ts';

/** What one objective's slices hold: for most valid and bad requests; for in-flight requests and the sum of their durations in µs. */
export interface SliceCounts {
  valid: number;
  bad: number;
}

export type SavedSlice = readonly [key: string, startSec: number, valid: number, bad: number];

/** An interval in which nobody listened: slices that touch it were not observed. */
type Gap = readonly [fromMs: EpochMs, toMs: EpochMs];

/** As many gaps as can touch a slice that is open, in practice; older ones go first. */
const MAX_GAPS = 64;
/** Slices that are gone through one by one when time jumps: a day of the shortest. Beyond, only those with requests are closed. */
const MAX_STEPS = 8_640;

export interface SavedSlices {
  /** Slices that end by then are closed; null: none is yet. */
  readonly closedBefore: number | null;
  readonly late: number;
  readonly open: readonly SavedSlice[];
  readonly gaps: readonly Gap[];
}

/**
 * Slices close with the window: those that end before `SlidingWindow.frozenBefore`, that is once the newest event of all services is a minute (the grace)
 * past their end, or the whole stream has been silent for so long. A span that the window takes is never too late for its slice.
 */
export class ObjectiveSlices {
  readonly #open = new Map<string, Map<number, SliceCounts>>();
  #closedBefore: SlotIndex = Number.NEGATIVE_INFINITY;
  #gaps: Gap[] = [];
  #late = 0;

  add(key: string, slot: SlotIndex, sliceSec: number, valid: number, bad: number): void {
    const startSec = Math.floor(slot / sliceSec) * sliceSec;
    if (startSec + sliceSec <= this.#closedBefore) {
      this.#late += valid;
      return;
    }
    let slices = this.#open.get(key);
    if (slices === undefined) {
      slices = new Map();
      this.#open.set(key, slices);
    }
    const counts = slices.get(startSec);
    if (counts === undefined) slices.set(startSec, { valid, bad });
    else {
      counts.valid += valid;
      counts.bad += bad;
    }
  }

  /** Requests that came for slices that were closed, and changed nothing. */
  get late(): number {
    return this.#late;
  }

  /** Nobody listened between the two moments. */
  notObserved(fromMs: EpochMs, toMs: EpochMs): void {
    if (!(fromMs < toMs)) return;
    this.#gaps.push([fromMs, toMs]);
    if (this.#gaps.length > MAX_GAPS) this.#gaps.shift();
  }

  isObserved(startSec: number, sliceSec: number): boolean {
    return !this.#gaps.some(([fromMs, toMs]) => toMs > startSec * SLOT_MS && fromMs < (startSec + sliceSec) * SLOT_MS);
  }

  /**
   * Takes out all slices of `key` that end by `horizon`, oldest first. With `silentFrom`, slices without any request too, from there on; null: only those
   * that hold something. Call for every key, then `closed`.
   */
  *closing(
    key: string,
    sliceSec: number,
    horizon: SlotIndex,
    silentFrom: number | null,
  ): Generator<[startSec: number, counts: SliceCounts | null]> {
    const slices = this.#open.get(key);
    const limit = Math.floor(horizon / sliceSec) * sliceSec;
    const held = [...(slices?.keys() ?? [])].filter((startSec) => startSec < limit).sort((a, b) => a - b);
    const starts = silentFrom === null ? held : this.#allStarts(held, sliceSec, limit, silentFrom);
    for (const startSec of starts) {
      yield [startSec, slices?.get(startSec) ?? null];
      slices?.delete(startSec);
    }
    if (slices?.size === 0) this.#open.delete(key);
  }

  /** All slices that end by `horizon` are closed. */
  closed(horizon: SlotIndex, longestSliceSec: number): void {
    this.#closedBefore = Math.max(this.#closedBefore, horizon);
    this.#gaps = this.#gaps.filter(([, toMs]) => toMs > (this.#closedBefore - longestSliceSec) * SLOT_MS);
  }

  get closedBefore(): SlotIndex {
    return this.#closedBefore;
  }

  remove(key: string): void {
    this.#open.delete(key);
  }

  saved(): SavedSlices {
    return {
      closedBefore: Number.isFinite(this.#closedBefore) ? this.#closedBefore : null,
      late: this.#late,
      open: [...this.#open].flatMap(([key, slices]) =>
        [...slices].map(([startSec, { valid, bad }]): SavedSlice => [key, startSec, valid, bad]),
      ),
      gaps: this.#gaps,
    };
  }

  restore({ closedBefore, late, open, gaps }: SavedSlices): void {
    this.#closedBefore = closedBefore ?? Number.NEGATIVE_INFINITY;
    this.#late = late;
    this.#gaps = [...gaps];
    for (const [key, startSec, valid, bad] of open) {
      const slices = this.#open.get(key) ?? new Map<number, SliceCounts>();
      this.#open.set(key, slices.set(startSec, { valid, bad }));
    }
  }

  #allStarts(held: readonly number[], sliceSec: number, limit: number, silentFrom: number): number[] {
    const from = Math.max(
      Math.floor(this.#closedBefore / sliceSec) * sliceSec,
      Math.ceil(silentFrom / sliceSec) * sliceSec,
      limit - MAX_STEPS * sliceSec,
    );
    const starts = held.filter((startSec) => startSec < from);
    for (let startSec = from; startSec < limit; startSec += sliceSec) starts.push(startSec);
    return starts;
  }
}
