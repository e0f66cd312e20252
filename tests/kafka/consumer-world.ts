/** What tests of the reader of a log share: topics on a real broker, and a user that keeps whatever it is told. */
import type { Admin, Kafka, Producer } from 'kafkajs';
import { BRIEF, kafkaClient, PATIENT } from '../../src/kafka/kafka-client.ts';
import { type LogGap, type LogPosition, type LogRecord, partitionName, type TopicPartition } from '../../src/kafka/log.ts';
import { LogConsumer, type LogConsumerParts } from '../../src/kafka/log-consumer.ts';
import type { LogUser } from '../../src/kafka/log-consumer-parts.ts';
import { MemoryTelemetry } from '../support/memory-telemetry.ts';

/** Short, as a test waits for each of them. */
export const TIMING = { lookMs: 100, topicsMs: 500, answerMs: 2_000 } as const;
const SESSION_MS = 6_000;

export class KeepingUser implements LogUser {
  /** Taken, by partition. */
  readonly taken = new Map<string, LogRecord[]>();
  /** Of all partitions, as they came. */
  readonly seen: { readonly name: string; readonly offset: number }[] = [];
  readonly gaps: LogGap[] = [];
  readonly begun: string[] = [];
  readonly ended: string[] = [];
  /** What `begin` answers with. */
  readonly positions = new Map<string, LogPosition>();
  /** Done first of all, when there are partitions to begin. */
  beginning: () => Promise<void> = async () => {};
  /** Asked first of all; true: the record is not taken. */
  isFull: (of: TopicPartition, record: LogRecord) => boolean = () => false;
  /** By partition, how often `full` was said. */
  readonly refused: string[] = [];

  async begin(partitions: readonly TopicPartition[]): Promise<ReadonlyMap<string, LogPosition>> {
    this.begun.push(...partitions.map(partitionName));
    await this.beginning();
    return this.positions;
  }

  end(partitions: readonly TopicPartition[]): void {
    this.ended.push(...partitions.map(partitionName));
  }

  take(of: TopicPartition, record: LogRecord): 'taken' | 'full' {
    const name = partitionName(of);
    if (this.isFull(of, record)) {
      this.refused.push(name);
      return 'full';
    }
    const records = this.taken.get(name) ?? [];
    this.taken.set(name, records);
    records.push({ ...record, key: copy(record.key), value: copy(record.value) });
    this.seen.push({ name, offset: record.offset });
    const anchor = { offset: record.offset, timestampMs: record.timestampMs };
    this.positions.set(name, { offset: record.offset + 1, anchor });
    return 'taken';
  }

  gap(gap: LogGap): void {
    this.gaps.push(gap);
  }

  values(name?: string): string[] {
    const lists = name === undefined ? [...this.taken.values()] : [this.taken.get(name) ?? []];
    return lists.flat().map(({ value }) => Buffer.from(value ?? []).toString());
  }
}

function copy(bytes: Uint8Array | null): Uint8Array | null {
  return bytes === null ? null : Uint8Array.from(bytes);
}

export interface Reader {
  readonly consumer: LogConsumer;
  readonly user: KeepingUser;
  readonly telemetry: MemoryTelemetry;
}

/** Everything that a test opens; `close` ends all of it. */
export class World {
  readonly client: Kafka;
  readonly #address: string;
  #admin: Admin | null = null;
  #producer: Producer | null = null;
  readonly #readers: LogConsumer[] = [];

  constructor(address: string) {
    this.#address = address;
    this.client = this.#client('test', BRIEF);
  }

  async admin(): Promise<Admin> {
    if (this.#admin === null) {
      this.#admin = this.client.admin();
      await this.#admin.connect();
    }
    return this.#admin;
  }

  /** Throws when there is one of the name. Records stay in it, however old. */
  async makeTopic(topic: string, numPartitions = 1): Promise<void> {
    const admin = await this.admin();
    const configEntries = [{ name: 'retention.ms', value: '-1' }];
    const isMade = await admin.createTopics({
      waitForLeaders: false,
      topics: [{ topic, numPartitions, replicationFactor: 1, configEntries }],
    });
    if (!isMade) throw new Error(`there is a topic ${topic} already`);
  }

  async write(topic: string, values: readonly string[], partition = 0, timestamp = Date.now()): Promise<void> {
    if (this.#producer === null) {
      this.#producer = this.client.producer({ metadataMaxAge: 500 });
      await this.#producer.connect();
    }
    await this.#producer.send({ topic, messages: values.map((value) => ({ value, partition, timestamp: String(timestamp) })) });
  }

  /** One transaction for every value, written by one producer; those for which `isKept` is false are aborted. */
  async transactions(topic: string, values: readonly string[], isKept: (value: string) => boolean): Promise<void> {
    const producer = this.#client('transactions', { ...PATIENT, initialRetryTime: 20 }).producer({
      idempotent: true,
      maxInFlightRequests: 1,
      transactionalId: `${topic}-writer`,
    });
    await producer.connect();
    for (const value of values) {
      const transaction = await producer.transaction();
      await transaction.send({ topic, messages: [{ value, partition: 0 }] });
      if (isKept(value)) await transaction.commit();
      else await transaction.abort();
    }
    await producer.disconnect();
  }

  /** Not started yet. */
  reader(options: Partial<LogConsumerParts['options']>, parts: Partial<LogConsumerParts> = {}, user = new KeepingUser()): Reader {
    const telemetry = new MemoryTelemetry();
    const consumer = new LogConsumer({
      client: this.#client('reader', PATIENT, telemetry),
      telemetry,
      user,
      now: Date.now,
      monotonicMs: () => performance.now(),
      timing: TIMING,
      ...parts,
      options: {
        groupId: 'readers',
        topics: [],
        sessionTimeoutMs: SESSION_MS,
        from: 'earliest',
        maxBytesPerPartition: 1_048_576,
        ...options,
      },
    });
    this.#readers.push(consumer);
    return { consumer, user, telemetry };
  }

  async close(): Promise<void> {
    await Promise.all(this.#readers.map((reader) => reader.stop()));
    await this.#producer?.disconnect();
    await this.#admin?.disconnect();
  }

  #client(clientId: string, retry: typeof PATIENT | typeof BRIEF | object, telemetry = new MemoryTelemetry()): Kafka {
    return kafkaClient({ brokers: [this.#address], clientId, tls: null, sasl: null }, telemetry, retry);
  }
}

/** `count` different values. */
export function values(count: number, prefix = 'v'): string[] {
  return Array.from({ length: count }, (_, i) => `${prefix}${i}`);
}
