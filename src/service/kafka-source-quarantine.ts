/** Records that hold no spans that can be read: remembered, counted and logged, and where there are many judging is told. */
import type { LogRecord, TopicPartition } from '../kafka/log.ts';
import { partitionName } from '../kafka/log.ts';
import type { StoredNote } from '../model/checkpoint.ts';
import type { SourceGap } from '../model/source-progress.ts';
import type { EpochMs } from '../model/time.ts';
import type { Telemetry } from '../telemetry/telemetry.ts';
import type { Clock } from './clock.ts';
import { PoisonWatch } from './ingest/quarantine.ts';

const NOTE = 'kafka-quarantine';
/** The newest so many are remembered. */
const MAX_REMEMBERED = 100;
const MAX_REASON_CHARS = 300;

export interface QuarantinedRecord extends TopicPartition {
  readonly offset: number;
  readonly timestampMs: EpochMs;
  readonly reason: string;
}

export class Quarantine {
  readonly #telemetry: Telemetry;
  readonly #clock: Clock;
  readonly #watches = new Map<string, PoisonWatch>();
  #records: readonly QuarantinedRecord[];
  #isSaved = true;

  constructor(telemetry: Telemetry, clock: Clock, notes: readonly StoredNote[]) {
    this.#telemetry = telemetry;
    this.#clock = clock;
    const note = notes.find(({ key }) => key === NOTE);
    this.#records = note === undefined ? [] : (JSON.parse(note.json) as QuarantinedRecord[]);
  }

  /** Newest last. */
  get records(): readonly QuarantinedRecord[] {
    return this.#records;
  }

  /** What judging is to be told of it; null: nothing. */
  add({ topic, partition }: TopicPartition, { offset, timestampMs }: LogRecord, reason: string): SourceGap | null {
    const record = { topic, partition, offset, timestampMs, reason: reason.slice(0, MAX_REASON_CHARS) };
    const source = partitionName(record);
    this.#records = [...this.#records, record].slice(-MAX_REMEMBERED);
    this.#isSaved = false;
    this.#telemetry.add('ingest_quarantined_records_total', 1);
    const watch = this.#watches.get(source) ?? new PoisonWatch(source);
    this.#watches.set(source, watch);
    const isTold = watch.note(timestampMs < 0 ? this.#clock.now() : timestampMs, this.#clock.monotonicMs());
    if (isTold) this.#telemetry.log.warn(record, 'a record holds no spans that can be read; it is left out');
    return watch.takeGap();
  }

  /** To be saved with the positions behind these records; empty when it is saved already. */
  notes(): readonly StoredNote[] {
    if (this.#isSaved) return [];
    this.#isSaved = true;
    return [{ key: NOTE, json: JSON.stringify(this.#records) }];
  }
}
