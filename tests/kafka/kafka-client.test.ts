/** The client and every codec against a real broker. */
import kafkajs from 'kafkajs';
import { expect, it } from 'vitest';
import { BRIEF, kafkaClient } from '../../src/kafka/kafka-client.ts';
import { MemoryTelemetry } from '../support/memory-telemetry.ts';
import { describeKafka } from './rig/describe-kafka.ts';

const { CompressionTypes } = kafkajs;

describeKafka('a client', (broker) => {
  it.each(['None', 'GZIP', 'Snappy', 'LZ4', 'ZSTD'] as const)('writes and reads back what is packed by %s', async (codec) => {
    const client = kafkaClient({ brokers: [broker().address], clientId: 'test', tls: null, sasl: null }, new MemoryTelemetry(), BRIEF);
    const topic = `packed-${codec}`;
    const admin = client.admin();
    await admin.connect();
    await admin.createTopics({ topics: [{ topic, numPartitions: 1, replicationFactor: 1 }] });
    await admin.disconnect();
    const values = Array.from({ length: 50 }, (_, i) => Buffer.alloc(2_000, `value ${i} `));
    const producer = client.producer();
    await producer.connect();
    await producer.send({ topic, compression: CompressionTypes[codec], messages: values.map((value) => ({ value })) });
    await producer.disconnect();
    const consumer = client.consumer({ groupId: topic, maxWaitTimeInMs: 100 });
    await consumer.connect();
    await consumer.subscribe({ topics: [topic], fromBeginning: true });
    const read: Buffer[] = [];
    await new Promise<void>((done, failed) => {
      consumer
        .run({
          eachMessage: async ({ message }) => {
            read.push(Buffer.from(message.value as Buffer));
            if (read.length === values.length) done();
          },
        })
        .catch(failed);
    });
    await consumer.disconnect();
    expect(read).toEqual(values);
  });
});
