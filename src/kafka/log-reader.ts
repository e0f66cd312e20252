/** Reads partitions from their start to where they end now, and tells where they start and end and what a group has done of them. */
import { randomUUID } from 'node:crypto';
import kafkajs, { type Consumer, type EachBatchPayload, type Kafka, type KafkaMessage, type PartitionAssigner } from 'kafkajs';
import { PermanentError, RetryableError } from '../model/errors.ts';
import type { Telemetry } from '../telemetry/telemetry.ts';
import { committedPosition } from './committed-offset.ts';
import { kafkaReason } from './kafka-errors.ts';
import { type LogPosition, type LogRecord, partitionName, type TopicPartition } from './log.ts';
import { within } from './time-limit.ts';
import { withAdmin } from './with-admin.ts';

const { AssignerProtocol } = kafkajs;

export interface LogReaderParts {
  readonly client: Kafka;
  readonly telemetry: Telemetry;
}

type Take = (of: TopicPartition, record: LogRecord) => void;
type Bounds = ReadonlyMap<string, { readonly start: number; readonly end: number }>;

/** An open transaction holds up the reading of what comes after it, at most as long as the brokers let one be open: for our own writers 60 s. */
const STALL_LIMIT_MS = 90_000;
const CLOSE_LIMIT_MS = 5_000;
const GROUP_PREFIX = 'slipstream-read-';
const FETCH_WAIT_MS = 100;
const MAX_BYTES_PER_PARTITION = 4 * 1024 * 1024;
const RECORDS_PER_HEARTBEAT = 1000;
/** About ten seconds; who reads begins again after that. */
const RETRY = { initialRetryTime: 50, maxRetryTime: 1000, retries: 12 } as const;

/**
 * Committed records alone, in order within a partition, each once; resolves when each partition is read up to its end as of the call. Rejects with the reason
 * of `abort`, with what `take` throws, with a PermanentError when a partition does not exist, or with a RetryableError when there is no way on for 90 s: then
 * some records were taken, and reading begins at the start again.
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

/** By `partitionName`: the first offset that is there, and the offset of the next record to be written. PermanentError: no such partition. */
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

function topicsOf(partitions: readonly TopicPartition[]): string[] {
  return [...new Set(partitions.map(({ topic }) => topic))];
}

/** How far each partition is read. */
class Reading {
  readonly topics: string[];
  readonly #take: Take;
  readonly #left = new Map<string, { next: number; readonly end: number }>();
  /** Counts up with every step forward. */
  progress = 0;

  constructor(bounds: Bounds, partitions: readonly TopicPartition[], take: Take) {
    this.#take = take;
    for (const [name, { start, end }] of bounds) if (start < end) this.#left.set(name, { next: start, end });
    this.topics = topicsOf(partitions.filter((of) => this.#left.has(partitionName(of))));
  }

  get isDone(): boolean {
    return this.#left.size === 0;
  }

  /** Where it stands, for people. */
  get place(): string {
    return [...this.#left].slice(0, 3).map(([name, { next, end }]) => `${name} at ${next} of ${end}`).join(', '); // biome-ignore format: one thing
  }

  /** Records that were taken already come again after a rebalance. */
  record(of: TopicPartition, message: KafkaMessage): void {
    const left = this.#left.get(partitionName(of));
    const offset = Number(message.offset);
    if (left === undefined || offset < left.next || offset >= left.end) return;
    this.#take(of, recordOf(message, offset));
    left.next = offset + 1;
    this.progress++;
  }

  /** Up to here, also when that was no record for us; true when that is all. */
  passed(of: TopicPartition, lastOffset: number): boolean {
    const name = partitionName(of);
    const left = this.#left.get(name);
    if (left === undefined) return true;
    if (lastOffset >= left.next) {
      left.next = lastOffset + 1;
      this.progress++;
    }
    return left.next >= left.end && this.#left.delete(name);
  }
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

function recordOf(message: KafkaMessage, offset: number): LogRecord {
  const { key, value, timestamp, headers } = message;
  const bytes: Record<string, Uint8Array> = {};
  for (const [name, one] of Object.entries(headers ?? {})) {
    const last = Array.isArray(one) ? one.at(-1) : one;
    if (last !== undefined) bytes[name] = typeof last === 'string' ? Buffer.from(last) : last;
  }
  return { offset, timestampMs: Math.min(Number(timestamp), Date.now()), key, value, headers: bytes };
}

/** One member, these partitions. */
function only(partitions: readonly TopicPartition[]): PartitionAssigner {
  const wanted: Record<string, number[]> = {};
  for (const { topic, partition } of partitions) {
    wanted[topic] ??= [];
    wanted[topic].push(partition);
  }
  const name = 'only';
  const version = 0;
  return () => ({
    name,
    version,
    assign: async ({ members, topics }) => {
      const assignment = Object.fromEntries(topics.map((topic) => [topic, wanted[topic] ?? []]));
      return members.map(({ memberId }, index) => ({
        memberId,
        memberAssignment: AssignerProtocol.MemberAssignment.encode({ version, assignment: index === 0 ? assignment : {}, userData: NONE }),
      }));
    },
    protocol: ({ topics }) => ({
      name,
      metadata: AssignerProtocol.MemberMetadata.encode({ version, topics: [...topics], userData: NONE }),
    }),
  });
}

const NONE = Buffer.alloc(0);
