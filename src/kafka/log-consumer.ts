/** Reads the partitions of a group, each in order and without a silent jump, and says how far. */
import type { Kafka } from 'kafkajs';
import type { EpochMs } from '../model/time.ts';
import type { Telemetry } from '../telemetry/telemetry.ts';
import type { LogPosition, PartitionStatus, TopicPartition } from './log.ts';
import type { LogConsumerOptions, LogUser } from './log-consumer-parts.ts';

export interface LogConsumerParts {
  readonly client: Kafka;
  readonly telemetry: Telemetry;
  readonly options: LogConsumerOptions;
  readonly user: LogUser;
  /** The wall clock. */
  now(): EpochMs;
  /** A clock that never steps back. */
  monotonicMs(): number;
}

export class LogConsumer {
  readonly parts: LogConsumerParts;

  constructor(parts: LogConsumerParts) {
    this.parts = parts;
  }

  async start(): Promise<void> {}

  async stop(): Promise<void> {}

  /** The partition may be read again after its user said `full`. */
  resume(_of: TopicPartition): void {}

  /** Goes on at this position, wherever it was. */
  seek(_of: TopicPartition, _position: LogPosition): void {}

  /** Of the partitions that are ours. */
  statuses(): readonly PartitionStatus[] {
    return [];
  }

  /** All partitions of all topics as `topic/partition`, whoever reads them; empty: not known yet. */
  expected(): readonly string[] {
    return [];
  }

  /** The group answered within the session timeout. */
  isLive(): boolean {
    return false;
  }

  /** For tools that show lag: what is committed here is never read by us. Never throws. */
  async commit(_positions: ReadonlyMap<string, LogPosition>): Promise<void> {}
}
