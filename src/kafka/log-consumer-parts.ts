/** What the reader of a log asks of whoever uses it. */
import type { DurationMs } from '../model/time.ts';
import type { LogGap, LogPosition, LogRecord, TopicPartition } from './log.ts';

export interface LogConsumerOptions {
  readonly groupId: string;
  /** Names, or one pattern that whole names must match; topics that come later and match are taken up too. */
  readonly topics: readonly string[] | RegExp;
  readonly sessionTimeoutMs: DurationMs;
  /** Where to begin in a partition for which `begin` knows no position. */
  readonly from: 'earliest' | 'latest';
  readonly maxBytesPerPartition: number;
}

/** Nothing of it may throw; a promise that rejects is told of and asked again. */
export interface LogUser {
  /**
   * These partitions are ours now. Resolves with where to go on in each (absent: nobody has read it); nothing of them is taken before. Until it resolves they
   * may be lost again: `abort` fires then, and what it resolves with is ignored. Partitions that stayed ours over a rebalance are not begun again;
   * all are, after `end`, when the group had forgotten us in between: somebody else may have had them.
   */
  begin(partitions: readonly TopicPartition[], abort: AbortSignal): Promise<ReadonlyMap<string, LogPosition>>;
  /** These are ours no more, perhaps since a while: nothing more of them is taken. */
  end(partitions: readonly TopicPartition[]): void;
  /** Takes one record, in order. `full`: not now; nothing more of the partition comes until `LogConsumer.resume`, then this one again. */
  take(partition: TopicPartition, record: LogRecord): 'taken' | 'full';
  /** Some records can never be read. Told before what comes after them is taken. */
  gap(gap: LogGap): void;
}
