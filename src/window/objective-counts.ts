/** Exact valid and bad events of every objective, over windows from seconds to 92 days. */
import type { CountKind, StoredCounts } from '../model/checkpoint.ts';
import { CountRowWriter, readCountRow } from '../model/count-row.ts';
import { withoutDirt } from '../model/error-budget.ts';
import type { WindowCounts } from '../model/slo-views.ts';
import { type EpochMs, SLOT_MS, type SlotIndex } from '../model/time.ts';
import type { CountKeys } from './count-keys.ts';
import { CountRing } from './count-ring.ts';

/**
 * Width of a level and slots kept: 15 min, 6 h, 3 d and twice 92 d, each with as much more as makes its oldest full slot of the next level
 * complete. Days only make long sums short. 30 days of data take about 29 kB.
 */
const LEVELS: readonly { readonly kind: CountKind; readonly seconds: number; readonly slots: number }[] = [
  { kind: '10', seconds: 10, slots: 90 + 6 },
  { kind: '60', seconds: 60, slots: 360 + 10 },
  { kind: '600', seconds: 600, slots: 432 + 6 },
  { kind: '3600', seconds: 3600, slots: 2208 + 25 },
  { kind: '86400', seconds: 86_400, slots: 92 + 2 },
];
const SECONDS = LEVELS.map(({ seconds }) => seconds);
const COARSEST = LEVELS.length - 1;
const HOURS = LEVELS.findIndex(({ kind }) => kind === '3600');

/** Valid and bad events of full hours, oldest first. */
export interface HourColumns {
  readonly startMs: number[];
  readonly valid: number[];
  readonly bad: number[];
}

/**
 * Each count is held at every level. A sum takes each piece of time from one level only, so no event is counted twice. How fine the past is told depends on
 * the newest event of all objectives, not of the one asked for: what a restart reads back is then all that is ever asked for.
 */
export class ObjectiveCounts {
  readonly #objectives = new Map<string, readonly CountRing[]>();
  readonly #writer = new CountRowWriter();
  /** Slots touched since the last checkpoint, by level. */
  readonly #dirty: readonly Set<number>[] = LEVELS.map(() => new Set());
  #lastDirty: SlotIndex = Number.NaN;
  #newestSec: SlotIndex = Number.NEGATIVE_INFINITY;
  /** Events older than every level holds. */
  #tooOld = 0;

