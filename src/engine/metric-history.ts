/** One group's time line: what happened in each slot, asked for by windows. */
import type { MetricCounts, MetricHistogram, MetricOutcome, MetricWindow } from '../model/metric-scan.ts';

const FIELDS = 4;
/** Weights that were added and taken away again leave no more than this behind. */
const DUST = 1e-9;

interface CellEntry {
  readonly startSec: number;
  readonly cells: Uint16Array;
  readonly counts: Float64Array;
}

/** Slots are added oldest first; one may be added in several pieces. */
export class MetricHistory {
  readonly #laneCells: number;
  readonly #starts: number[] = [];
  /** Running sums, FIELDS per entry. */
  readonly #sums: number[] = [];
  readonly #entries: CellEntry[] = [];
  /** The newest slot while its pieces come in. */
  #openSec = Number.NaN;
  readonly #open = new Map<number, number>();
  /** Sum of `#entries[#first .. #next)`; null before the first question. */
  #dense: Float64Array | null = null;
  #first = 0;
  #next = 0;

  /** `laneCells`: cells of one lane of the layout. */
  constructor(laneCells: number) {
    this.#laneCells = laneCells;
  }

  /** True when it is the first of its slot. */
  addCounts(startSec: number, { requests, failed, timed, timedFailed }: MetricCounts): boolean {
    const sums = this.#sums;
    const isFirst = this.#starts.at(-1) !== startSec;
    const last = sums.length - FIELDS;
    if (isFirst) this.#starts.push(startSec);
    const at = isFirst ? sums.length : last;
    for (const [i, value] of [requests, failed, timed, timedFailed].entries()) sums[at + i] = (sums[last + i] ?? 0) + value;
    return isFirst;
  }

  /** Returns how many cells are new in their slot. */
  addCells(
    startSec: number,
    cells: Int32Array,
    counts: Float64Array,
    size: number,
    scale: { readonly ok: number; readonly failed: number },
  ): number {
    if (this.#openSec !== startSec) this.#close();
    this.#openSec = startSec;
    const open = this.#open;
    const before = open.size;
    for (let i = 0; i < size; i++) {
      const cell = cells[i] as number;
      const count = (counts[i] as number) * ((cell & 1) === 1 ? scale.failed : scale.ok);
      open.set(cell, (open.get(cell) ?? 0) + count);
    }
    return open.size - before;
  }

  counts({ fromSec, toSec }: MetricWindow): MetricCounts {
    const from = (this.#before(fromSec) - 1) * FIELDS;
    const to = (this.#before(toSec) - 1) * FIELDS;
    const sum = (i: number): number => (this.#sums[to + i] ?? 0) - (this.#sums[from + i] ?? 0);
    return { requests: sum(0), failed: sum(1), timed: sum(2), timedFailed: sum(3) };
  }

  histogram({ fromSec, toSec }: MetricWindow, outcome: MetricOutcome): MetricHistogram {
    this.#close();
    const dense = this.#moved(fromSec, toSec);
    const buckets: number[] = [];
    const counts: number[] = [];
    for (let cell = 0; cell < dense.length; cell += 2) {
      const ok = outcome === 'failed' ? 0 : (dense[cell] as number);
      const failed = outcome === 'ok' ? 0 : (dense[cell + 1] as number);
      if (ok + failed <= DUST) continue;
      buckets.push(cell >>> 1);
      counts.push(ok + failed);
    }
    return { buckets, counts };
  }

  #close(): void {
    if (this.#open.size === 0) return;
    this.#entries.push({
      startSec: this.#openSec,
      cells: Uint16Array.from(this.#open.keys()),
      counts: Float64Array.from(this.#open.values()),
    });
    this.#open.clear();
  }

  #moved(fromSec: number, toSec: number): Float64Array {
    const entries = this.#entries;
    const isBack =
      this.#dense !== null && ((entries[this.#first - 1]?.startSec ?? -1) >= fromSec || (entries[this.#next - 1]?.startSec ?? -1) >= toSec);
    if (this.#dense === null || isBack) {
      this.#dense = new Float64Array(this.#laneCells);
      this.#first = lowerBound(entries.length, (i) => (entries[i] as CellEntry).startSec >= fromSec);
      this.#next = this.#first;
    }
    const dense = this.#dense;
    while (this.#next < entries.length && (entries[this.#next] as CellEntry).startSec < toSec)
      addTo(dense, entries[this.#next++] as CellEntry, 1);
    while (this.#first < this.#next && (entries[this.#first] as CellEntry).startSec < fromSec)
      addTo(dense, entries[this.#first++] as CellEntry, -1);
    return dense;
  }

  /** Entries of slots that begin before `sec`. */
  #before(sec: number): number {
    return lowerBound(this.#starts.length, (i) => (this.#starts[i] as number) >= sec);
  }
}

function addTo(dense: Float64Array, { cells, counts }: CellEntry, sign: 1 | -1): void {
  for (let i = 0; i < cells.length; i++) {
    const cell = cells[i] as number;
    dense[cell] = (dense[cell] as number) + sign * (counts[i] as number);
  }
}

/** Smallest index for which `isReached` holds, which then holds for all after it; `size` when none. */
function lowerBound(size: number, isReached: (index: number) => boolean): number {
  let low = 0;
  let high = size;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (isReached(middle)) high = middle;
    else low = middle + 1;
  }
  return low;
}
