/** Stage A over one stream: request bytes in, slot deltas out. Pure: time is passed in. */
import type { SeriesTable, SeriesTableOptions } from './aggregate/series-table.ts';
import type { IngestOutcome } from './ingest/ingest-outcome.ts';
import { PartitionedIngest, type PartitionIngest } from './ingest/partitioned-ingest.ts';
import type { StoredNote } from './model/checkpoint.ts';
import type { HistogramLayout } from './model/histogram-layout.ts';
import type { SeriesInfo } from './model/series.ts';
import type { SlotDeltas } from './model/slot-deltas.ts';
import type { SpanRules } from './model/span-rules.ts';
import type { EpochMs } from './model/time.ts';

export type { IngestOutcome } from './ingest/ingest-outcome.ts';

export interface IngestOptions {
  readonly rules: SpanRules;
  readonly layout: HistogramLayout;
  readonly series: SeriesTableOptions;
  /** Names this process and its life, so that no flush is counted twice. */
  readonly source: string;
  readonly epoch: string;
  /** Series of an earlier life, so that ids go on where they were. */
  readonly known?: readonly SeriesInfo[];
  /** Notes of an earlier life. */
  readonly notes?: readonly StoredNote[];
}

/** A flush is due after this many spans, however little time has passed. */
const FLUSH_SPANS = 262_144;
/** Event time between two flushes, at least: what a verdict may wait once its last span has come, and the price of a flush. */
const FLUSH_MS = 250;

export class Ingest {
  readonly #all: PartitionedIngest;
  readonly #only: PartitionIngest;
  readonly #source: string;
  readonly #epoch: string;
  #sequence = 1;
  #flushedMs: EpochMs = Number.NEGATIVE_INFINITY;

  constructor(options: IngestOptions) {
    this.#source = options.source;
    this.#epoch = options.epoch;
    this.#all = new PartitionedIngest({ ...options, flushSpans: FLUSH_SPANS, reservedSpans: FLUSH_SPANS });
    this.#only = this.#all.partition(options.source);
  }

  get table(): SeriesTable {
    return this.#all.table;
  }

  /** Spans so far by SPAN_DISPOSITIONS. */
  get dispositions(): Float64Array {
    return this.#all.dispositions;
  }

  /** Spans waiting for the next flush. */
  get pending(): number {
    return this.#only.pending;
  }

  get overflowSpans(): number {
    return this.#only.overflowSpans;
  }

  /** Counts the spans of one request, all or none. `bytes` are not kept. */
  consume(encoding: 'protobuf' | 'json', bytes: Uint8Array, now: EpochMs): IngestOutcome {
    return this.#only.consume(encoding, bytes, now);
  }

  /**
   * True when a slot of some service may be complete, as newer spans of it have come, and the last flush is not too near in event time; or when the
   * log is full. Flushing exactly then makes every decision a function of the requests in their order, whatever the clock did in between: a replay
   * decides as the live run did.
   */
  flushDue(): boolean {
    const only = this.#only;
    return only.isFull || (only.hasOpenedSlot && only.newestEndMs >= this.#flushedMs + FLUSH_MS);
  }

  /** What was counted since the last flush. Its arrays are reused by the next one. */
  flush(): SlotDeltas {
    this.#flushedMs = this.#only.newestEndMs;
    return this.#only.flush({ source: this.#source, epoch: this.#epoch, sequence: this.#sequence++ });
  }

  /** What is to be saved so that pods of these services keep their lanes over a restart; null when that is saved already. */
  unsavedPods(services: ReadonlySet<string>): StoredNote | null {
    return this.#all.unsavedPods(services);
  }

  /** Takes new span rules from the next request on. */
  reconfigure(rules: SpanRules): void {
    this.#all.reconfigure(rules);
  }
}