  /** `bad` of `valid` events (sums of weights) belong to the 1 s slot `slot`. */
  add(objective: string, slot: SlotIndex, valid: number, bad: number): void {
    let isHeld = false;
    for (const ring of this.#rings(objective)) isHeld = ring.add(slot, valid, bad) || isHeld;
    if (!isHeld) this.#tooOld += valid;
    if (slot > this.#newestSec) this.#newestSec = slot;
    if (slot === this.#lastDirty) return;
    this.#lastDirty = slot;
    for (const [i, { seconds }] of LEVELS.entries()) this.#dirty[i]?.add(floorTo(slot, seconds));
  }

  /**
   * Counts over [fromMs, toMs), edges rounded outward to the finest level that still holds them: 10 s in the last 15 min of all data, 1 min in the last 6 h,
   * 10 min in the last 3 d, 1 h before, up to 92 d. `from` and `to` are the edges after rounding; nothing is counted when they are not ascending numbers.
   */
  sum(objective: string, fromMs: EpochMs, toMs: EpochMs): WindowCounts {
    if (!(fromMs < toMs)) return { from: fromMs, to: toMs, valid: 0, bad: 0 };
    const first = this.#finestHolding(fromMs / SLOT_MS);
    const last = this.#finestHolding(toMs / SLOT_MS);
    const from = floorTo(fromMs / SLOT_MS, secondsOf(first));
    const end = ceilTo(toMs / SLOT_MS, secondsOf(last));
    const counts = { from: Math.max(from, this.#heldFromSec) * SLOT_MS, to: end * SLOT_MS, valid: 0, bad: 0 };
    const rings = this.#objectives.get(objective);
    if (rings === undefined) return counts;
    const coarsest = rings[COARSEST] as CountRing;
    // Nothing of the objective lies outside; clamping keeps infinite edges finite.
    sumStairs(rings, first, last, Math.max(from, coarsest.oldestSec), Math.min(end, coarsest.newestEndSec), counts);
    counts.bad = withoutDirt(counts.bad);
    return counts;
  }

  /** Width in ms of what an edge at `ms` is rounded to. */
  stepMs(ms: EpochMs): number {
    return secondsOf(this.#finestHolding(ms / SLOT_MS)) * SLOT_MS;
  }

  /** Hours that begin in [fromMs, toMs), from the first to the last that has data, those without between them too. */
  hours(objective: string, fromMs: EpochMs, toMs: EpochMs): HourColumns {
    const columns: HourColumns = { startMs: [], valid: [], bad: [] };
    const ring = this.#objectives.get(objective)?.[HOURS];
    if (ring === undefined) return columns;
    const { seconds } = ring;
    const from = Math.max(ceilTo(fromMs / SLOT_MS, seconds), ring.oldestSec);
    const to = Math.min(toMs / SLOT_MS, ring.newestEndSec);
    for (let startSec = from; startSec < to; startSec += seconds) {
      const slot = { valid: 0, bad: 0 };
      ring.sumInto(startSec, startSec + seconds, slot);
      columns.startMs.push(startSec * SLOT_MS);
      columns.valid.push(slot.valid);
      columns.bad.push(slot.bad);
    }
    return columns;
  }

  has(objective: string): boolean {
    return this.#objectives.has(objective);
  }

  remove(objective: string): void {
    this.#objectives.delete(objective);
  }

  /** Events that were older than 92 days when they came. */
  get tooOld(): number {
    return this.#tooOld;
  }

  /** Slots touched since the last call, each with all objectives. */
  checkpoint(keys: CountKeys): StoredCounts[] {
    const stored: StoredCounts[] = [];
    const slot = { valid: 0, bad: 0 };
    for (const [i, { kind, seconds }] of LEVELS.entries()) {
      const dirty = this.#dirty[i] as Set<number>;
      for (const startSec of dirty) {
        for (const [objective, rings] of this.#objectives) {
          slot.valid = slot.bad = 0;
          (rings[i] as CountRing).sumInto(startSec, startSec + seconds, slot);
          if (slot.valid > 0 || slot.bad > 0) this.#writer.add(keys.idOf(objective), slot.valid, slot.bad);
        }
        const bytes = this.#writer.take();
        if (bytes.length > 0) stored.push({ kind, startSec, bytes });
      }
      dirty.clear();
    }
    this.#lastDirty = Number.NaN;
    return stored;
  }

  /** Takes back what checkpoints saved, in any order. */
  restore(stored: readonly StoredCounts[], keys: CountKeys): void {
    const known: (readonly CountRing[] | undefined)[] = [];
    for (const { kind, startSec, bytes } of stored) {
      const level = LEVELS.findIndex((one) => one.kind === kind);
      if (level < 0) continue;
      this.#newestSec = Math.max(this.#newestSec, startSec);
      readCountRow(bytes, (id, valid, bad) => {
        const name = keys.nameOf(id);
        if (name === undefined) return;
        let rings = known[id];
        if (rings === undefined) {
          rings = this.#rings(name);
          known[id] = rings;
        }
        (rings[level] as CountRing).replace(startSec, valid, bad);
      });
    }
  }

  /** All that have counts. */
  names(): IterableIterator<string> {
    return this.#objectives.keys();
  }

  /** Memory of one objective's counts. */
  byteLength(objective: string): number {
    return this.#objectives.get(objective)?.reduce((sum, ring) => sum + ring.byteLength, 0) ?? 0;
  }

  /** Before this nothing is held any more. */
  get #heldFromSec(): number {
    return this.#retainedFromSec(COARSEST);
  }

  /** First second that a level tells of. */
  #retainedFromSec(level: number): number {
    const { seconds, slots } = LEVELS[level] as (typeof LEVELS)[number];
    return floorTo(this.#newestSec, seconds) - (slots - 1) * seconds;
  }

  /** Finest level that holds all of the next coarser slot around `sec`, so that a staircase from there finds every step. */
  #finestHolding(sec: number): number {
    for (let i = 0; i < COARSEST; i++) if (floorTo(sec, secondsOf(i + 1)) >= this.#retainedFromSec(i)) return i;
    return COARSEST;
  }

  #rings(objective: string): readonly CountRing[] {
    let rings = this.#objectives.get(objective);
    if (rings === undefined) {
      rings = LEVELS.map(({ seconds, slots }) => new CountRing(seconds, slots));
      this.#objectives.set(objective, rings);
    }
    return rings;
  }
}

/** Up the staircase to coarser levels as far as the edges allow, and down again. */
function sumStairs(
  rings: readonly CountRing[],
  first: number,
  last: number,
  from: number,
  end: number,
  total: { valid: number; bad: number },
): void {
  let at = from;
  for (let i = first; i < rings.length && at < end; i++) {
    const ring = rings[i] as CountRing;
    const edge = i === rings.length - 1 ? end : ceilTo(at, secondsOf(i + 1));
    const stop = Math.min(edge, floorTo(end, ring.seconds));
    if (stop > at) {
      ring.sumInto(at, stop, total);
      at = stop;
    }
    if (at < edge) break;
  }
  for (let i = rings.length - 1; i >= last && at < end; i--) {
    const ring = rings[i] as CountRing;
    const stop = floorTo(end, ring.seconds);
    if (stop > at) {
      ring.sumInto(at, stop, total);
      at = stop;
    }
  }
}

function secondsOf(level: number): number {
  return SECONDS[level] as number;
}

function floorTo(sec: number, step: number): number {
  return Math.floor(sec / step) * step;
}

function ceilTo(sec: number, step: number): number {
  return Math.ceil(sec / step) * step;
}
