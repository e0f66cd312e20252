/** Counts spans: observation batches in, one flush of slot deltas out. */
import type { HistogramLayout } from '../model/histogram-layout.ts';
import { FLAG_FAILED, FLAG_NO_LATENCY, type ObservationBatch } from '../model/observation-batch.ts';
import { SEATS } from '../model/pod-lanes.ts';
import { COUNTERS_PER_RULE } from '../model/series.ts';
import { cellLanes, type Origin, type SlotDeltas } from '../model/slot-deltas.ts';
import { type EpochMs, SLOT_MS, type SlotIndex } from '../model/time.ts';
import { Arrivals } from './arrivals.ts';
import { CellSorter } from './cell-sorter.ts';
import { DeltaSorter } from './delta-sorter.ts';
import { COUNT, FAILED, FAILED_WEIGHT, ROW_STRIDE, RowLog, TIMED, TIMED_WEIGHT, WEIGHT } from './row-log.ts';
import type { SeriesTable } from './series-table.ts';
import { SeriesUse } from './series-use.ts';

export interface AggregatorOptions {
  /** Name of this stage A; with `epoch`, what makes its sequences unique. */
  readonly source: string;
  /** New with every start. */
  readonly epoch: string;
  /** Spans after which a flush is due. */
  readonly capacity: number;
  /** Sequence of the first flush. */
  readonly firstSequence?: number;
  /** Spans that there is room for from the start; `capacity` when left out. */
  readonly reserved?: number;
  /** What aggregators of one table share; each has its own when left out. */
  readonly shared?: AggregatorShare;
}

/** Made once for a table and a layout. */
export class AggregatorShare {
  readonly use: SeriesUse;
  readonly cellSorter: CellSorter;
  /** Cells of one lane or seat; 0 where pods are not told apart. */
  readonly laneCells: number;

  constructor(table: SeriesTable, layout: HistogramLayout) {
    const lanes = cellLanes(layout.size);
    const cells = layout.size * 2;
    this.use = new SeriesUse(table);
    this.laneCells = lanes === 1 ? 0 : cells;
    this.cellSorter = new CellSorter(lanes > 1 && table.pods === 'seats' ? cells * (SEATS + 1) : cells * lanes);
  }
}

/**
 * Memory is in proportion to the spans since the last flush (6 bytes each, and about 250 per series and slot touched), whatever the number of
 * series. No span is refused: the log grows beyond `capacity` rather than lose part of a batch; the caller flushes when `isFull`.
 */
export class Aggregator {
  readonly layout: HistogramLayout;
  readonly #shared: AggregatorShare;
  readonly #table: SeriesTable;
  readonly #options: AggregatorOptions;
  readonly #rows: RowLog;
  readonly #arrivals = new Arrivals();
  readonly #sorter: DeltaSorter;
  #sequence: number;
  #pending = 0;
  #newestEndMs: EpochMs = Number.NEGATIVE_INFINITY;
  #overflowSpans = 0;

  constructor(table: SeriesTable, layout: HistogramLayout, options: AggregatorOptions) {
    if (layout.size * 2 > 0x10000) throw new RangeError(`a layout of ${layout.size} buckets does not fit 16-bit cells`);
    this.layout = layout;
    this.#shared = options.shared ?? new AggregatorShare(table, layout);
    this.#table = table;
    this.#options = options;
    this.#sequence = options.firstSequence ?? 1;
    const { cellSorter } = this.#shared;
    this.#rows = new RowLog(options.reserved ?? options.capacity, cellSorter.cells);
    this.#sorter = new DeltaSorter(cellSorter);
  }

  /** A flush is due. */
  get isFull(): boolean {
    return this.#pending >= this.#options.capacity;
  }

