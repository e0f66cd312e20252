/** The words of a log: its partitions, where one stands in them, and what can be wrong with that. */
import type { EpochMs } from '../model/time.ts';

export interface TopicPartition {
  readonly topic: string;
  readonly partition: number;
}

/** `topic/partition`: the key of a partition in maps, notes, metrics and messages. */
export function partitionName({ topic, partition }: TopicPartition): string {
  return `${topic}/${partition}`;
}

/** Where to go on: everything before `offset` is done. */
export interface LogPosition {
  readonly offset: number;
  /** The last record before it, by which a topic that was deleted and made again is told; null: nothing was read yet. */
  readonly anchor: { readonly offset: number; readonly timestampMs: EpochMs } | null;
}

/** One record. Its buffers are slices of what was fetched: who keeps one copies it. */
export interface LogRecord {
  readonly offset: number;
  /** When it was made or appended, as the topic has it; not above the wall clock. -1: unknown. */
  readonly timestampMs: EpochMs;
  readonly key: Uint8Array | null;
  readonly value: Uint8Array | null;
  readonly headers: Readonly<Record<string, Uint8Array>>;
}

/**
 * Records in [from, to) that were never read and never will be. `retention`: deleted before we came; `recreated`: the log is another one now, of which
 * [from, to) of the old one is lost (as far as is known); `truncated`: the log ends before where we stood, so what we counted of its end may come again.
 */
export interface LogGap extends TopicPartition {
  readonly reason: 'retention' | 'recreated' | 'truncated';
  readonly from: number;
  readonly to: number;
  /** Times of the last record read before it and of the first one after it; null: unknown. */
  readonly fromMs: EpochMs | null;
  readonly toMs: EpochMs | null;
}

/** How far a partition is read. */
export interface PartitionStatus extends TopicPartition {
  /** Everything before it was taken, or told of as a gap. */
  readonly position: number;
  /** Offset of the next record to be written, when it was last looked at; null: not yet. */
  readonly end: number | null;
  /** What is left to be read up to `end`, control records included; null: unknown. */
  readonly lag: number | null;
  /** Everything that was in the log by this time has been taken; -Infinity: unknown. Never above the wall clock; never goes back while assigned. */
  readonly completeUntilMs: EpochMs;
  /** Since when its leader did not answer (monotonic clock); null: it does. */
  readonly deafSinceMs: number | null;
}
