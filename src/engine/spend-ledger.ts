/** Who spent the budget: bad events of each objective by endpoint and release, hour by hour. */
import type { StoredCounts } from '../model/checkpoint.ts';
import { CountRowWriter, readCountRow } from '../model/count-row.ts';
import { textOrder } from '../model/text-order.ts';
import { type EpochMs, SLOT_MS, type SlotIndex } from '../model/time.ts';
import type { CountKeys } from '../window/count-keys.ts';

const HOUR_SEC = 3600;
const OTHER = '(other)';
const KIND = 'spent';

/** Pairs of endpoint and release that an objective tells apart, then those of all objectives; further ones are `(other)`. */
const MAX_CELLS = 64;
const MAX_ALL_CELLS = 20_000;
/** Hours of all cells, some 10 MB: when there are more, the oldest are forgotten, and every ledger begins later. */
const MAX_HOURS = 400_000;

export interface Spending {
  readonly endpoint: string;
  readonly release: string;
  readonly bad: number;
}

/** What an objective spent at one endpoint of one release. */
export interface SpendCell {
  /** The objective, the endpoint and the release as JSON: its name in stored counts. */
  readonly name: string;
  readonly endpoint: string;
  readonly release: string;
  /** Hours with bad events as epoch seconds, ascending, and how many. */
  readonly startSec: number[];
  readonly bad: number[];
}

/**
 * Only hours with bad events take memory. Of objectives over timeslices it is the bad requests that are told, not the bad slices: no endpoint makes a
 * slice bad by itself. Which cells are told apart beyond the limits depends on who came first; the sum of all cells does not.
 */
export class SpendLedger {
  readonly #objectives = new Map<string, Map<string, SpendCell>>();
  readonly #dirty = new Set<number>();
  readonly #writer = new CountRowWriter();
  readonly #limits: { readonly cells: number; readonly allCells: number; readonly hours: number };
  #cells = 0;
  #hours = 0;
  #forgottenBefore = Number.NEGATIVE_INFINITY;
  #givenUp = 0;

  constructor(limits: { readonly cells?: number; readonly allCells?: number; readonly hours?: number } = {}) {
    this.#limits = { cells: limits.cells ?? MAX_CELLS, allCells: limits.allCells ?? MAX_ALL_CELLS, hours: limits.hours ?? MAX_HOURS };
  }

  add(objective: string, endpoint: string, release: string, slot: SlotIndex, bad: number): void {
    this.addTo(this.cellOf(objective, endpoint, release), slot, bad);
  }

  /** Grows when a cell is given up: then there may be a place of its own for what is counted with all others. */
  get givenUp(): number {
    return this.#givenUp;
  }

