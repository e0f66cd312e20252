/** The control topic: what all members must know of each other, in one order for all. */
import type { kafkaClient } from '../../kafka/kafka-client.ts';
import type { DurationMs } from '../../model/time.ts';
import type { Telemetry } from '../../telemetry/telemetry.ts';
import type { Clock } from '../clock.ts';
import type { ControlFact, ControlForgotten, ControlRecord } from './control-record.ts';

export interface ControlLogParts {
  /** Of its own, with `BRIEF` retries: what waits for an answer has an end. */
  readonly client: ReturnType<typeof kafkaClient>;
  readonly topic: string;
  /** Unique to this process and this life of it: it names the group that tails the topic. */
  readonly member: string;
  readonly sessionTimeoutMs: DurationMs;
  readonly telemetry: Telemetry;
  readonly clock: Clock;
  /** Sees every record, in order, those of this member too. */
  take(record: ControlRecord | ControlForgotten): void;
}

export class ControlLog {
  readonly #parts: ControlLogParts;

  constructor(parts: ControlLogParts) {
    this.#parts = parts;
  }

  /** Resolves once all that was in the topic has been read. */
  async start(_waitMs?: DurationMs): Promise<void> {}

  /** True while it follows the topic: what it has read is at most seconds old. */
  isLive(): boolean {
    return false;
  }

  /** Writes one fact; resolves with its offset once it is in the topic and has been read back here. RetryableError when that takes too long. */
  async append(fact: ControlFact): Promise<number> {
    throw new Error(`${this.#parts.topic}: ${fact.kind}`);
  }

  /** Says that a partition is this member's, whose API is reached at `url`. Resolves with the epoch of the claim. */
  claim(partition: number, url: string): Promise<number> {
    return this.append({ kind: 'owner', partition, member: this.#parts.member, url });
  }

  /** Takes facts away. Never throws: what is not taken away now can be later. */
  async forget(_keys: readonly string[]): Promise<void> {}

  /** Also deletes the group. Never hangs. */
  async stop(): Promise<void> {}
}
