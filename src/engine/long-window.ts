/** Cuts a long window into what is in memory and what the store keeps, coarser the older it is. */
import type { LevelSeconds } from '../model/checkpoint.ts';
import { type DurationMs, type EpochMs, SLOT_MS, type SlotIndex } from '../model/time.ts';

/** Memory holds 15 minutes; its oldest minute is left to the store, so that the two meet on a whole minute. */
const MEMORY_SEC = 14 * 60;
/** One-minute slots reach back this far, ten-minute slots this far (`retention`). */
const MINUTES_SEC = 6 * 3600;
const TEN_MINUTES_SEC = 3 * 86_400;

/** Stored slots of one level that start in [fromSec, toSec). */
export interface StoredPiece {
  readonly level: LevelSeconds;
  readonly fromSec: number;
  readonly toSec: number;
}

export interface LongWindow {
  /** Oldest first, without overlap; empty when memory holds all of the window. */
  readonly pieces: readonly StoredPiece[];
  /** Where memory takes over; -Infinity when it holds all. */
  readonly memoryFromMs: EpochMs;
}

/** The window of `windowMs` that ends at `newestSlot`; its start is rounded outward to a slot of the coarsest level it needs. */
export function longWindow(windowMs: DurationMs, newestSlot: SlotIndex): LongWindow {
  const reachSec = windowMs / SLOT_MS;
  if (!Number.isFinite(newestSlot) || reachSec <= MEMORY_SEC) return { pieces: [], memoryFromMs: Number.NEGATIVE_INFINITY };
  const memoryFrom = floorTo(newestSlot - MEMORY_SEC, 60);
  const levels: LevelSeconds[] = reachSec <= MINUTES_SEC ? [60] : reachSec <= TEN_MINUTES_SEC ? [600, 60] : [3600, 600, 60];
  const pieces: StoredPiece[] = [];
  let fromSec = floorTo(newestSlot + 1 - reachSec, levels[0] as number);
  for (const level of levels) {
    const toSec = floorTo(memoryFrom, level);
    if (fromSec < toSec) pieces.push({ level, fromSec, toSec });
    fromSec = Math.max(fromSec, toSec);
  }
  return { pieces, memoryFromMs: memoryFrom * SLOT_MS };
}

function floorTo(sec: number, step: number): number {
  return Math.floor(sec / step) * step;
}
