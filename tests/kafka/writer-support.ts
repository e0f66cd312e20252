/** What tests of writers and readers share: a client, a topic, and all that is in it. */
import type { Kafka } from 'kafkajs';
import { type BRIEF, kafkaClient } from '../../src/kafka/kafka-client.ts';
import type { LogRecord, TopicPartition } from '../../src/kafka/log.ts';
import { readToEnd } from '../../src/kafka/log-reader.ts';
import { ensureTopics } from '../../src/kafka/topics.ts';
import type { TransactionalWriter } from '../../src/kafka/transactional-writer.ts';
import { MemoryTelemetry } from '../support/memory-telemetry.ts';
import type { Broker } from './rig/broker.ts';

export function clientOf(broker: Broker, telemetry = new MemoryTelemetry(), retry?: typeof BRIEF): Kafka {
  return kafkaClient({ brokers: [broker.address], clientId: 'test', tls: null, sasl: null }, telemetry, retry);
}

export async function makeTopic(client: Kafka, name: string, partitions = 1): Promise<void> {
  await ensureTopics(client, [{ name, partitions, compacted: false }], { create: true, replicationFactor: 1 });
}

/** A commit is answered before readers can see it; a claim waits until they do. */
export async function settle(writer: TransactionalWriter): Promise<void> {
  await writer.claim();
  await writer.close();
}

/** Keys of the committed records of a partition, in order. */
export async function keysOf(client: Kafka, of: TopicPartition): Promise<string[]> {
  return (await recordsOf(client, [of])).map(({ key }) => Buffer.from(key ?? []).toString());
}

export async function recordsOf(client: Kafka, partitions: readonly TopicPartition[]): Promise<LogRecord[]> {
  const records: LogRecord[] = [];
  await readToEnd(
    { client, telemetry: new MemoryTelemetry() },
    partitions,
    (_, record) => records.push(record),
    new AbortController().signal,
  );
  return records;
}
