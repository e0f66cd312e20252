/** State as the latest row of each key in one partition of a compacted topic: read back whole, then written by one owner alone. */
import type { Kafka } from 'kafkajs';
import { RetryableError } from '../model/errors.ts';
import type { Telemetry } from '../telemetry/telemetry.ts';
import type { ChangelogLog, ChangelogRow } from './changelog-row.ts';
import type { TopicPartition } from './log.ts';

export interface ChangelogParts extends TopicPartition {
  readonly client: Kafka;
  /** One per partition: who claims it last owns the state. */
  readonly transactionalId: string;
  readonly telemetry: Telemetry;
  /** False once the partition may have another owner, as far as the group told: then nothing is claimed again. */
  mayStillOwn(): boolean;
  /** Ends the reading, and all trying again. */
  readonly abort: AbortSignal;
}

/**
 * Claims the partition, hands every row that is in it to `take`, in order, and resolves with what writes on. A later row of a key replaces the earlier
 * one; a null value deletes it. Throws PermanentError when the log was written by a newer program or is not a whole one of ours.
 */
export async function openChangelog({ topic, partition }: ChangelogParts, _take: (row: ChangelogRow) => void): Promise<ChangelogLog> {
  throw new RetryableError('kafka', `opening the state in ${topic}/${partition}: not there yet`);
}
