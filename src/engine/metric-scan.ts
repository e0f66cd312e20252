/** Reads slots, oldest first, into time lines of groups of series: prefix sums of counts, and histograms that move along with a window. */
import type { HistogramLayout } from '../model/histogram-layout.ts';
import type {
  MetricCounts,
  MetricHistogram,
  MetricOutcome,
  MetricRefusal,
  MetricScanRequest,
  MetricTimeline,
  MetricWindow,
} from '../model/metric-scan.ts';
import type { EpochMs } from '../model/time.ts';
import { CellSum } from '../window/cell-sum.ts';
import { RowView } from '../window/row-view.ts';
import type { SlotBlock } from '../window/slot-block.ts';
import { MetricHistory } from './metric-history.ts';
import type { SlotGrid } from './metric-slots.ts';

/** Groups of one query, those with histograms, entries of their time lines, and cells of their histograms: together below 100 MB. */
const MAX_GROUPS = 5_000;
const MAX_CELL_GROUPS = 500;
const MAX_ENTRIES = 500_000;
const MAX_CELLS = 2_000_000;
/** Looking up a series costs about as much as stepping over so many rows. */
const ROWS_PER_FIND = 8;

export interface ScanParts {
  readonly layout: HistogramLayout;
  readonly grid: SlotGrid;
  readonly keptFromMs: EpochMs;
  completeTo(service: string): EpochMs;
}

export class MetricScan implements MetricTimeline {
  readonly layout: HistogramLayout;
  readonly keptFromMs: EpochMs;
  isSampled = false;
  readonly #parts: ScanParts;
  readonly #request: MetricScanRequest;
  readonly #edges: MetricWindow;
  readonly #cellsFromSec: number;
  readonly #groupOf = new Map<number, number>();
  /** As it was when the slots were taken. */
  readonly #completeTo = new Map<string, EpochMs>();
  readonly #histories: MetricHistory[];
  readonly #view = new RowView();
  readonly #sum: CellSum;
  readonly #cells: Int32Array;
  readonly #counts: Float64Array;
  #entries = 0;
  #held = 0;

  constructor(request: MetricScanRequest, parts: ScanParts) {
    this.#request = request;
    this.#parts = parts;
    this.layout = parts.layout;
    this.keptFromMs = parts.keptFromMs;
    const [first, last] = [request.fromMs, request.toMs].map((at) => parts.grid.window(at, at)) as [MetricWindow, MetricWindow];
    this.#edges = { fromSec: first.fromSec, toSec: last.toSec };
    this.#cellsFromSec = Number.isFinite(request.cellsFromMs)
      ? parts.grid.window(request.cellsFromMs, request.cellsFromMs).fromSec
      : Number.POSITIVE_INFINITY;
    const laneCells = parts.layout.size * 2;
    this.#sum = new CellSum(laneCells);
    this.#cells = new Int32Array(laneCells);
    this.#counts = new Float64Array(laneCells);
    this.#histories = request.groups.map(() => new MetricHistory(laneCells));
    for (const [group, { service, ids }] of request.groups.entries()) {
      this.#completeTo.set(service, parts.completeTo(service));
      for (const id of ids) this.#groupOf.set(id, group);
    }
  }

  /** Null while it may go on; after that it must not be asked. */
  get refusal(): MetricRefusal | null {
    const tooMuch = (what: string, limit: number): MetricRefusal => ({
      kind: 'too_much',
      detail: `the query needs more than ${limit} ${what}: ask for fewer services or endpoints, a shorter time, or aggregate with sum by`,
    });
    const { length } = this.#histories;
    if (length > MAX_GROUPS) return tooMuch('series', MAX_GROUPS);
    if (length > MAX_CELL_GROUPS && this.#cellsFromSec < Number.POSITIVE_INFINITY)
      return tooMuch('series with histograms', MAX_CELL_GROUPS);
    if (this.#entries > MAX_ENTRIES) return tooMuch('counts of slots', MAX_ENTRIES);
    return this.#held > MAX_CELLS ? tooMuch('buckets of histograms', MAX_CELLS) : null;
  }

  /** The next slot, which must not begin before the last one did. */
  add(startSec: number, blocks: readonly SlotBlock[]): void {
    if (startSec < this.#edges.fromSec || startSec >= this.#edges.toSec) return;
    const view = this.#view;
    for (const block of blocks) {
      if (this.#groupOf.size * ROWS_PER_FIND < block.size) {
        for (const [id, group] of this.#groupOf) if (block.find(id, view)) this.#addRow(startSec, group);
        continue;
      }
      block.rewind(view);
      while (view.next()) {
        const group = this.#groupOf.get(view.series);
        if (group !== undefined) this.#addRow(startSec, group);
      }
    }
  }

  completeTo(service: string): EpochMs {
    return this.#completeTo.get(service) ?? Number.NEGATIVE_INFINITY;
  }

  window(fromMs: EpochMs, toMs: EpochMs): MetricWindow {
    return this.#parts.grid.window(fromMs, toMs);
  }

  counts(group: number, window: MetricWindow): MetricCounts {
    return (this.#histories[group] as MetricHistory).counts(window);
  }

  histogram(group: number, window: MetricWindow, outcome: MetricOutcome): MetricHistogram {
    return (this.#histories[group] as MetricHistory).histogram(window, outcome);
  }

  /**
   * Of spans that stand for more than themselves, those that failed and the others are scaled apart: tail sampling keeps failures and drops the rest.
   */
  #addRow(startSec: number, group: number): void {
    const view = this.#view;
    view.open();
    const history = this.#histories[group] as MetricHistory;
    const wantsCells = startSec >= this.#cellsFromSec;
    const isTimed = view.timed === view.count;
    let timedFailed = view.failedWeight;
    if (view.isWeighted) this.isSampled = true;
    if (wantsCells || !isTimed) {
      view.addCells(this.#sum);
      const size = this.#sum.drain(this.#cells, this.#counts);
      const failures = failedIn(this.#cells, this.#counts, size);
      if (!isTimed) timedFailed = view.failed === 0 ? 0 : (failures * view.failedWeight) / view.failed;
      const others = view.timed - failures;
      const scale = {
        failed: failures === 0 ? 0 : timedFailed / failures,
        ok: others === 0 ? 0 : Math.max(0, view.timedWeight - timedFailed) / others,
      };
      if (wantsCells) {
        this.#held += history.addCells(startSec, this.#cells, this.#counts, size, scale);
      }
    }
    const isFirst = history.addCounts(startSec, {
      requests: view.weight,
      failed: view.failedWeight,
      timed: view.timedWeight,
      timedFailed: Math.min(timedFailed, view.timedWeight),
    });
    if (isFirst) this.#entries++;
  }

  /** Of all that is read. */
  get edges(): MetricWindow {
    return this.#request.groups.length === 0 ? { fromSec: 0, toSec: 0 } : this.#edges;
  }
}

function failedIn(cells: Int32Array, counts: Float64Array, size: number): number {
  let failed = 0;
  for (let i = 0; i < size; i++) if (((cells[i] as number) & 1) === 1) failed += counts[i] as number;
  return failed;
}
