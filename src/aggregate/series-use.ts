/** When each series had its last spans: who is idle gives its place up. */
import type { SlotIndex } from '../model/time.ts';
import type { SeriesTable } from './series-table.ts';

/** Shared by all who count series of one table. */
export class SeriesUse {
  readonly #table: SeriesTable;
  #lastSeen = new Int32Array(1024);

  constructor(table: SeriesTable) {
    this.#table = table;
  }

  /** Makes room for every series that there is; to be called before `saw`. */
  grow(): void {
    const known = this.#lastSeen.length;
    if (this.#table.idEnd <= known) return;
    const next = new Int32Array(Math.max(known * 2, this.#table.idEnd));
    next.set(this.#lastSeen);
    this.#lastSeen = next;
  }

  saw(id: number, slot: SlotIndex): void {
    if (slot > (this.#lastSeen[id] as number)) this.#lastSeen[id] = slot;
  }

  /** Gives the places of series without spans since before `slot` to new ones; time of those that were never seen starts with `newest`. */
  retireIdle(slot: SlotIndex, newest: SlotIndex): void {
    this.grow();
    for (let id = 0; id < this.#table.idEnd; id++) {
      if (this.#lastSeen[id] === 0) this.#lastSeen[id] = Math.max(newest, 1);
    }
    this.#table.retireIdle((id) => (this.#lastSeen[id] as number) < slot);
  }
}
