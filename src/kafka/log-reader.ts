/** Reads partitions from their start to where they end now, and tells where they start and end and what a group has done of them. */
import { randomUUID } from 'node:crypto';
import type { Consumer, EachBatchPayload, Kafka } from 'kafkajs';
import { PermanentError, RetryableError } from '../model/errors.ts';
import type { Telemetry } from '../telemetry/telemetry.ts';
import { committedPosition } from './committed-offset.ts';
import { kafkaReason } from './kafka-errors.ts';
import { type LogPosition, partitionName, type TopicPartition } from './log.ts';
import { type Bounds, only, Reading, type Take, topicsOf } from './log-reader-parts.ts';
import { within } from './time-limit.ts';
import { withAdmin } from './with-admin.ts';

export interface LogReaderParts {
  readonly client: Kafka;
  readonly telemetry: Telemetry;
}

const STALL_LIMIT_MS = 60_000;
const CLOSE_LIMIT_MS = 5_000;
const GROUP_PREFIX = 'slipstream-read-';
const FETCH_WAIT_MS = 100;
const MAX_BYTES_PER_PARTITION = 4 * 1024 * 1024;
const RECORDS_PER_HEARTBEAT = 1000;
/** About ten seconds; who reads begins again after that. */
const RETRY = { initialRetryTime: 50, maxRetryTime: 1000, retries: 12 } as const;

/**
 * Committed records alone, in order within a partition, each once; resolves when each partition is read up to its end as of the call, which is where
 * `logBounds` says: who has to see all that a writer has committed claims its transactional id first. Rejects with the reason of `abort`, with what `take`
 * throws, with a PermanentError when a partition does not exist, or with a RetryableError when there is no way on for a minute: then some records were
 * taken, and reading begins at the start again.
 */
export async function readToEnd(
  parts: LogReaderParts,
  partitions: readonly TopicPartition[],
  take: Take,
  abort: AbortSignal,
): Promise<void> {
  abort.throwIfAborted();
  const reading = new Reading(await logBounds(parts.client, partitions), partitions, take);
  abort.throwIfAborted();
  if (reading.isDone) return;
  const groupId = `${GROUP_PREFIX}${randomUUID()}`;
  const consumer = parts.client.consumer({
    groupId,
    partitionAssigners: [only(partitions)],
    maxWaitTimeInMs: FETCH_WAIT_MS,
    maxBytesPerPartition: MAX_BYTES_PER_PARTITION,
    allowAutoTopicCreation: false,
    retry: RETRY,
  });
  try {
    await readAll(consumer, reading, abort);
  } finally {
    await forget(parts, consumer, groupId);
  }
}

/** By `partitionName`; a partition is absent when the group never committed there. */
export async function committedPositions(
  client: Kafka,
  groupId: string,
  partitions: readonly TopicPartition[],
): Promise<ReadonlyMap<string, LogPosition>> {
  const wanted = new Set(partitions.map(partitionName));
  const positions = new Map<string, LogPosition>();
  if (wanted.size === 0) return positions;
  const topics = await withAdmin(client, `reading the positions of the group ${groupId}`, (admin) =>
    admin.fetchOffsets({ groupId, topics: topicsOf(partitions) }),
  );
  for (const { topic, partitions: ofTopic } of topics) {
    for (const { partition, offset, metadata } of ofTopic) {
      const name = partitionName({ topic, partition });
      const position = committedPosition(offset, metadata);
      if (wanted.has(name) && position !== null) positions.set(name, position);
    }
  }
  return positions;
}

/**
 * By `partitionName`: the first offset that is there, and the end for readers of committed records: the offset of the next record to be written, or of the
 * first one of the oldest transaction that is open now or whose commit is yet to be marked. PermanentError: no such partition.
 */
export async function logBounds(client: Kafka, partitions: readonly TopicPartition[]): Promise<Bounds> {
  const topics = topicsOf(partitions);
  const asking = `reading the ends of ${topics.join(', ')}`;
  const found = await withAdmin(client, asking, (admin) =>
    Promise.all(topics.map(async (topic) => ({ topic, offsets: await admin.fetchTopicOffsets(topic) }))),
  );
  const all = new Map(
    found.flatMap(({ topic, offsets }) =>
      offsets.map(({ partition, low, high }) => [partitionName({ topic, partition }), { start: Number(low), end: Number(high) }] as const),
    ),
  );
  return new Map(
    partitions.map((of) => {
      const name = partitionName(of);
      const bounds = all.get(name);
      if (bounds === undefined) throw new PermanentError('kafka_no_partition', `${asking}: there is no partition ${name}`);
      return [name, bounds];
    }),
  );
}

async function readAll(consumer: Consumer, reading: Reading, abort: AbortSignal): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const failed = (cause: unknown): void => {
    const message = `reading ${reading.place}: ${kafkaReason(cause)}`;
    reject(new RetryableError('kafka_not_read', message, { cause }));
  };
  const aborted = (): void => reject(abort.reason);
  abort.addEventListener('abort', aborted, { once: true });
  let before = -1;
  const watch = setInterval(() => {
    if (reading.progress === before) failed(new Error(`no way on for ${STALL_LIMIT_MS / 1000} s`));
    before = reading.progress;
  }, STALL_LIMIT_MS);
  let isOver = false;
  const eachBatch = async ({ batch, heartbeat }: EachBatchPayload): Promise<void> => {
    const { topic, partition, messages } = batch;
    for (const [index, message] of messages.entries()) {
      if (isOver) return;
      try {
        reading.record({ topic, partition }, message);
      } catch (error) {
        reject(error);
        return;
      }
      if (index % RECORDS_PER_HEARTBEAT === RECORDS_PER_HEARTBEAT - 1) await heartbeat();
    }
  };
  // Told also of batches of nothing but aborted records and markers, which `eachBatch` never sees.
  consumer.on(consumer.events.END_BATCH_PROCESS, ({ payload: { topic, partition, lastOffset } }) => {
    if (isOver) return;
    if (reading.passed({ topic, partition }, Number(lastOffset))) consumer.pause([{ topic, partitions: [partition] }]);
    if (reading.isDone) resolve();
  });
  // A group that its broker is still loading, for one, crashes it; it begins again by itself.
  consumer.on(consumer.events.CRASH, ({ payload: { error, restart } }) => {
    if (!restart) failed(error);
  });
  const run = async (): Promise<void> => {
    await consumer.connect();
    await consumer.subscribe({ topics: reading.topics, fromBeginning: true });
    await consumer.run({ autoCommit: false, eachBatch });
  };
  run().catch(failed);
  try {
    await promise;
  } finally {
    isOver = true;
    clearInterval(watch);
    abort.removeEventListener('abort', aborted);
  }
}

/** The broker forgets a group without members or offsets by itself, but later. */
async function forget({ client, telemetry }: LogReaderParts, consumer: Consumer, groupId: string): Promise<void> {
  try {
    await within(consumer.disconnect(), CLOSE_LIMIT_MS);
    await withAdmin(client, `forgetting the group ${groupId}`, (admin) => admin.deleteGroups([groupId]), CLOSE_LIMIT_MS);
  } catch (error) {
    telemetry.log.debug({ groupId, error: kafkaReason(error) }, 'a group for reading was left behind');
  }
}
