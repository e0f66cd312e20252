/** What one flush of stage A adds: the seam between ingest and evaluation, in process today and a Kafka record across machines. */
import { LANES } from './lane.ts';
import type { SeriesInfo } from './series.ts';
import type { EpochMs } from './time.ts';

/** Names a flush, so that merging it twice changes nothing: within one `source` and `epoch`, sequences only grow. */
export interface Origin {
  readonly source: string;
  readonly epoch: string;
  readonly sequence: number;
}

/** Lateness is counted in bins of one second: bin i holds [i, i + 1) s, the last one everything beyond. */
export const LATENESS_BINS = 64;

/** What a flush tells about the punctuality of one service's spans, in order of arrival. */
export interface ServiceArrivals {
  readonly service: string;
  /** Latest end time seen so far, of any release. */
  readonly maxEndMs: EpochMs;
  /** The releases that spans came from; each key at most once. */
  readonly releases: readonly ReleaseArrivals[];
}

export interface ReleaseArrivals {
  /** Tells the release from others of its service, and is the same after a restart. */
  readonly release: string;
  /** Spans by `max end time of the service so far - end time`, LATENESS_BINS long. */
  readonly lateness: Uint32Array;
}

/** Entries of a row of `slow`, at most: of 8 thresholds and 8 event rules. */
export const MAX_SLOW_ENTRIES = 24;

/** Bytes of a trace id. */
export const TRACE_BYTES = 16;

/** Lanes that the cells of a layout of `buckets` buckets tell apart: all, or lane 0 alone where so many cells would not fit 16 bits. */
export function cellLanes(buckets: number): number {
  return buckets * 2 * (LANES + 1) <= 0x10000 ? LANES + 1 : 1;
}

/** A histogram cell: lane, bucket and failure in one number; `buckets` is the size of the layout, which is needed for lanes but 0. */
export function cellOf(bucket: number, failed: boolean, lane = 0, buckets = 0): number {
  return (lane * buckets + bucket) * 2 + (failed ? 1 : 0);
}

/**
 * Columns with one row per (slot, series), ascending by slot then series and without duplicates. Row r owns
 * `slow[slowStart[r] .. slowStart[r + 1])`, one entry per declared threshold of its series and two per event rule, and the cells
 * `cells[cellStart[r] .. cellStart[r + 1])`, ascending, so lane by lane. Arrays may be longer than `size` says.
 */
export interface SlotDeltas {
  readonly origin: Origin;
  /** Series that appear for the first time since the previous flush. */
  readonly announced: readonly SeriesInfo[];
  readonly arrivals: readonly ServiceArrivals[];
  readonly size: number;
  readonly series: Int32Array;
  readonly slot: Int32Array;
  /** Spans, failed spans, and spans with a latency: exact integers. */
  readonly count: Uint32Array;
  readonly failed: Uint32Array;
  readonly timed: Uint32Array;
  /** The same three as sums of sampling weights. */
  readonly weight: Float64Array;
  readonly failedWeight: Float64Array;
  readonly timedWeight: Float64Array;
  /** Duration and trace (TRACE_BYTES each) of the slowest span that did not fail; 0 and all zero where none of them told its trace. */
  readonly slowestNs: Float64Array;
  readonly slowestTrace: Uint8Array;
  /** The same of the failed span that came last; -1 when it had no usable duration. */
  readonly failedNs: Float64Array;
  readonly failedTrace: Uint8Array;
  readonly slowStart: Uint32Array;
  /** Spans (and their weights) that took longer than each declared threshold; then, for each event rule, those that are valid and those that are bad. */
  readonly slow: Uint32Array;
  readonly slowWeight: Float64Array;
  readonly cellStart: Uint32Array;
  /** `cellOf(bucket, failed, lane, buckets)` and how many spans fell there, unweighted. 32 bits are for flushes whose pods have seats, not lanes. */
  readonly cells: Uint16Array | Uint32Array;
  readonly cellCounts: Uint32Array;
}
