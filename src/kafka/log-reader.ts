/** Reads partitions from their start to where they end now, and tells where they start and end and what a group has done of them. */
import type { Kafka } from 'kafkajs';
import { RetryableError } from '../model/errors.ts';
import type { Telemetry } from '../telemetry/telemetry.ts';
import type { LogPosition, LogRecord, TopicPartition } from './log.ts';

export interface LogReaderParts {
  readonly client: Kafka;
  readonly telemetry: Telemetry;
}

/** Committed records alone, in order within a partition; resolves when each partition is read up to its end as of the call. */
export async function readToEnd(
  _parts: LogReaderParts,
  partitions: readonly TopicPartition[],
  _take: (of: TopicPartition, record: LogRecord) => void,
  _abort: AbortSignal,
): Promise<void> {
  throw new RetryableError('kafka', `reading ${partitions.length} partitions: not there yet`);
}

/** By `partitionName`; a partition is absent when the group never committed there. */
export async function committedPositions(
  _client: Kafka,
  groupId: string,
  _partitions: readonly TopicPartition[],
): Promise<ReadonlyMap<string, LogPosition>> {
  throw new RetryableError('kafka', `reading the positions of ${groupId}: not there yet`);
}

/** By `partitionName`: the first offset that is there, and the offset of the next record to be written. */
export async function logBounds(
  _client: Kafka,
  partitions: readonly TopicPartition[],
): Promise<ReadonlyMap<string, { readonly start: number; readonly end: number }>> {
  throw new RetryableError('kafka', `reading the ends of ${partitions.length} partitions: not there yet`);
}
