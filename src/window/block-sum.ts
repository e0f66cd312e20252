/** Sums some series over some blocks. */
import type { Counts } from '../model/distribution.ts';
import type { HistogramLayout } from '../model/histogram-layout.ts';
import { CellSum } from './cell-sum.ts';
import { RowView } from './row-view.ts';
import type { SlotBlock } from './slot-block.ts';
import type { SlotReading } from './slot-reading.ts';
import { drainDistribution, type Selection, type SparseDistribution } from './sparse-distribution.ts';

/** Scratch memory for any number of sums, one at a time: add blocks, then take one of the answers. */
export class BlockSum {
  readonly #layout: HistogramLayout;
  readonly #view = new RowView();
  readonly #sum: CellSum;
  #spans = 0;
  #failed = 0;
  #weight = 0;
  #failedWeight = 0;

  constructor(layout: HistogramLayout) {
    this.#layout = layout;
    this.#sum = new CellSum(layout.size * 2);
  }

  /** Adds the rows of `series`; their histograms too unless `countsOnly`. */
  add(block: SlotBlock, series: readonly number[], countsOnly = false): void {
    const view = this.#view;
    for (const id of series) {
      if (!block.find(id, view)) continue;
      view.open();
      this.#spans += view.count;
      this.#failed += view.failed;
      this.#weight += view.weight;
      this.#failedWeight += view.failedWeight;
      if (!countsOnly) view.addCells(this.#sum);
    }
  }

  takeCounts(): Counts {
    const counts = { spans: this.#spans, failedSpans: this.#failed, requests: this.#weight, failed: this.#failedWeight };
    this.#reset();
    return counts;
  }

  takeDistribution(which: Selection): SparseDistribution {
    this.#reset();
    return drainDistribution(this.#layout, this.#sum, which);
  }

  takeReading(into: SlotReading): void {
    into.requests = this.#spans;
    into.failed = this.#failed;
    into.weight = this.#weight;
    into.failedWeight = this.#failedWeight;
    this.#reset();
    const distinct = this.#sum.size;
    if (into.buckets.length < distinct) {
      into.buckets = new Int32Array(distinct * 2);
      into.counts = new Float64Array(distinct * 2);
    }
    const { buckets, counts } = into;
    this.#sum.drain(buckets, counts);
    let size = 0;
    for (let i = 0; i < distinct; i++) {
      const cell = buckets[i] as number;
      if ((cell & 1) === 1) continue;
      buckets[size] = cell >>> 1;
      counts[size++] = counts[i] as number;
    }
    into.size = size;
  }

  #reset(): void {
    this.#spans = 0;
    this.#failed = 0;
    this.#weight = 0;
    this.#failedWeight = 0;
  }
}
