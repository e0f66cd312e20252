/** One life of a kafkajs consumer: joined, told where to read, and given up when it fails. */
import type { Consumer, EachBatchPayload, Kafka } from 'kafkajs';
import type { DurationMs } from '../model/time.ts';
import { PATIENT } from './kafka-client.ts';
import type { LogPosition, TopicPartition } from './log.ts';
import { watchedAssigner } from './log-consumer-mends.ts';
import type { LogConsumerOptions } from './log-consumer-parts.ts';
import { within } from './time-limit.ts';

/** How long a broker may keep a fetch when there is nothing: so long does a partition that may be read again wait at most. */
const FETCH_WAIT_MS = 200;
/** A fetch is decoded at one go, between two heartbeats: one partition's share at least, and not much more than this. */
const FETCH_BYTES = 4 * 1024 * 1024;
/** Members that are busy have so long to join again; who is gone is told by the session timeout. */
const REBALANCE_MS = 15_000;
const HEARTBEAT_MS = 3_000;

/** Why a life ended. */
export type End = 'crash' | 'silent' | 'topics' | 'stop';

/** Called at once when it happens. */
export interface InnerUser {
  /**
   * All that is ours from now on; each is paused and must be told where to read. `isNew`: the group has another name for us than before, so it had forgotten
   * us, and others may have had meanwhile what was ours.
   */
  joined(inner: InnerConsumer, assigned: readonly TopicPartition[], isNew: boolean): void;
  batch(inner: InnerConsumer, payload: EachBatchPayload): Promise<void>;
  /** Up to `last` there was nothing for us: control records, or those of aborted transactions. */
  passed(inner: InnerConsumer, of: TopicPartition, last: number): void;
  outOfRange(inner: InnerConsumer, of: TopicPartition): void;
  /** A fetch failed: what was true of the logs may not be any more. */
  failed(inner: InnerConsumer): void;
  /** The group answered. */
  heard(inner: InnerConsumer): void;
  /** It does something. */
  alive(inner: InnerConsumer): void;
}

export class InnerConsumer {
  readonly ended: Promise<{ readonly end: End; readonly error: unknown }>;
  readonly #consumer: Consumer;
  readonly #end: (end: { end: End; error: unknown }) => void;
  readonly #fetching = new Set<number>();
  #memberId = '';

  constructor(client: Kafka, options: LogConsumerOptions, metadataMaxAgeMs: DurationMs, user: InnerUser) {
    const { sessionTimeoutMs, maxBytesPerPartition } = options;
    const { promise, resolve } = Promise.withResolvers<{ end: End; error: unknown }>();
    this.ended = promise;
    this.#end = resolve;
    this.#consumer = client.consumer({
      groupId: options.groupId,
      sessionTimeout: sessionTimeoutMs,
      rebalanceTimeout: Math.max(sessionTimeoutMs, REBALANCE_MS),
      heartbeatInterval: Math.min(HEARTBEAT_MS, Math.floor(sessionTimeoutMs / 4)),
      maxWaitTimeInMs: FETCH_WAIT_MS,
      maxBytesPerPartition,
      maxBytes: Math.max(maxBytesPerPartition, FETCH_BYTES),
      metadataMaxAge: metadataMaxAgeMs,
      allowAutoTopicCreation: false,
      partitionAssigners: [watchedAssigner((of) => user.outOfRange(this, of))],
      // It would come back by itself, as a stranger with nothing paused: we make another one.
      retry: { ...PATIENT, restartOnFailure: async () => false },
    });
    this.#listen(user);
  }

  /** Ends when `ended` does, which it also tells by. */
  async run(topics: readonly string[], user: InnerUser): Promise<void> {
    try {
      await this.#consumer.connect();
      // Where it would begin by itself; it never does.
      await this.#consumer.subscribe({ topics: [...topics], fromBeginning: true });
      await this.#consumer.run({
        autoCommit: false,
        eachBatchAutoResolve: false,
        partitionsConsumedConcurrently: 1,
        eachBatch: (payload) => user.batch(this, payload),
      });
    } catch (error) {
      this.end('crash', error);
    }
  }

  /** The first end counts. */
  end(end: End, error: unknown = null): void {
    this.#end({ end, error });
  }

  pause(of: readonly TopicPartition[]): void {
    this.#ifRunning(() => this.#consumer.pause(byTopic(of)));
  }

  /** Reads from `offset` on, whatever was before. */
  readFrom(of: TopicPartition, offset: number): void {
    this.#ifRunning(() => {
      this.#consumer.seek({ ...of, offset: String(offset) });
      this.#consumer.resume(byTopic([of]));
    });
  }

  async commit(positions: readonly (TopicPartition & { readonly position: LogPosition })[]): Promise<void> {
    await this.#consumer.commitOffsets(
      positions.map(({ topic, partition, position }) => ({ topic, partition, offset: String(position.offset) })),
    );
  }

  /** Leaves the group; given up after `ms`, as it waits for a broker that is away for ever. Never throws. */
  async stop(ms: DurationMs): Promise<void> {
    await within(this.#consumer.disconnect(), ms).catch(() => {});
  }

  #listen(user: InnerUser): void {
    const { events, on } = this.#consumer;
    on(events.GROUP_JOIN, ({ payload }) => {
      const assigned = Object.entries(payload.memberAssignment).flatMap(([topic, partitions]) =>
        partitions.map((partition) => ({ topic, partition })),
      );
      const isNew = payload.memberId !== this.#memberId;
      this.#memberId = payload.memberId;
      this.pause(assigned);
      user.heard(this);
      user.joined(this, assigned, isNew);
    });
    on(events.HEARTBEAT, () => user.heard(this));
    on(events.FETCH_START, ({ payload }) => {
      // A fetch that throws does not tell of its end.
      if (this.#fetching.has(payload.nodeId)) user.failed(this);
      this.#fetching.add(payload.nodeId);
    });
    on(events.FETCH, ({ payload }) => {
      this.#fetching.delete(payload.nodeId);
      user.alive(this);
    });
    on(events.END_BATCH_PROCESS, ({ payload }) => {
      const { topic, partition, lastOffset, batchSize } = payload;
      if (batchSize === 0) user.passed(this, { topic, partition }, Number(lastOffset));
    });
    on(events.CRASH, ({ payload }) => this.end('crash', payload.error));
  }

  /** One that crashed forgets where it was and refuses; its successor is told everything again when it joins. */
  #ifRunning(act: () => void): void {
    try {
      act();
    } catch {
      this.end('crash');
    }
  }
}

function byTopic(partitions: readonly TopicPartition[]): { topic: string; partitions: number[] }[] {
  const topics = Map.groupBy(partitions, ({ topic }) => topic);
  return [...topics].map(([topic, of]) => ({ topic, partitions: of.map(({ partition }) => partition) }));
}
