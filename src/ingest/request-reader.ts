/** Decodes requests of spans into the aggregator of whoever they are for, and says what became of them. */
import type { Aggregator } from '../aggregate/aggregator.ts';
import type { SeriesTable } from '../aggregate/series-table.ts';
import { SpanDecoder } from '../decode/decoder.ts';
import { ObservationBatch, REJECTED_DISPOSITIONS, SPAN_DISPOSITIONS } from '../model/observation-batch.ts';
import type { SpanRules } from '../model/span-rules.ts';
import type { EpochMs } from '../model/time.ts';
import type { IngestOutcome } from './ingest-outcome.ts';

const REJECTED_INDEXES = REJECTED_DISPOSITIONS.map((disposition) => SPAN_DISPOSITIONS.indexOf(disposition));
/** Dispositions from here on (but `over_limit`) are rows as well and already counted as `counted`. */
const FIRST_DOUBLE_COUNTED = SPAN_DISPOSITIONS.indexOf('negative_duration');
const OVER_LIMIT = SPAN_DISPOSITIONS.indexOf('over_limit');

export class RequestReader {
  /** Spans so far by SPAN_DISPOSITIONS. */
  readonly dispositions = new Float64Array(SPAN_DISPOSITIONS.length);
  readonly #table: SeriesTable;
  readonly #batch = new ObservationBatch(16_384);
  #rules: SpanRules;
  #decoder: SpanDecoder;

  constructor(rules: SpanRules, table: SeriesTable) {
    this.#rules = rules;
    this.#table = table;
    this.#decoder = new SpanDecoder(rules, table);
  }

  /** Takes new span rules from the next request on. */
  reconfigure(rules: SpanRules): void {
    this.#rules = rules;
    this.forgetResources();
  }

  /** Resources, and the seats of their pods, are looked up anew. */
  forgetResources(): void {
    this.#decoder = new SpanDecoder(this.#rules, this.#table);
  }

  /** Counts the spans of one request, all or none. `bytes` are not kept. */
  read(encoding: 'protobuf' | 'json', bytes: Uint8Array, now: EpochMs, into: Aggregator): IngestOutcome {
    const batch = this.#batch;
    const error = this.#decoder.decode(encoding, bytes, now, batch);
    if (error !== null) return { kind: 'malformed', message: `${error.field} at byte ${error.offset}: ${error.message}` };
    into.append(batch);
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
