/** Stage A over several partitions of input: one decoder and series table, an aggregator for each partition. Pure: time is passed in. */
import { Aggregator, AggregatorShare } from '../aggregate/aggregator.ts';
import type { SavedPods } from '../aggregate/release-table.ts';
import { SeriesTable, type SeriesTableOptions } from '../aggregate/series-table.ts';
import type { StoredNote } from '../model/checkpoint.ts';
import type { HistogramLayout } from '../model/histogram-layout.ts';
import type { PodNumbering } from '../model/pod-lanes.ts';
import type { SeriesInfo } from '../model/series.ts';
import type { Origin, SlotDeltas } from '../model/slot-deltas.ts';
import type { SpanRules } from '../model/span-rules.ts';
import type { EpochMs, SlotIndex } from '../model/time.ts';
import type { IngestOutcome } from './ingest-outcome.ts';
import { RequestReader } from './request-reader.ts';

export interface PartitionedIngestOptions {
  readonly rules: SpanRules;
  readonly layout: HistogramLayout;
  readonly series: SeriesTableOptions;
  /** `lanes` (default) where this process judges; `seats` where flushes are encoded for another one, which gives the pods of all members their lanes. */
  readonly pods?: PodNumbering;
  /** Series of an earlier life, so that ids go on where they were. */
  readonly known?: readonly SeriesInfo[];
  /** Notes of an earlier life. */
  readonly notes?: readonly StoredNote[];
  /** A flush of a partition is due after so many spans. */
  readonly flushSpans?: number;
  /** Spans that a partition has room for before its memory grows. */
  readonly reservedSpans?: number;
}

export interface FlushNames {
  readonly layout: HistogramLayout;
  /** Throws RangeError for an id never given. */
  info(id: number): SeriesInfo;
  /** See `SeriesTable.podsOf`. */
  podsOf(id: number): readonly number[] | null;
}

/** Series without spans for this long give their places up; looked at this often, both in seconds of event time. */
const IDLE_SLOTS = 6 * 3600;
const IDLE_LOOK_SLOTS = 600;
/** A partition that had spans since so many looks holds series back from being idle: it may be far behind the others. */
const BUSY_LOOKS = IDLE_SLOTS / IDLE_LOOK_SLOTS;

/** About 5 MB for a partition that is full. */
const FLUSH_SPANS = 65_536;
const RESERVED_SPANS = 1024;

const PODS_NOTE = 'pods';

/** The spans of one partition, between its flushes. */
export class PartitionIngest {
  readonly #requests: RequestReader;
  readonly #aggregator: Aggregator;
  readonly #flushed: (partition: PartitionIngest) => void;
  /** Number of the look at idle series before its last flush with spans. */
  busyAtLook = 0;

  constructor(requests: RequestReader, aggregator: Aggregator, flushed: (partition: PartitionIngest) => void) {
    this.#requests = requests;
    this.#aggregator = aggregator;
    this.#flushed = flushed;
  }

  /** Spans waiting for the next flush. */
  get pending(): number {
    return this.#aggregator.pending;
  }

  /** So many spans wait that a flush is due. */
  get isFull(): boolean {
    return this.#aggregator.isFull;
  }

  /** Since the last flush spans of some service entered a slot that is new to the service in this partition. */
  get hasOpenedSlot(): boolean {
    return this.#aggregator.hasOpenedSlot;
  }

  /** Newest end time of any span of the partition so far; -Infinity before the first. */
  get newestEndMs(): EpochMs {
    return this.#aggregator.newestEndMs;
  }

  get newestSlot(): SlotIndex {
    return this.#aggregator.newestSlot;
  }

  /** Spans counted in overflow series, as of the last flush. */
  get overflowSpans(): number {
    return this.#aggregator.overflowSpans;
  }

  /** Counts the spans of one request, all or none. `bytes` are not kept. */
  consume(encoding: 'protobuf' | 'json', bytes: Uint8Array, now: EpochMs): IngestOutcome {
    return this.#requests.read(encoding, bytes, now, this.#aggregator);
  }

  /** What was counted since the last flush of this partition. Its arrays are reused by the next one of the same partition. */
  flush(origin: Origin): SlotDeltas {
    const deltas = this.#aggregator.flush(origin);
    if (deltas.size > 0) this.#flushed(this);
    return deltas;
  }
}

