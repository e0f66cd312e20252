/** What counting a span needs to know of its series, by id, in typed arrays: the hot path follows no object. */
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
  thresholds = new Float64Array(256);
  #thresholdsUsed = 0;
  /** Thresholds of most series are the same few lists: each is held once. */
  readonly #startOf = new Map<string, number>();

  set(id: number, resource: Resource, isOverflow: boolean, thresholdsNs: readonly number[]): void {
    if (id >= this.service.length) this.#grow(id);
    this.service[id] = resource.service.index;
    this.resource[id] = resource.id;
    this.isOverflow[id] = isOverflow ? 1 : 0;
    this.thresholdCount[id] = thresholdsNs.length;
    this.thresholdStart[id] = this.#start(thresholdsNs);
  }

  #start(thresholdsNs: readonly number[]): number {
    const key = thresholdsNs.join();
    const known = this.#startOf.get(key);
    if (known !== undefined) return known;
    const start = this.#thresholdsUsed;
    this.#thresholdsUsed += thresholdsNs.length;
    if (this.#thresholdsUsed > this.thresholds.length) {
      const next = new Float64Array(Math.max(this.thresholds.length * 2, this.#thresholdsUsed));
      next.set(this.thresholds);
      this.thresholds = next;
    }
    this.thresholds.set(thresholdsNs, start);
    this.#startOf.set(key, start);
    return start;
  }

  #grow(id: number): void {
    const capacity = Math.max(this.service.length * 2, id + 1);
    const service = new Int32Array(capacity).fill(-1);
    service.set(this.service);
    this.service = service;
    const resource = new Int32Array(capacity).fill(-1);
    resource.set(this.resource);
    this.resource = resource;
    const isOverflow = new Uint8Array(capacity);
    isOverflow.set(this.isOverflow);
    this.isOverflow = isOverflow;
    const thresholdStart = new Uint32Array(capacity);
    thresholdStart.set(this.thresholdStart);
    this.thresholdStart = thresholdStart;
    const thresholdCount = new Uint8Array(capacity);
    thresholdCount.set(this.thresholdCount);
    this.thresholdCount = thresholdCount;
  }
}
