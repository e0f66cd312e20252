/** Hands what is in a record of Kafka to stage A as one request, and counts it as the other receivers do. */
import type { KafkaReceiverConfig } from '../../config/kafka-config.ts';
import type { LogRecord } from '../../kafka/log.ts';
import type { EpochMs } from '../../model/time.ts';
import type { Telemetry } from '../../telemetry/telemetry.ts';
import { Intake } from '../intake.ts';
import type { ConsumeOutcome, SpanEncoding } from '../receiver.ts';

/** Takes one whole request that arrived at `at`. Synchronous, does not keep `bytes`. */
export type ConsumeRecord = (encoding: SpanEncoding, bytes: Uint8Array, at: EpochMs) => ConsumeOutcome;

export interface RecordIntakeOptions {
  readonly encoding: KafkaReceiverConfig['encoding'];
  readonly maxRequestBytes: number;
  readonly telemetry: Telemetry;
  /** The wall clock. */
  now(): EpochMs;
}

export class RecordIntake {
  readonly #options: RecordIntakeOptions;
  readonly #encoding: SpanEncoding;
  readonly #intake: Intake;
  #consume: ConsumeRecord = nobody;
  #at: EpochMs = 0;

  constructor(options: RecordIntakeOptions) {
    this.#options = options;
    this.#encoding = options.encoding === 'otlp_json' ? 'json' : 'protobuf';
    this.#intake = new Intake('kafka', (encoding, bytes) => this.#consume(encoding, bytes, this.#at), options.telemetry);
  }

  /**
   * Null: it is counted, or there was nothing in it (a record without value). Else why no spans can be read from it. Spans are judged old or early by when the
   * record was made, so that a backlog counts as it would have, whenever it is read.
   */
  take({ value, timestampMs }: LogRecord, consume: ConsumeRecord): string | null {
    if (value === null) return null;
    const { maxRequestBytes, now } = this.#options;
    if (value.length > maxRequestBytes) {
      this.#intake.refused('too_large');
      return `it has ${value.length} bytes, and a request at most ${maxRequestBytes}`;
    }
    this.#consume = consume;
    this.#at = timestampMs < 0 ? now() : Math.min(timestampMs, now());
    const answer = this.#intake.take(this.#encoding, value);
    this.#consume = nobody;
    return answer.kind === 'taken' ? null : answer.message;
  }
}

function nobody(): ConsumeOutcome {
  return { kind: 'unavailable', message: 'there is nobody to take it' };
}
