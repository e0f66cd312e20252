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
  /** Cells of one lane. */
  readonly #laneCells: number;
  readonly #view = new RowView();
  readonly #sum: CellSum;
  /** Cells of a reading before they are told apart, and their buckets, all lanes together. */
  #cells = new Int32Array(256);
  #counts = new Float64Array(256);
  readonly #buckets: CellSum;
  #spans = 0;
  #failed = 0;
  #weight = 0;
  #failedWeight = 0;

  /** Pods are told apart where `lanes` is more than 1: then only readings can be taken. */
  constructor(layout: HistogramLayout, lanes = 1) {
    this.#layout = layout;
    this.#laneCells = layout.size * 2;
    this.#sum = new CellSum(this.#laneCells * lanes);
    this.#buckets = new CellSum(layout.size);
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
    if (this.#cells.length < distinct) {
      this.#cells = new Int32Array(distinct * 2);
      this.#counts = new Float64Array(distinct * 2);
    }
    if (into.buckets.length < distinct) {
      into.buckets = new Int32Array(distinct * 2);
      into.counts = new Float64Array(distinct * 2);
    }
    this.#sum.drain(this.#cells, this.#counts);
    into.timedFailed = 0;
    for (let i = 0; i < distinct; i++) {
      const cell = (this.#cells[i] as number) % this.#laneCells;
      if ((cell & 1) === 1) into.timedFailed += this.#counts[i] as number;
      else this.#buckets.add(cell >>> 1, this.#counts[i] as number);
    }
    into.size = this.#buckets.drain(into.buckets, into.counts);
    into.lanes = null;
    if (distinct > 0 && (this.#cells[distinct - 1] as number) >= this.#laneCells) {
      into.fillLanes(this.#cells, this.#counts, distinct, this.#laneCells);
    }
  }

  #reset(): void {
    this.#spans = 0;
    this.#failed = 0;
    this.#weight = 0;
    this.#failedWeight = 0;
  }
}
