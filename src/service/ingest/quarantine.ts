/** Records that hold no spans: set aside with where they were and why, and told of as a gap when there are many. */
import { type LogRecord, partitionName, type TopicPartition } from '../../kafka/log.ts';
import type { OutRecord } from '../../kafka/out-record.ts';
import type { SourceGap } from '../../model/source-progress.ts';
import type { DurationMs, EpochMs } from '../../model/time.ts';

/** Of a larger record the beginning is kept. */
const MAX_KEPT_BYTES = 512 * 1024;
/** So many in a minute are a matter for whoever looks after the senders; more are missing spans, and judging is told. */
const MAX_A_MINUTE = 10;
const MINUTE_MS: DurationMs = 60_000;

/** A copy of the record, with headers that say where it was (`slipstream.topic`, `.partition`, `.offset`), its size and what is wrong. */
export function quarantined(topic: string, of: TopicPartition, record: LogRecord, reason: string): OutRecord {
  const { value, offset, timestampMs } = record;
  return {
    topic,
    partition: 0,
    key: `${partitionName(of)}/${offset}`,
    value: value === null ? null : Uint8Array.prototype.slice.call(value, 0, MAX_KEPT_BYTES),
    headers: {
      'slipstream.topic': of.topic,
      'slipstream.partition': String(of.partition),
      'slipstream.offset': String(offset),
      'slipstream.timestamp': String(timestampMs),
      'slipstream.bytes': String(value?.length ?? 0),
      'slipstream.reason': reason,
    },
  };
}

/** Counts them for one partition. */
export class PoisonWatch {
  readonly #source: string;
  #minuteAt: DurationMs = Number.NEGATIVE_INFINITY;
  #inMinute = 0;
  #untold = 0;
  #fromMs: EpochMs = Number.POSITIVE_INFINITY;
  #toMs: EpochMs = Number.NEGATIVE_INFINITY;

  constructor(source: string) {
    this.#source = source;
  }

  /** `arrivedMs` is when the record came, `monotonicMs` tells minutes apart. True for the first ones of a minute, which are worth a line of the log each. */
  note(arrivedMs: EpochMs, monotonicMs: DurationMs): boolean {
    if (monotonicMs - this.#minuteAt >= MINUTE_MS) {
      this.#minuteAt = monotonicMs;
      this.#inMinute = 0;
      this.#forget();
    }
    this.#inMinute++;
    this.#untold++;
    this.#fromMs = Math.min(this.#fromMs, arrivedMs);
    this.#toMs = Math.max(this.#toMs, arrivedMs);
    return this.#inMinute <= MAX_A_MINUTE;
  }

  /** What judging is to be told and was not yet; null: nothing. */
  takeGap(): SourceGap | null {
    if (this.#untold === 0 || this.#inMinute <= MAX_A_MINUTE) return null;
    const text = `${this.#source}: ${this.#untold} records hold no spans that can be read; they are in quarantine`;
    const gap: SourceGap = { source: this.#source, reason: 'poison', fromMs: this.#fromMs, toMs: this.#toMs, text };
    this.#forget();
    return gap;
  }

  #forget(): void {
    this.#untold = 0;
    this.#fromMs = Number.POSITIVE_INFINITY;
    this.#toMs = Number.NEGATIVE_INFINITY;
  }
}
