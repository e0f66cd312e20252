/** Asks the brokers what topics there are and from where to where their logs reach; every question has an end. */
import type { Admin, Kafka } from 'kafkajs';
import type { DurationMs, EpochMs } from '../model/time.ts';
import { partitionName, type TopicPartition } from './log.ts';
import type { Bounds } from './positions.ts';
import { within } from './time-limit.ts';

/** A question that failed is asked again by whoever asked it. */
const RETRY = { initialRetryTime: 50, retries: 2 } as const;
/** `t/2` before `t/10`. */
const BY_NUMBER = new Intl.Collator('en', { numeric: true }).compare;
/** Saying good-bye to a broker that is away. */
const CLOSE_MS = 1_000;

export class Frontier {
  readonly #client: Kafka;
  readonly #answerMs: DurationMs;
  #admin: { readonly ready: Promise<Admin>; isReady: boolean } | null = null;
  readonly #closed = Promise.withResolvers<never>();
  #isClosed = false;

  constructor(client: Kafka, answerMs: DurationMs) {
    this.#client = client;
    this.#answerMs = answerMs;
    this.#closed.promise.catch(() => {});
  }

  /** Names of all topics that this client may see. */
  topics(): Promise<readonly string[]> {
    return this.#ask((admin) => admin.listTopics());
  }

  /** All partitions of these topics as `topic/partition`. */
  partitions(topics: readonly string[]): Promise<readonly string[]> {
    return this.#ask(async (admin) => {
      const { topics: found } = await admin.fetchTopicMetadata({ topics: [...topics] });
      return found
        .flatMap(({ name: topic, partitions }) => partitions.map(({ partitionId: partition }) => partitionName({ topic, partition })))
        .sort(BY_NUMBER);
    });
  }

  /** By partition; kafkajs asks as readers of committed records do, so the end is where the oldest open transaction begins. Rejects when one of them is missing, or its leader is away. */
  bounds(topic: string, partitions: readonly number[]): Promise<ReadonlyMap<number, Bounds>> {
    return this.#ask(async (admin) => {
      const answers = await admin.fetchTopicOffsets(topic);
      const bounds = new Map(answers.map(({ partition, low, high }) => [partition, { start: Number(low), end: Number(high) }]));
      const missing = partitions.find((partition) => !bounds.has(partition));
      // It looks at the partitions it came to know first, for minutes: a fresh one sees those that were added.
      if (missing !== undefined) throw new Error(`asking where ${partitionName({ topic, partition: missing })} ends: it is not known`);
      return bounds;
    });
  }

  /** Offset of the first record that is younger than `time`; the end of the log when there is none. */
  firstAfter({ topic, partition }: TopicPartition, time: EpochMs): Promise<number> {
    return this.#ask(async (admin) => {
      const answers = await admin.fetchTopicOffsetsByTimestamp(topic, Math.floor(time) + 1);
      const answer = answers.find((one) => one.partition === partition);
      if (answer === undefined) throw new Error(`asking when ${partitionName({ topic, partition })} was written: it is not known`);
      return Number(answer.offset);
    });
  }

  /** Whoever waits for an answer gets none. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#closed.reject(new Error('asking a broker: stopped'));
    const admin = this.#admin;
    this.#admin = null;
    if (admin !== null) await within(drop(admin.ready), CLOSE_MS).catch(() => {});
  }

  /** One client at a time: while it connects, which it tries without end, nobody makes another; once it failed it is replaced, as it may hold what is old. */
  async #ask<Answer>(question: (admin: Admin) => Promise<Answer>): Promise<Answer> {
    if (this.#isClosed) throw new Error('asking a broker: stopped');
    const admin = this.#admin ?? this.#connect();
    this.#admin = admin;
    const answer = admin.ready.then(question);
    try {
      return await within(Promise.race([answer, this.#closed.promise]), this.#answerMs);
    } catch (error) {
      if (admin.isReady && this.#admin === admin) {
        this.#admin = null;
        // Whatever it still waits for may connect it once more.
        void drop(admin.ready);
        void answer.then(
          () => drop(admin.ready),
          () => drop(admin.ready),
        );
      }
      throw error;
    }
  }

  #connect() {
    const admin = this.#client.admin({ retry: RETRY });
    const state = { ready: admin.connect().then(() => admin), isReady: false };
    state.ready.then(
      () => {
        state.isReady = true;
      },
      () => {
        if (this.#admin === state) this.#admin = null;
      },
    );
    return state;
  }
}

async function drop(admin: Promise<Admin>): Promise<void> {
  await admin.then((ready) => ready.disconnect()).catch(() => {});
}