export class PartitionedIngest {
  readonly table: SeriesTable;
  /** What the numbers of flushes stand for, for who encodes them. */
  readonly names: FlushNames;
  readonly #options: PartitionedIngestOptions;
  readonly #requests: RequestReader;
  readonly #share: AggregatorShare;
  readonly #partitions = new Map<string, PartitionIngest>();
  #droppedOverflow = 0;
  #savedPods = '';
  #newestSlot: SlotIndex = Number.NEGATIVE_INFINITY;
  #lookSlot: SlotIndex = Number.NEGATIVE_INFINITY;
  #look = 0;

  constructor(options: PartitionedIngestOptions) {
    this.#options = options;
    this.table = new SeriesTable(options.series, options.pods);
    const { table } = this;
    this.names = { layout: options.layout, info: (id) => table.info(id), podsOf: (id) => table.podsOf(id) };
    if (options.known !== undefined) this.table.restore(options.known);
    const pods = options.notes?.find(({ key }) => key === PODS_NOTE);
    if (pods !== undefined) this.table.restorePods(JSON.parse(pods.json) as SavedPods);
    this.#requests = new RequestReader(options.rules, this.table);
    this.#share = new AggregatorShare(this.table, options.layout);
  }

  /** Spans so far by SPAN_DISPOSITIONS, of all partitions. */
  get dispositions(): Float64Array {
    return this.#requests.dispositions;
  }

  /** Spans counted in overflow series, as of the last flushes. */
  get overflowSpans(): number {
    let spans = this.#droppedOverflow;
    for (const partition of this.#partitions.values()) spans += partition.overflowSpans;
    return spans;
  }

  /** Made when it is asked for first. */
  partition(name: string): PartitionIngest {
    const known = this.#partitions.get(name);
    if (known !== undefined) return known;
    const { layout, flushSpans = FLUSH_SPANS, reservedSpans = RESERVED_SPANS } = this.#options;
    const aggregator = new Aggregator(this.table, layout, {
      source: name,
      epoch: '',
      capacity: flushSpans,
      reserved: reservedSpans,
      shared: this.#share,
    });
    const partition = new PartitionIngest(this.#requests, aggregator, (flushed) => this.#noteFlush(flushed));
    this.#partitions.set(name, partition);
    return partition;
  }

  /** Forgets what the partition has not flushed; asked for again it begins anew. */
  drop(name: string): void {
    this.#droppedOverflow += this.#partitions.get(name)?.overflowSpans ?? 0;
    this.#partitions.delete(name);
  }

  /** Takes new span rules from the next request on. */
  reconfigure(rules: SpanRules): void {
    this.#requests.reconfigure(rules);
  }

  /** What is to be saved so that pods of these services keep their lanes over a restart; null when that is saved already. */
  unsavedPods(services: ReadonlySet<string>): StoredNote | null {
    const state = JSON.stringify([this.table.podChanges, [...services].sort()]);
    if (state === this.#savedPods) return null;
    this.#savedPods = state;
    return { key: PODS_NOTE, json: JSON.stringify(this.table.savedPods(services)) };
  }

  /**
   * Now and then, looks for idle series. Partitions may be hours apart while one catches up: what the hindmost of those with spans of late had in its
   * own last hours is not idle.
   */
  #noteFlush(partition: PartitionIngest): void {
    const { newestSlot } = partition;
    partition.busyAtLook = this.#look;
    this.#newestSlot = Math.max(this.#newestSlot, newestSlot);
    if (this.#newestSlot < this.#lookSlot + IDLE_LOOK_SLOTS) return;
    this.#lookSlot = this.#newestSlot;
    let hindmost = this.#newestSlot;
    for (const other of this.#partitions.values()) {
      const isBusy = other.pending > 0 || this.#look - other.busyAtLook <= BUSY_LOOKS;
      if (isBusy && other.newestSlot < hindmost) hindmost = other.newestSlot;
    }
    this.#look++;
    const { podChanges } = this.table;
    this.#share.use.retireIdle(hindmost - IDLE_SLOTS, this.#newestSlot);
    // Resources that the decoder remembers would go on with seats that are others' now.
    if (this.table.pods === 'seats' && this.table.podChanges !== podChanges) this.#requests.forgetResources();
  }
}
