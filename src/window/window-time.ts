/** How far the time of a window has come, and whether the stream fell silent: what freezes slots. */
import { type DurationMs, type EpochMs, SLOT_MS, type SlotIndex } from '../model/time.ts';
import type { Timing } from './punctuality.ts';
import type { WindowNote } from './window-note.ts';

export class WindowTime {
  /** Newest event time; -Infinity before the first span. */
  newestMs: EpochMs = Number.NEGATIVE_INFINITY;
  /** Clock of the last advance; NaN before the first. */
  now: EpochMs = Number.NaN;
  readonly #graceMs: DurationMs;
  #timing: Timing = 'newest';
  /** How far time has come when it is `complete`. */
  #reachedMs: EpochMs = Number.NEGATIVE_INFINITY;
  /** NaN: something was heard since the last advance, whose clock may be long past: a replay has none in between two requests. */
  #heardAt: EpochMs = Number.NaN;

  constructor(graceMs: DurationMs) {
    this.#graceMs = graceMs;
  }

  heard(): void {
    this.#heardAt = Number.NaN;
  }

  /** Slots before the one it returns take nothing any more: by grace, or all there are once nothing was heard for so long. Null before the first span. */
  advance(now: EpochMs, timing: Timing): SlotIndex | null {
    this.now = now;
    this.#timing = timing;
    if (this.newestMs === Number.NEGATIVE_INFINITY) return null;
    if (timing === 'complete') this.#reachedMs = Math.max(this.#reachedMs, Math.min(this.newestMs, now));
    if (Number.isNaN(this.#heardAt)) this.#heardAt = now;
    // What was read ahead of time is heard when time comes there.
    const heardAt = timing === 'complete' ? Math.max(this.#heardAt, Math.min(this.newestMs, now)) : this.#heardAt;
    const isSilent = now - heardAt >= this.#graceMs;
    return isSilent ? this.slot + 1 : Math.floor((this.#comeToMs - this.#graceMs) / SLOT_MS);
  }

  /** `ms` of wall clock in which nobody listened, or that never were. */
  notListened(ms: DurationMs): void {
    this.now += ms;
    this.#heardAt += ms;
  }

  /** Slot that time has come to: of the newest event, or as far as sources are complete; -Infinity before the first span. */
  get slot(): SlotIndex {
    return Math.floor(this.#comeToMs / SLOT_MS);
  }

  get newestSlot(): SlotIndex {
    return Math.floor(this.newestMs / SLOT_MS);
  }

  saved(): Pick<WindowNote, 'newestMs' | 'reachedMs' | 'heardAt'> {
    return { newestMs: this.newestMs, reachedMs: this.#timing === 'complete' ? this.#reachedMs : null, heardAt: this.#heardAt };
  }

  /** `isExact`: time goes on where it was, and silence with it; else silence begins anew. */
  restore({ newestMs, reachedMs, heardAt }: Pick<WindowNote, 'newestMs' | 'reachedMs' | 'heardAt'>, isExact: boolean): void {
    this.newestMs = newestMs ?? Number.NEGATIVE_INFINITY;
    if (!isExact) return;
    this.#heardAt = heardAt ?? Number.NaN;
    if (reachedMs === null || reachedMs === undefined) return;
    this.#timing = 'complete';
    this.#reachedMs = reachedMs;
  }

  get #comeToMs(): EpochMs {
    return this.#timing === 'complete' ? this.#reachedMs : this.newestMs;
  }
}
