/** Which slots tell of a span of time: those in memory as they are now, and the pieces the store keeps, coarser the older they are. */
import type { LevelSeconds } from '../model/checkpoint.ts';
import type { MetricWindow } from '../model/metric-scan.ts';
import { type EpochMs, SLOT_MS, type SlotIndex } from '../model/time.ts';
import type { SlotBlock } from '../window/slot-block.ts';
import type { StoredPiece } from './long-window.ts';

/** Memory holds 15 minutes; its oldest minute is left to the store, so that the two meet on a whole minute. */
const MEMORY_SEC = 14 * 60;
/** One-minute slots reach back this far, ten-minute slots this far (`retention`). */
const MINUTES_SEC = 6 * 3600;
const TEN_MINUTES_SEC = 3 * 86_400;

/** Blocks never change, so those taken now can be read later. */
export interface HeldSlot {
  readonly startSec: number;
  readonly blocks: readonly SlotBlock[];
}

interface Band {
  readonly level: LevelSeconds;
  /** Slots of the level are used from here to the begin of the next band. */
  readonly fromSec: number;
}

/** Widths of slots by age; each band begins at a whole slot of the one before. */
export class SlotGrid {
  /** Oldest first. */
  readonly #bands: readonly Band[];

  /** `detailFrom` as in `SlidingWindow`. */
  constructor(newestSlot: SlotIndex, detailFrom: SlotIndex) {
    const memoryFrom = Math.floor((newestSlot - MEMORY_SEC) / 60) * 60;
    const minutesFrom = Math.ceil((newestSlot - MINUTES_SEC) / 600) * 600;
    const tensFrom = Math.ceil((newestSlot - TEN_MINUTES_SEC) / 3600) * 3600;
    this.#bands = Number.isFinite(newestSlot)
      ? [
          { level: 3600, fromSec: Number.NEGATIVE_INFINITY },
          { level: 600, fromSec: tensFrom },
          { level: 60, fromSec: minutesFrom },
          { level: 10, fromSec: memoryFrom },
          { level: 1, fromSec: Math.max(detailFrom, memoryFrom) },
        ]
      : [{ level: 1, fromSec: Number.NEGATIVE_INFINITY }];
  }

  /** Both edges set back to the begin of the slot they lie in, so that windows one after the other never count a request twice; at least one slot. */
  window(fromMs: EpochMs, toMs: EpochMs): MetricWindow {
    const fromSec = this.#floor(fromMs / SLOT_MS);
    const toSec = this.#floor(toMs / SLOT_MS);
    return { fromSec, toSec: toSec > fromSec ? toSec : fromSec + this.#levelAt(fromSec) };
  }

  /** What the store has of [fromSec, toSec), oldest first. */
  pieces({ fromSec, toSec }: MetricWindow): StoredPiece[] {
    return this.#bands.flatMap(({ level, fromSec: bandFrom }, i) => {
      if (level < 60) return [];
      const piece = { level, fromSec: Math.max(fromSec, bandFrom), toSec: Math.min(toSec, this.#bands[i + 1]?.fromSec ?? toSec) };
      return piece.fromSec < piece.toSec ? [piece] : [];
    });
  }

  /** Memory takes over here. */
  get memoryFromSec(): number {
    return this.#bands.find(({ level }) => level <= 10)?.fromSec ?? Number.NEGATIVE_INFINITY;
  }

  #floor(sec: number): number {
    const level = this.#levelAt(sec);
    return Math.floor(sec / level) * level;
  }

  #levelAt(sec: number): LevelSeconds {
    return this.#bands.findLast(({ fromSec }) => sec >= fromSec)?.level ?? 1;
  }
}