  /** As `add`, to a cell that was asked for since one was given up last. */
  addTo(cell: SpendCell, slot: SlotIndex, bad: number): void {
    const startSec = hourOf(slot);
    if (startSec < this.#forgottenBefore) return;
    const last = cell.startSec.length - 1;
    const at = cell.startSec[last] === startSec ? last : placeOf(cell, startSec);
    this.#set(cell, at, startSec, (cell.startSec[at] === startSec ? (cell.bad[at] as number) : 0) + bad);
    this.#dirty.add(startSec);
    if (this.#hours > this.#limits.hours) this.#forgetOldest();
  }

  /** Where it is counted: a cell of its own, or that of all others. */
  cellOf(objective: string, endpoint: string, release: string): SpendCell {
    let cells = this.#objectives.get(objective);
    if (cells === undefined) {
      cells = new Map();
      this.#objectives.set(objective, cells);
    }
    const name = JSON.stringify([objective, endpoint, release]);
    const known = cells.get(name);
    if (known !== undefined) return known;
    const isOther = endpoint === OTHER && release === OTHER;
    if (!isOther && (cells.size >= this.#limits.cells || this.#cells >= this.#limits.allCells)) return this.cellOf(objective, OTHER, OTHER);
    const cell: SpendCell = { name, endpoint, release, startSec: [], bad: [] };
    cells.set(name, cell);
    this.#cells++;
    return cell;
  }

  /** Spending within [fromMs, toMs), edges rounded outward to hours, most first; `from` is later where older hours were forgotten. */
  view(objective: string, fromMs: EpochMs, toMs: EpochMs): { readonly from: EpochMs; readonly rows: readonly Spending[] } {
    const from = Math.max(hourOf(fromMs / SLOT_MS), this.#forgottenBefore);
    const rows: Spending[] = [];
    for (const cell of this.#objectives.get(objective)?.values() ?? []) {
      let bad = 0;
      for (let i = placeOf(cell, from); i < cell.startSec.length && (cell.startSec[i] as number) * SLOT_MS < toMs; i++)
        bad += cell.bad[i] as number;
      if (bad > 0) rows.push({ endpoint: cell.endpoint, release: cell.release, bad });
    }
    rows.sort((a, b) => b.bad - a.bad || textOrder(a.endpoint, b.endpoint) || textOrder(a.release, b.release));
    return { from: from * SLOT_MS, rows };
  }

  /** Forgets hours of an objective that lie wholly before `fromMs`. */
  retire(objective: string, fromMs: EpochMs): void {
    this.#dropBefore(objective, hourOf(fromMs / SLOT_MS));
  }

  remove(objective: string): void {
    this.#dropBefore(objective, Number.POSITIVE_INFINITY);
  }

  /** All that have spent something. */
  names(): IterableIterator<string> {
    return this.#objectives.keys();
  }

  /** Hours touched since the last call, each with all cells. */
  checkpoint(keys: CountKeys): StoredCounts[] {
    const stored: StoredCounts[] = [];
    for (const startSec of this.#dirty) {
      for (const cells of this.#objectives.values()) {
        for (const cell of cells.values()) {
          const at = placeOf(cell, startSec);
          if (cell.startSec[at] === startSec) this.#writer.add(keys.idOf(cell.name), cell.bad[at] as number, cell.bad[at] as number);
        }
      }
      const bytes = this.#writer.take();
      if (bytes.length > 0) stored.push({ kind: KIND, startSec, bytes });
    }
    this.#dirty.clear();
    return stored;
  }

  /** Hours before this were forgotten for want of room; -Infinity: none. */
  get forgottenBefore(): number {
    return this.#forgottenBefore;
  }

  /** Takes back what checkpoints saved, in any order; of each objective the hours from `heldFrom` on. */
  restore(stored: readonly StoredCounts[], keys: CountKeys, forgottenBefore: number, heldFrom: (objective: string) => EpochMs): void {
    this.#forgottenBefore = forgottenBefore;
    const readers: (((startSec: number, bad: number) => void) | undefined)[] = [];
    for (const { kind, startSec, bytes } of stored) {
      if (kind !== KIND || startSec < forgottenBefore) continue;
      readCountRow(bytes, (id, _, bad) => {
        const name = keys.nameOf(id);
        if (name === undefined) return;
        readers[id] ??= this.#reader(name, heldFrom);
        readers[id](startSec, bad);
      });
    }
  }

  #reader(name: string, heldFrom: (objective: string) => EpochMs): (startSec: number, bad: number) => void {
    const [objective, endpoint, release] = JSON.parse(name) as [string, string, string];
    const from = hourOf(heldFrom(objective) / SLOT_MS);
    return (startSec, bad) => {
      if (startSec < from) return;
      const cell = this.cellOf(objective, endpoint, release);
      this.#set(cell, placeOf(cell, startSec), startSec, bad);
    };
  }

  #set(cell: SpendCell, at: number, startSec: number, bad: number): void {
    if (cell.startSec[at] === startSec) {
      cell.bad[at] = bad;
      return;
    }
    cell.startSec.splice(at, 0, startSec);
    cell.bad.splice(at, 0, bad);
    this.#hours++;
  }

  /** At least one hour, and a tenth of all, so that the next one is not looked for at once. */
  #forgetOldest(): void {
    const all = [...this.#objectives.values()]
      .flatMap((cells) => [...cells.values()].flatMap((cell) => cell.startSec))
      .sort((a, b) => a - b);
    this.#forgottenBefore = (all[Math.floor(all.length / 10)] as number) + HOUR_SEC;
    for (const objective of [...this.#objectives.keys()]) this.#dropBefore(objective, this.#forgottenBefore);
  }

  #dropBefore(objective: string, startSec: number): void {
    const cells = this.#objectives.get(objective);
    for (const [name, cell] of cells ?? []) {
      const gone = placeOf(cell, startSec);
      if (gone > 0) {
        cell.startSec.splice(0, gone);
        cell.bad.splice(0, gone);
        this.#hours -= gone;
      }
      if (cell.startSec.length > 0) continue;
      this.#givenUp++;
      cells?.delete(name);
      this.#cells--;
    }
    if (cells?.size === 0) this.#objectives.delete(objective);
  }
}

/** Position of the first hour at or after `startSec`; nearly always the last, or behind it. */
function placeOf({ startSec: hours }: SpendCell, startSec: number): number {
  let at = hours.length;
  if (at === 0 || (hours[at - 1] as number) < startSec) return at;
  let low = 0;
  at--;
  while (low < at) {
    const middle = (low + at) >> 1;
    if ((hours[middle] as number) < startSec) low = middle + 1;
    else at = middle;
  }
  return low;
}

function hourOf(sec: number): number {
  return Math.floor(sec / HOUR_SEC) * HOUR_SEC;
}
