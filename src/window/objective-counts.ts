/** Exact valid and bad requests of every objective, over windows from seconds to 90 days. */
import type { LevelSeconds, StoredCount } from '../model/checkpoint.ts';
import { type EpochMs, SLOT_MS, type SlotIndex } from '../model/time.ts';
import { CountRing } from './count-ring.ts';

/**
 * Width of a level and slots kept: 15 min, 6 h, 3 d and 90 d, each with as much more as makes its oldest full slot of the next level
 * complete. 30 days of data take about 25 kB.
 */
const LEVELS: readonly { readonly seconds: LevelSeconds; readonly slots: number }[] = [
  { seconds: 10, slots: 90 + 6 },
  { seconds: 60, slots: 360 + 10 },
  { seconds: 600, slots: 432 + 6 },
  { seconds: 3600, slots: 2160 + 1 },
];

interface ObjectiveRings {
  readonly rings: readonly CountRing[];
  /** Seconds touched since the last checkpoint. */
  dirtyFrom: number;
  dirtyTo: number;
}

/**
 * Each count is held at every level. A sum takes each piece of time from one level only, so no request is counted twice.
 */
export class ObjectiveCounts {
  readonly #objectives = new Map<string, ObjectiveRings>();
  /** Requests older than every level holds. */
  #tooOld = 0;

  /** `bad` of `valid` requests (sums of weights) ended in the 1 s slot `slot`. */
  add(objective: string, slot: SlotIndex, valid: number, bad: number): void {
    const state = this.#state(objective);
    let isHeld = false;
    for (const ring of state.rings) isHeld = ring.add(slot, valid, bad) || isHeld;
    if (!isHeld) this.#tooOld += valid;
    if (slot < state.dirtyFrom) state.dirtyFrom = slot;
    if (slot > state.dirtyTo) state.dirtyTo = slot;
  }

  /**
   * Sums over [fromMs, toMs), edges rounded outward to the finest level that still holds them: 10 s in the last 15 min of the objective's
   * data, 1 min in the last 6 h, 10 min in the last 3 d, 1 h before. Exact when the edges are multiples of that.
   */
  sum(objective: string, fromMs: EpochMs, toMs: EpochMs): { valid: number; bad: number } {
    const total = { valid: 0, bad: 0 };
    const rings = this.#objectives.get(objective)?.rings;
    if (rings === undefined || !(fromMs < toMs)) return total;
    const coarsest = rings[rings.length - 1] as CountRing;
    // Nothing lies outside; clamping keeps infinite edges finite.
    const fromSec = Math.max(fromMs / SLOT_MS, coarsest.oldestSec);
    const toSec = Math.min(toMs / SLOT_MS, coarsest.newestEndSec);
    if (fromSec >= toSec) return total;
    const first = finestHolding(rings, fromSec);
    const last = finestHolding(rings, toSec);
    let at = floorTo(fromSec, (rings[first] as CountRing).seconds);
    const end = -floorTo(-toSec, (rings[last] as CountRing).seconds);
    // Up the staircase to coarser levels as far as the edges allow, and down again.
    for (let i = first; i < rings.length; i++) {
      const ring = rings[i] as CountRing;
      const next = rings[i + 1];
      const edge = next === undefined ? end : -floorTo(-at, next.seconds);
      const stop = Math.min(edge, floorTo(end, ring.seconds));
      if (stop > at) {
        ring.sumInto(at, stop, total);
        at = stop;
      }
      if (at < edge) break;
    }
    for (let i = rings.length - 1; i >= last; i--) {
      const ring = rings[i] as CountRing;
      const stop = floorTo(end, ring.seconds);
      if (stop > at) {
        ring.sumInto(at, stop, total);
        at = stop;
      }
    }
    return total;
  }

  remove(objective: string): void {
    this.#objectives.delete(objective);
  }

  /** Requests that were older than 90 days when they came. */
  get tooOld(): number {
    return this.#tooOld;
  }

  /** Slots touched since the last call, with all they hold. */
  checkpoint(): StoredCount[] {
    const stored: StoredCount[] = [];
    for (const [objective, state] of this.#objectives) {
      if (state.dirtyTo < state.dirtyFrom) continue;
      for (const ring of state.rings) {
        const from = Math.max(floorTo(state.dirtyFrom, ring.seconds), ring.retainedFromSec);
        for (let startSec = from; startSec <= state.dirtyTo; startSec += ring.seconds) {
          const slot = { valid: 0, bad: 0 };
          ring.sumInto(startSec, startSec + ring.seconds, slot);
          if (slot.valid > 0 || slot.bad > 0) stored.push({ objective, level: ring.seconds as LevelSeconds, startSec, ...slot });
        }
      }
      state.dirtyFrom = Number.POSITIVE_INFINITY;
      state.dirtyTo = Number.NEGATIVE_INFINITY;
    }
    return stored;
  }

  /** Takes back what checkpoints saved, in any order. */
  restore(counts: readonly StoredCount[]): void {
    for (const { objective, level, startSec, valid, bad } of counts) {
      const ring = this.#state(objective).rings.find(({ seconds }) => seconds === level);
      ring?.replace(startSec, valid, bad);
    }
  }

  /** Memory of one objective's counts. */
  byteLength(objective: string): number {
    return this.#objectives.get(objective)?.rings.reduce((sum, ring) => sum + ring.byteLength, 0) ?? 0;
  }

  #state(objective: string): ObjectiveRings {
    let state = this.#objectives.get(objective);
    if (state === undefined) {
      const rings = LEVELS.map(({ seconds, slots }) => new CountRing(seconds, slots));
      state = { rings, dirtyFrom: Number.POSITIVE_INFINITY, dirtyTo: Number.NEGATIVE_INFINITY };
      this.#objectives.set(objective, state);
    }
    return state;
  }
}

/** Finest level that holds all of the next coarser slot around `sec`, so that a staircase from there finds every step. */
function finestHolding(rings: readonly CountRing[], sec: number): number {
  for (let i = 0; i < rings.length - 1; i++) {
    const coarser = rings[i + 1] as CountRing;
    if (floorTo(sec, coarser.seconds) >= (rings[i] as CountRing).retainedFromSec) return i;
  }
  return rings.length - 1;
}

function floorTo(sec: number, step: number): number {
  return Math.floor(sec / step) * step;
}
