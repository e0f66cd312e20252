/** The requests of a run that a person should look at: of each release the slowest, and the latest that failed. */
import type { Exemplar } from '../model/exemplar.ts';
import { type SlotDeltas, TRACE_BYTES } from '../model/slot-deltas.ts';
import { type SlotIndex, slotStartMs } from '../model/time.ts';

/** Of each kind and release. */
const MAX_KEPT = 5;
/** A slow request gives way to a newer one, however fast, when it ended longer ago than that. */
const FADE_MS = 10 * 60_000;

/** Series ids of one endpoint by release. */
type Endpoints = ReadonlyMap<string, { readonly baseline: readonly number[]; readonly canary: readonly number[] }>;

interface ArmState {
  readonly slowest: readonly Exemplar[];
  readonly failed: readonly Exemplar[];
}

/** What is saved, as JSON. */
export interface ExemplarsState {
  readonly baseline: ArmState;
  readonly canary: ArmState;
}

/** Depends on the flushes and their order alone; neither the order of series within a slot nor saving in between changes anything. */
export class Exemplars {
  readonly #fromSlot: SlotIndex;
  readonly #arms: { readonly baseline: Arm; readonly canary: Arm };

  /** Slots before `fromSlot` are not looked at. */
  constructor(fromSlot: SlotIndex, saved?: ExemplarsState) {
    this.#fromSlot = fromSlot;
    this.#arms = { baseline: new Arm(saved?.baseline), canary: new Arm(saved?.canary) };
  }

  /** Looks at a flush from `firstRow` on, at the rows of `endpoints`; true when that changed what is kept. */
  add(deltas: SlotDeltas, firstRow: number, endpoints: Endpoints): boolean {
    const { baseline, canary } = this.#arms;
    let isChanged = false;
    for (let from = firstRow; from < deltas.size; ) {
      const slot = deltas.slot[from] as number;
      const to = lowerBound(deltas.slot, from, deltas.size, slot + 1);
      if (slot >= this.#fromSlot) {
        for (const [endpoint, ids] of endpoints) {
          for (const id of ids.baseline) if (baseline.add(deltas, rowOf(deltas, from, to, id), endpoint)) isChanged = true;
          for (const id of ids.canary) if (canary.add(deltas, rowOf(deltas, from, to, id), endpoint)) isChanged = true;
        }
      }
      from = to;
    }
    return isChanged;
  }

