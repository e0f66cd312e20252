/** Stage A over several partitions of input: one decoder and series table, an aggregator for each partition. Pure: time is passed in. */
import { SeriesTable, type SeriesTableOptions } from '../aggregate/series-table.ts';
import type { StoredNote } from '../model/checkpoint.ts';
import type { HistogramLayout } from '../model/histogram-layout.ts';
import { SPAN_DISPOSITIONS } from '../model/observation-batch.ts';
import type { SeriesInfo } from '../model/series.ts';
import type { Origin, SlotDeltas } from '../model/slot-deltas.ts';
import type { SpanRules } from '../model/span-rules.ts';
import type { EpochMs } from '../model/time.ts';
import type { IngestOutcome } from './ingest-outcome.ts';

export interface PartitionedIngestOptions {
  readonly rules: SpanRules;
  readonly layout: HistogramLayout;
  readonly series: SeriesTableOptions;
  /** Series of an earlier life, so that ids go on where they were. */
  readonly known?: readonly SeriesInfo[];
  /** Notes of an earlier life. */
  readonly notes?: readonly StoredNote[];
  /** A flush of a partition is due after so many spans. */
  readonly flushSpans?: number;
}

/** The spans of one partition, between its flushes. */
export interface PartitionIngest {
  /** Counts the spans of one request, all or none. `bytes` are not kept. */
  consume(encoding: 'protobuf' | 'json', bytes: Uint8Array, now: EpochMs): IngestOutcome;
  /** Spans waiting for the next flush. */
  readonly pending: number;
  /** A flush is due. */
  readonly isFull: boolean;
  /** What was counted since the last flush of this partition. Its arrays are reused by the next one of the same partition. */
  flush(origin: Origin): SlotDeltas;
}

export class PartitionedIngest {
  readonly table: SeriesTable;
  /** Spans so far by SPAN_DISPOSITIONS, of all partitions. */
  readonly dispositions = new Float64Array(SPAN_DISPOSITIONS.length);

  constructor(options: PartitionedIngestOptions) {
    this.table = new SeriesTable(options.series);
  }

  get overflowSpans(): number {
    return 0;
  }

  /** Made when it is asked for first. */
  partition(name: string): PartitionIngest {
    throw new RangeError(`no partition ${name}`);
  }

  /** Forgets what the partition has not flushed; asked for again it begins anew. */
  drop(_name: string): void {}

  /** Takes new span rules from the next request on. */
  reconfigure(_rules: SpanRules): void {}

  /** What is to be saved so that pods of these services keep their lanes over a restart; null when that is saved already. */
  unsavedPods(_services: ReadonlySet<string>): StoredNote | null {
    return null;
  }
}
