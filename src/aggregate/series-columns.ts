/** What counting a span needs to know of its series, by id, in typed arrays: the hot path follows no object. */
import { COUNTERS_PER_RULE } from '../model/series.ts';
import { NumberLists } from './number-lists.ts';
import type { Resource } from './release-table.ts';

export class SeriesColumns {
  /** Dense number of the series' service; -1 for an id never given. */
  service = new Int32Array(256).fill(-1);
  /** Number of the series' (service, release), see `Resource`; -1 for an id never given. */
  resource = new Int32Array(256).fill(-1);
  isOverflow = new Uint8Array(256);
  /** The series' thresholds in ns are `thresholds[thresholdStart .. thresholdStart + thresholdCount)`, ascending. */
  thresholdStart = new Uint32Array(256);
  thresholdCount = new Uint8Array(256);
  /** The bits of its event rules are `ruleBits[ruleStart .. ruleStart + ruleCount)`. */
  ruleStart = new Uint32Array(256);
  ruleCount = new Uint8Array(256);
  /** Counters of a row: one for each threshold, two for each rule. */
  counterCount = new Uint8Array(256);
  readonly #thresholds = new NumberLists();
  readonly #ruleBits = new NumberLists();

  get thresholds(): Float64Array {
    return this.#thresholds.numbers;
  }

  get ruleBits(): Float64Array {
    return this.#ruleBits.numbers;
  }

  set(id: number, resource: Resource, isOverflow: boolean, thresholdsNs: readonly number[], ruleBits: readonly number[]): void {
    if (id >= this.service.length) this.#grow(id);
    this.service[id] = resource.service.index;
    this.resource[id] = resource.id;
    this.isOverflow[id] = isOverflow ? 1 : 0;
    this.thresholdCount[id] = thresholdsNs.length;
    this.thresholdStart[id] = this.#thresholds.startOf(thresholdsNs);
    this.ruleCount[id] = ruleBits.length;
    this.ruleStart[id] = this.#ruleBits.startOf(ruleBits);
    this.counterCount[id] = thresholdsNs.length + ruleBits.length * COUNTERS_PER_RULE;
  }

  #grow(id: number): void {
    const capacity = Math.max(this.service.length * 2, id + 1);
    this.service = grown(new Int32Array(capacity).fill(-1), this.service);
    this.resource = grown(new Int32Array(capacity).fill(-1), this.resource);
    this.isOverflow = grown(new Uint8Array(capacity), this.isOverflow);
    this.thresholdStart = grown(new Uint32Array(capacity), this.thresholdStart);
    this.thresholdCount = grown(new Uint8Array(capacity), this.thresholdCount);
    this.ruleStart = grown(new Uint32Array(capacity), this.ruleStart);
    this.ruleCount = grown(new Uint8Array(capacity), this.ruleCount);
    this.counterCount = grown(new Uint8Array(capacity), this.counterCount);
  }
}

function grown<A extends Int32Array | Uint32Array | Uint8Array>(next: A, previous: A): A {
  next.set(previous);
  return next;
}
