/** Exact totals of calendar periods, which begin and end where no hour does. */
import type { StoredCounts } from '../model/checkpoint.ts';
import { CountRowWriter, readCountRow } from '../model/count-row.ts';
import { type EpochMs, SLOT_MS } from '../model/time.ts';
import type { CountKeys } from './count-keys.ts';

/** The one that goes on and 13 before it: a year of months, and one more to compare with. */
const KEPT = 14;

interface PeriodTotal {
  readonly fromMs: EpochMs;
  valid: number;
  bad: number;
}

/** A key stands for an objective and its calendar: periods of another calendar are counted apart. */
export class PeriodTotals {
  /** Newest begin first. */
  readonly #periods = new Map<string, PeriodTotal[]>();
  readonly #dirty = new Set<EpochMs>();
  readonly #writer = new CountRowWriter();

  /** Adds to the period that begins at `fromMs`; one that is older than those kept is let go. */
  add(key: string, fromMs: EpochMs, valid: number, bad: number): void {
    const total = this.#open(key, fromMs);
    if (total === undefined) return;
    total.valid += valid;
    total.bad += bad;
    this.#dirty.add(fromMs);
  }

  /** What the period that begins at `fromMs` holds; undefined when it is not kept, or nothing was ever counted in it. */
  of(key: string, fromMs: EpochMs): { readonly valid: number; readonly bad: number } | undefined {
    return this.#periods.get(key)?.find((total) => total.fromMs === fromMs);
  }

  /** Begin of the oldest period kept; Infinity when there is none. */
  oldest(key: string): EpochMs {
    return this.#periods.get(key)?.at(-1)?.fromMs ?? Number.POSITIVE_INFINITY;
  }

  /** Sum of the periods that begin after `fromMs`. */
  after(key: string, fromMs: EpochMs): { readonly valid: number; readonly bad: number } {
    const sum = { valid: 0, bad: 0 };
    for (const total of this.#periods.get(key) ?? []) {
      if (total.fromMs <= fromMs) break;
      sum.valid += total.valid;
      sum.bad += total.bad;
    }
    return sum;
  }

  has(key: string): boolean {
    return this.#periods.has(key);
  }

  names(): IterableIterator<string> {
    return this.#periods.keys();
  }

  /** The next checkpoint writes its periods without it: what was stored must not come back. */
  remove(key: string): void {
    for (const { fromMs } of this.#periods.get(key) ?? []) this.#dirty.add(fromMs);
    this.#periods.delete(key);
  }

  /** Periods touched since the last call, each with all keys. */
  checkpoint(keys: CountKeys): StoredCounts[] {
    const stored: StoredCounts[] = [];
    for (const fromMs of this.#dirty) {
      for (const [key, totals] of this.#periods) {
        const total = totals.find((one) => one.fromMs === fromMs);
        if (total !== undefined) this.#writer.add(keys.idOf(key), total.valid, total.bad);
      }
      stored.push({ kind: 'period', startSec: fromMs / SLOT_MS, bytes: this.#writer.take() });
    }
    this.#dirty.clear();
    return stored;
  }

  /** Takes back what checkpoints saved, in any order. */
  restore(stored: readonly StoredCounts[], keys: CountKeys): void {
    for (const { kind, startSec, bytes } of stored) {
      if (kind !== 'period') continue;
      readCountRow(bytes, (id, valid, bad) => {
        const key = keys.nameOf(id);
        const total = key === undefined ? undefined : this.#open(key, startSec * SLOT_MS);
        if (total !== undefined) Object.assign(total, { valid, bad });
      });
    }
  }

  #open(key: string, fromMs: EpochMs): PeriodTotal | undefined {
    let totals = this.#periods.get(key);
    if (totals === undefined) {
      totals = [];
      this.#periods.set(key, totals);
    }
    let at = 0;
    while (at < totals.length && (totals[at] as PeriodTotal).fromMs > fromMs) at++;
    const known = totals[at];
    if (known?.fromMs === fromMs) return known;
    if (at >= KEPT) return undefined;
    const total = { fromMs, valid: 0, bad: 0 };
    totals.splice(at, 0, total);
    if (totals.length > KEPT) totals.pop();
    return total;
  }
}