  /** Spans that fit before a flush is due. */
  get room(): number {
    return Math.max(0, this.#options.capacity - this.#pending);
  }

  /** Spans since the last flush. */
  get pending(): number {
    return this.#pending;
  }

  /** Newest end time of any span so far, as a slot; -Infinity before the first. */
  get newestSlot(): SlotIndex {
    return Math.floor(this.#newestEndMs / SLOT_MS);
  }

  /** Newest end time of any span so far; -Infinity before the first. */
  get newestEndMs(): EpochMs {
    return this.#newestEndMs;
  }

  /** Since the last flush spans of some service entered a slot that is new to the service, so that an older one may be complete. */
  get hasOpenedSlot(): boolean {
    return this.#arrivals.hasOpenedSlot;
  }

  /** Spans counted in an overflow series since the start, as of the last flush. */
  get overflowSpans(): number {
    return this.#overflowSpans;
  }

  /** Counts every row of `batch`; none of it is kept, so the batch can be reused. */
  append(batch: ObservationBatch): void {
    const { size, series, endMs, durationNs, flags, weight, lane, validMask, traceAt, traceBytes } = batch;
    const rows = this.#rows;
    const layout = this.layout;
    const { laneCells } = this.#shared;
    const arrivals = this.#arrivals;
    const { service, resource, thresholdStart, thresholdCount, thresholds, counterCount } = this.#table.columns;
    rows.reserve(size);
    const { logRow, logCell, traces } = rows;
    const traceView = new DataView(traceBytes.buffer, traceBytes.byteOffset, traceBytes.byteLength);
    let logSize = rows.logSize;
    let newestEndMs = this.#newestEndMs;
    for (let i = 0; i < size; i++) {
      const id = series[i] as number;
      const end = endMs[i] as number;
      const slot = Math.floor(end / SLOT_MS);
      const row = rows.row(id, slot, counterCount[id] as number);
      const counters = rows.counters;
      const at = row * ROW_STRIDE;
      const spanWeight = weight[i] as number;
      const flag = flags[i] as number;
      counters[at + COUNT] = (counters[at + COUNT] as number) + 1;
      counters[at + WEIGHT] = (counters[at + WEIGHT] as number) + spanWeight;
      const failed = flag & FLAG_FAILED;
      const trace = traceAt[i] as number;
      if (failed !== 0) {
        counters[at + FAILED] = (counters[at + FAILED] as number) + 1;
        counters[at + FAILED_WEIGHT] = (counters[at + FAILED_WEIGHT] as number) + spanWeight;
        if (trace >= 0) {
          traces.failedNs[row] = (flag & FLAG_NO_LATENCY) === 0 ? (durationNs[i] as number) : -1;
          traces.setFailed(row, traceView, trace);
        }
      }
      if ((flag & FLAG_NO_LATENCY) === 0) {
        const duration = durationNs[i] as number;
        counters[at + TIMED] = (counters[at + TIMED] as number) + 1;
        counters[at + TIMED_WEIGHT] = (counters[at + TIMED_WEIGHT] as number) + spanWeight;
        logRow[logSize] = row;
        // As cellOf; spelled out because it runs once per span.
        logCell[logSize++] = (lane[i] as number) * laneCells + layout.index(duration / 1000) * 2 + failed;
        if (failed === 0 && trace >= 0 && duration > (traces.slowestNs[row] as number)) {
          traces.slowestNs[row] = duration;
          traces.setSlowest(row, traceView, trace);
        }
        const first = thresholdStart[id] as number;
        const last = first + (thresholdCount[id] as number);
        for (let t = first; t < last && duration > (thresholds[t] as number); t++) rows.addSlow(row, t - first, spanWeight);
      }
      if (validMask[i] !== 0) this.#countEvents(batch, i, row);
      if (end > newestEndMs) newestEndMs = end;
      arrivals.add(service[id] as number, resource[id] as number, endMs, i);
    }
    this.#newestEndMs = newestEndMs;
    rows.logSize = logSize;
    this.#pending += size;
  }

  /** Counts a span that is valid for some event rule; kept out of what runs for every span. */
  #countEvents({ series, validMask, badMask, weight }: ObservationBatch, span: number, row: number): void {
    const { thresholdCount, ruleStart, ruleCount, ruleBits } = this.#table.columns;
    const id = series[span] as number;
    const first = ruleStart[id] as number;
    const last = first + (ruleCount[id] as number);
    let counter = thresholdCount[id] as number;
    for (let r = first; r < last; r++, counter += COUNTERS_PER_RULE) {
      const bit = 1 << (ruleBits[r] as number);
      if (((validMask[span] as number) & bit) === 0) continue;
      this.#rows.addEvent(row, counter, weight, span);
      if (((badMask[span] as number) & bit) !== 0) this.#rows.addEvent(row, counter + 1, weight, span);
    }
  }

  /** Everything since the last flush. The arrays are reused by the next flush: who keeps them copies them. */
  flush(origin: Origin = this.#nextOrigin()): SlotDeltas {
    const rows = this.#rows;
    const table = this.#table;
    this.#markSeen();
    const columns = this.#sorter.sort(rows);
    const deltas: SlotDeltas = {
      origin,
      announced: table.takeAnnounced(),
      arrivals: this.#arrivals.take(table),
      size: rows.size,
      ...columns,
    };
    rows.clear();
    this.#pending = 0;
    return deltas;
  }

  /** Gives the places of series without spans since before `slot` to new ones. Flush first. */
  retireIdle(slot: SlotIndex): void {
    this.#shared.use.retireIdle(slot, this.newestSlot);
  }

  #nextOrigin(): Origin {
    return { source: this.#options.source, epoch: this.#options.epoch, sequence: this.#sequence++ };
  }

  #markSeen(): void {
    const { use } = this.#shared;
    use.grow();
    const rows = this.#rows;
    const { isOverflow } = this.#table.columns;
    for (let row = 0; row < rows.size; row++) {
      const id = rows.seriesOf(row);
      use.saw(id, rows.slotOf(row));
      if (isOverflow[id] === 1) this.#overflowSpans += rows.counters[row * ROW_STRIDE + COUNT] as number;
    }
  }
}
