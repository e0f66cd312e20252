/** Sees to it that the topics that members share are there, and are what is expected of them. */
import type { Kafka } from 'kafkajs';
import { PermanentError } from '../model/errors.ts';
import type { DurationMs } from '../model/time.ts';

export interface WantedTopic {
  readonly name: string;
  readonly partitions: number;
  readonly compacted: boolean;
  /** Absent: as the broker has it. Only for a topic that is created. */
  readonly retentionMs?: DurationMs;
}

export interface TopicOptions {
  /** Missing topics are created. */
  readonly create: boolean;
  /** -1: as the broker has it. */
  readonly replicationFactor: number;
}

/** Partition counts by name. Throws a PermanentError that names all that is wrong. */
export async function ensureTopics(
  _client: Kafka,
  wanted: readonly WantedTopic[],
  _options: TopicOptions,
): Promise<ReadonlyMap<string, number>> {
  throw new PermanentError('topics', `looking at ${wanted.length} topics: not there yet`);
}
