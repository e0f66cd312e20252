/** The counts of one flush in the making: a row per (series, slot) and an append-only log of histogram cells. */

const EMPTY = -1;

/** All arrays grow by doubling and are kept for the next flush. */
export class RowLog {
  /** Rows. */
  size = 0;
  series = new Int32Array(256);
  slot = new Int32Array(256);
  count = new Uint32Array(256);
  failed = new Uint32Array(256);
  timed = new Uint32Array(256);
  weight = new Float64Array(256);
  failedWeight = new Float64Array(256);
  timedWeight = new Float64Array(256);
  slowStart = new Uint32Array(256);
  slowSize = 0;
  slow = new Uint32Array(256);
  slowWeight = new Float64Array(256);
  /** Log of timed spans: row and cell. */
  logSize = 0;
  logRow: Uint32Array;
  logCell: Uint16Array;
  #places = new Int32Array(1024).fill(EMPTY);

  constructor(capacity: number) {
    this.logRow = new Uint32Array(capacity);
    this.logCell = new Uint16Array(capacity);
  }

  /** Row of (series, slot), created with room for `thresholds` slow counters. */
  row(series: number, slot: number, thresholds: number): number {
    const places = this.#places;
    const mask = places.length - 1;
    let at = placeHash(series, slot) & mask;
    for (;;) {
      const row = places[at] as number;
      if (row === EMPTY) break;
      if (this.series[row] === series && this.slot[row] === slot) return row;
      at = (at + 1) & mask;
    }
    if (this.size === this.series.length) this.#growRows();
    const row = this.size++;
    this.series[row] = series;
    this.slot[row] = slot;
    this.slowStart[row] = this.slowSize;
    if (this.slowSize + thresholds > this.slow.length) {
      this.slow = grown(new Uint32Array(this.slow.length * 2), this.slow);
      this.slowWeight = grown(new Float64Array(this.slowWeight.length * 2), this.slowWeight);
    }
    this.slowSize += thresholds;
    places[at] = row;
    if (this.size * 2 > places.length) this.#rehash(places.length * 2);
    return row;
  }

  /** Makes room for `spans` more in the log. */
  reserve(spans: number): void {
    const needed = this.logSize + spans;
    if (needed <= this.logRow.length) return;
    const capacity = Math.max(this.logRow.length * 2, needed);
    this.logRow = grown(new Uint32Array(capacity), this.logRow);
    this.logCell = grown(new Uint16Array(capacity), this.logCell);
  }

  clear(): void {
    const used = this.size;
    for (const column of [this.count, this.failed, this.timed, this.weight, this.failedWeight, this.timedWeight]) column.fill(0, 0, used);
    this.slow.fill(0, 0, this.slowSize);
    this.slowWeight.fill(0, 0, this.slowSize);
    this.#places.fill(EMPTY);
    this.size = 0;
    this.slowSize = 0;
    this.logSize = 0;
  }

  #growRows(): void {
    const capacity = this.series.length * 2;
    this.series = grown(new Int32Array(capacity), this.series);
    this.slot = grown(new Int32Array(capacity), this.slot);
    this.count = grown(new Uint32Array(capacity), this.count);
    this.failed = grown(new Uint32Array(capacity), this.failed);
    this.timed = grown(new Uint32Array(capacity), this.timed);
    this.weight = grown(new Float64Array(capacity), this.weight);
    this.failedWeight = grown(new Float64Array(capacity), this.failedWeight);
    this.timedWeight = grown(new Float64Array(capacity), this.timedWeight);
    this.slowStart = grown(new Uint32Array(capacity), this.slowStart);
  }

  #rehash(size: number): void {
    const places = new Int32Array(size).fill(EMPTY);
    const mask = size - 1;
    for (let row = 0; row < this.size; row++) {
      let at = placeHash(this.series[row] as number, this.slot[row] as number) & mask;
      while (places[at] !== EMPTY) at = (at + 1) & mask;
      places[at] = row;
    }
    this.#places = places;
  }
}

function placeHash(series: number, slot: number): number {
  const hash = Math.imul(series, 0x9e3779b1) ^ Math.imul(slot, 0x85ebca6b);
  return hash ^ (hash >>> 15);
}

function grown<A extends Int32Array | Uint32Array | Uint16Array | Float64Array>(next: A, previous: A): A {
  next.set(previous);
  return next;
}
