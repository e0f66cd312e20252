/** Cuts what a transaction writes into requests that brokers take, and sees whether each was taken whole. */
import type { Message, RecordMetadata, TopicMessages } from 'kafkajs';
import type { OutRecord } from './out-record.ts';

/** What kafkajs sends to one partition at once is one batch, and a broker refuses one above `max.message.bytes` (1,048,588 by default). */
const MAX_PARTITION_BYTES = 768 * 1024;
const MAX_BATCH_BYTES = 8 * 1024 * 1024;
/** kafkajs 2.2.4 copies the messages of a partition once for each of them. */
const MAX_BATCH_RECORDS = 1000;
/** Lengths, offset and time of a record; more than they need. */
const OVERHEAD_BYTES = 32;

/** In the order they were given. A record that is too large comes in a batch of its own, for the broker to judge. */
export function* batchesOf(records: readonly OutRecord[]): Generator<readonly OutRecord[]> {
  let batch: OutRecord[] = [];
  let bytes = 0;
  let perPartition = new Map<string, number>();
  for (const record of records) {
    const size = sizeOf(record);
    const place = `${record.topic}/${record.partition}`;
    const there = perPartition.get(place) ?? 0;
    const isFull = bytes + size > MAX_BATCH_BYTES || batch.length >= MAX_BATCH_RECORDS || (there > 0 && there + size > MAX_PARTITION_BYTES);
    if (isFull && batch.length > 0) {
      yield batch;
      batch = [];
      bytes = 0;
      perPartition = new Map();
    }
    batch.push(record);
    bytes += size;
    perPartition.set(place, (perPartition.get(place) ?? 0) + size);
  }
  if (batch.length > 0) yield batch;
}

function sizeOf({ key, value, headers }: OutRecord): number {
  let bytes = OVERHEAD_BYTES + (key === null ? 0 : Buffer.byteLength(key)) + (value?.byteLength ?? 0);
  for (const [name, text] of Object.entries(headers ?? {})) bytes += Buffer.byteLength(name) + Buffer.byteLength(text) + 10;
  return bytes;
}

/** As kafkajs takes them. */
export function messagesOf(batch: readonly OutRecord[]): TopicMessages[] {
  const topics = new Map<string, Message[]>();
  for (const { topic, partition, key, value, headers } of batch) {
    let messages = topics.get(topic);
    if (messages === undefined) {
      messages = [];
      topics.set(topic, messages);
    }
    const bytes = value === null ? null : Buffer.from(value.buffer, value.byteOffset, value.byteLength);
    messages.push({ partition, key, value: bytes, ...(headers !== undefined && { headers: { ...headers } }) });
  }
  return [...topics].map(([topic, messages]) => ({ topic, messages }));
}

/**
 * Partitions of the batch that no answer names, or more than one. kafkajs 2.2.4 leaves out silently what is for a partition it does not know, and what a
 * leader did not answer for when its partitions move, during a retry, to one that has; the other way round it writes twice.
 */
export function notWrittenOnce(batch: readonly OutRecord[], answers: readonly RecordMetadata[]): readonly string[] {
  const counts = new Map<string, number>();
  for (const { topicName, partition } of answers) {
    const name = `${topicName}/${partition}`;
    counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  const wanted = new Set(batch.map(({ topic, partition }) => `${topic}/${partition}`));
  return [...wanted].filter((name) => counts.get(name) !== 1);
}