  /** The slowest ones that did not fail, slowest first, then the failed ones, latest first. */
  view(): { readonly baseline: readonly Exemplar[]; readonly canary: readonly Exemplar[] } {
    return { baseline: this.#arms.baseline.view(), canary: this.#arms.canary.view() };
  }

  snapshot(): ExemplarsState {
    return { baseline: this.#arms.baseline.snapshot(), canary: this.#arms.canary.snapshot() };
  }
}

/** One release's. Lists are in order, the one to be kept longest first. */
class Arm {
  #slowest: Exemplar[];
  #failed: Exemplar[];

  constructor(saved: ArmState = { slowest: [], failed: [] }) {
    this.#slowest = [...saved.slowest];
    this.#failed = [...saved.failed];
  }

  /** `row` is -1 for none. */
  add(deltas: SlotDeltas, row: number, endpoint: string): boolean {
    if (row < 0) return false;
    const at = slotStartMs(deltas.slot[row] as number);
    const slowestMs = (deltas.slowestNs[row] as number) / 1e6;
    const isSlow = slowestMs > 0 && this.#mayKeepSlow(slowestMs, at);
    const slow = isSlow ? exemplar(deltas.slowestTrace, row, { endpoint, at, durationMs: slowestMs, failed: false }) : null;
    const oldest = this.#failed[MAX_KEPT - 1];
    const failedMs = (deltas.failedNs[row] as number) / 1e6;
    const mayKeepFailed = (deltas.failed[row] as number) > 0 && (oldest === undefined || at >= oldest.at);
    const failed = mayKeepFailed
      ? exemplar(deltas.failedTrace, row, { endpoint, at, durationMs: failedMs < 0 ? null : failedMs, failed: true })
      : null;
    const hasSlow = slow !== null && keep(this.#slowest, slow, slowerFirst, (known) => hasFaded(known, at));
    const hasFailed = failed !== null && keep(this.#failed, failed, laterFirst);
    return hasSlow || hasFailed;
  }

  view(): Exemplar[] {
    return [...this.#slowest, ...this.#failed];
  }

  snapshot(): ArmState {
    return { slowest: [...this.#slowest], failed: [...this.#failed] };
  }

  /** False for nearly every row there is: costs nothing but the look. */
  #mayKeepSlow(durationMs: number, at: number): boolean {
    const last = this.#slowest[MAX_KEPT - 1];
    return last === undefined || durationMs >= (last.durationMs ?? 0) || this.#slowest.some((known) => hasFaded(known, at));
  }
}

/**
 * Puts `candidate` in its place of the ordered `list`; of one trace at one endpoint only the first is kept. When there are too many then, the last
 * one that `isFaded` goes, else the last one. False when the candidate is not kept.
 */
function keep(
  list: Exemplar[],
  candidate: Exemplar,
  order: (a: Exemplar, b: Exemplar) => number,
  isFaded = (_: Exemplar) => false,
): boolean {
  const same = list.findIndex(({ traceId, endpoint }) => traceId === candidate.traceId && endpoint === candidate.endpoint);
  if (same >= 0) {
    if (order(list[same] as Exemplar, candidate) <= 0) return false;
    list.splice(same, 1);
  }
  const place = list.findIndex((known) => order(candidate, known) < 0);
  list.splice(place < 0 ? list.length : place, 0, candidate);
  if (list.length <= MAX_KEPT) return true;
  const faded = list.findLastIndex(isFaded);
  return list.splice(faded < 0 ? MAX_KEPT : faded, 1)[0] !== candidate;
}

function hasFaded(known: Exemplar, at: number): boolean {
  return known.at < at - FADE_MS;
}

function slowerFirst(a: Exemplar, b: Exemplar): number {
  return (b.durationMs ?? 0) - (a.durationMs ?? 0) || b.at - a.at || byName(a, b);
}

function laterFirst(a: Exemplar, b: Exemplar): number {
  return b.at - a.at || byName(a, b);
}

/** Any order that does not depend on who came first. */
function byName(a: Exemplar, b: Exemplar): number {
  if (a.traceId !== b.traceId) return a.traceId < b.traceId ? -1 : 1;
  if (a.endpoint !== b.endpoint) return a.endpoint < b.endpoint ? -1 : 1;
  return (b.durationMs ?? 0) - (a.durationMs ?? 0);
}

/** Null where the row has no trace. */
function exemplar(traces: Uint8Array, row: number, rest: Omit<Exemplar, 'traceId'>): Exemplar | null {
  let traceId = '';
  let isTrace = false;
  for (let i = row * TRACE_BYTES; i < (row + 1) * TRACE_BYTES; i++) {
    const byte = traces[i] as number;
    if (byte !== 0) isTrace = true;
    traceId += byte.toString(16).padStart(2, '0');
  }
  return isTrace ? { traceId, ...rest } : null;
}

/** The row of a series among the rows [from, to) of one slot, or -1. */
function rowOf(deltas: SlotDeltas, from: number, to: number, series: number): number {
  const row = lowerBound(deltas.series, from, to, series);
  return row < to && deltas.series[row] === series ? row : -1;
}

/** First position in [from, to) of ascending `values` that is not below `wanted`; `to` when there is none. */
function lowerBound(values: Int32Array, from: number, to: number, wanted: number): number {
  let low = from;
  let high = to;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((values[middle] as number) < wanted) low = middle + 1;
    else high = middle;
  }
  return low;
}
