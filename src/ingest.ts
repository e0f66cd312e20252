/** Stage A: request bytes in, slot deltas out. Pure: time is passed in. */
import { Aggregator } from './aggregate/aggregator.ts';
import type { SavedPods } from './aggregate/release-table.ts';
import { SeriesTable, type SeriesTableOptions } from './aggregate/series-table.ts';
import { SpanDecoder } from './decode/decoder.ts';
import type { IngestOutcome } from './ingest/ingest-outcome.ts';
import type { StoredNote } from './model/checkpoint.ts';
import type { HistogramLayout } from './model/histogram-layout.ts';
import { ObservationBatch, REJECTED_DISPOSITIONS, SPAN_DISPOSITIONS } from './model/observation-batch.ts';
import type { SeriesInfo } from './model/series.ts';
import type { SlotDeltas } from './model/slot-deltas.ts';
import type { SpanRules } from './model/span-rules.ts';
import type { EpochMs, SlotIndex } from './model/time.ts';

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

/** Series without spans for this long give their places up; looked at this often, both in seconds of event time. */
const IDLE_SLOTS = 6 * 3600;
const IDLE_LOOK_SLOTS = 600;
/** A flush is due after this many spans, however little time has passed. */
const FLUSH_SPANS = 262_144;
/** Event time between two flushes, at least: what a verdict may wait once its last span has come, and the price of a flush. */
const FLUSH_MS = 250;

const REJECTED_INDEXES = REJECTED_DISPOSITIONS.map((disposition) => SPAN_DISPOSITIONS.indexOf(disposition));

const PODS_NOTE = 'pods';

export class Ingest {
  readonly table: SeriesTable;
  /** Spans so far by SPAN_DISPOSITIONS. */
  readonly dispositions = new Float64Array(SPAN_DISPOSITIONS.length);
  #decoder: SpanDecoder;
  readonly #aggregator: Aggregator;
  readonly #batch = new ObservationBatch(16_384);
  #savedPods = '';
  #flushedMs: EpochMs = Number.NEGATIVE_INFINITY;
  #idleLookSlot: SlotIndex = Number.NEGATIVE_INFINITY;

  constructor(options: IngestOptions) {
    this.table = new SeriesTable(options.series);
    if (options.known !== undefined) this.table.restore(options.known);
    const pods = options.notes?.find(({ key }) => key === PODS_NOTE);
    if (pods !== undefined) this.table.restorePods(JSON.parse(pods.json) as SavedPods);
    this.#decoder = new SpanDecoder(options.rules, this.table);
    this.#aggregator = new Aggregator(this.table, options.layout, {
      source: options.source,
      epoch: options.epoch,
      capacity: FLUSH_SPANS,
    });
  }

  /** Spans waiting for the next flush. */
  get pending(): number {
    return this.#aggregator.pending;
  }

  get overflowSpans(): number {
    return this.#aggregator.overflowSpans;
  }

  /** Counts the spans of one request, all or none. `bytes` are not kept. */
  consume(encoding: 'protobuf' | 'json', bytes: Uint8Array, now: EpochMs): IngestOutcome {
    const batch = this.#batch;
    const error = this.#decoder.decode(encoding, bytes, now, batch);
    if (error !== null) return { kind: 'malformed', message: `${error.field} at byte ${error.offset}: ${error.message}` };
    this.#aggregator.append(batch);
    batch.forgetTraces();
    let total = 0;
    let rejected = 0;
    for (let i = 0; i < batch.dispositions.length; i++) {
      const spans = batch.dispositions[i] as number;
      this.dispositions[i] = (this.dispositions[i] as number) + spans;
      if (i < FIRST_DOUBLE_COUNTED || i === OVER_LIMIT) total += spans;
      if (REJECTED_INDEXES.includes(i)) rejected += spans;
    }
    return { kind: 'accepted', accepted: total - rejected, rejected, message: this.#remark(rejected) };
  }

  /**
   * True when a slot of some service may be complete, as newer spans of it have come, and the last flush is not too near in event time; or when the
   * log is full. Flushing exactly then makes every decision a function of the requests in their order, whatever the clock did in between: a replay
   * decides as the live run did.
   */
  flushDue(): boolean {
    const aggregator = this.#aggregator;
    return aggregator.isFull || (aggregator.hasOpenedSlot && aggregator.newestEndMs >= this.#flushedMs + FLUSH_MS);
  }

  /** What was counted since the last flush. Its arrays are reused by the next one. */
  flush(): SlotDeltas {
    const newest = this.#aggregator.newestSlot;
    this.#flushedMs = this.#aggregator.newestEndMs;
    const deltas = this.#aggregator.flush();
    if (newest >= this.#idleLookSlot + IDLE_LOOK_SLOTS) {
      this.#idleLookSlot = newest;
      this.#aggregator.retireIdle(newest - IDLE_SLOTS);
    }
    return deltas;
  }

  /** What is to be saved so that pods of these services keep their lanes over a restart; null when that is saved already. */
  unsavedPods(services: ReadonlySet<string>): StoredNote | null {
    const state = JSON.stringify([this.table.podChanges, [...services].sort()]);
    if (state === this.#savedPods) return null;
    this.#savedPods = state;
    return { key: PODS_NOTE, json: JSON.stringify(this.table.savedPods(services)) };
  }

  /** Takes new span rules from the next request on. */
  reconfigure(rules: SpanRules): void {
    this.#decoder = new SpanDecoder(rules, this.table);
  }

  /** What the sender should know although the request was taken; it reaches its logs as a partial success. */
  #remark(rejected: number): string {
    const remarks: string[] = [];
    if (rejected > 0) {
      const { dispositions } = this.#batch;
      const parts = REJECTED_INDEXES.filter((i) => (dispositions[i] as number) > 0).map(
        (i) => `${dispositions[i]} ${(SPAN_DISPOSITIONS[i] as string).replaceAll('_', ' ')}`,
      );
      remarks.push(`spans not counted: ${parts.join(', ')}`);
    }
    const nameless = this.#decoder.missingServiceName;
    if (nameless > 0) remarks.push(`${nameless} spans without service.name, counted as unknown_service`);
    return remarks.join('; ');
  }
}

/** Dispositions from here on (but `over_limit`) are rows as well and already counted as `counted`. */
const FIRST_DOUBLE_COUNTED = SPAN_DISPOSITIONS.indexOf('negative_duration');
const OVER_LIMIT = SPAN_DISPOSITIONS.indexOf('over_limit');
