/** What is written to a log. */
import type { LogPosition, TopicPartition } from './log.ts';

export interface OutRecord extends TopicPartition {
  readonly key: string | null;
  /** Null deletes the key from a compacted topic. */
  readonly value: Uint8Array | null;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Positions that are committed together with records; the anchor travels in the offset's metadata. */
export interface OffsetsOfGroup {
  readonly groupId: string;
  readonly positions: readonly (TopicPartition & { readonly position: LogPosition })[];
}
