/** Compression as Java writes it: the broker packs anew what comes in, by the topic's own codec. */
import kafkajs from 'kafkajs';
import snappy from 'snappy';
import { describe, expect, it } from 'vitest';
import { fromSnappy } from '../../src/kafka/codecs.ts';
import { TransactionalWriter } from '../../src/kafka/transactional-writer.ts';
import { MemoryTelemetry } from '../support/memory-telemetry.ts';
import { describeKafka } from './rig/describe-kafka.ts';
import { clientOf, makeTopic, recordsOf, settle } from './writer-support.ts';

const { ConfigResourceTypes } = kafkajs;

describeKafka('records that Java packed', (broker) => {
  // Java's snappy makes a block of each 32 kB.
  it.each(['gzip', 'snappy', 'lz4', 'zstd'])('are read back by %s', async (codec) => {
    const telemetry = new MemoryTelemetry();
    const client = clientOf(broker(), telemetry);
    const topic = `java-${codec}`;
    await makeTopic(client, topic);
    const admin = client.admin();
    await admin.connect();
    const configEntries = [{ name: 'compression.type', value: codec }];
    await admin.alterConfigs({ validateOnly: false, resources: [{ type: ConfigResourceTypes.TOPIC, name: topic, configEntries }] });
    await admin.disconnect();
    const values = Array.from({ length: 40 }, (_, i) => Buffer.from(Array.from({ length: 500 * i }, (__, n) => `${n * i} `).join('')));
    const writer = new TransactionalWriter({ client, transactionalId: topic, telemetry });
    await writer.claim();
    await writer.write(values.map((value) => ({ topic, partition: 0, key: null, value })));
    await settle(writer);
    const read = await recordsOf(client, [{ topic, partition: 0 }]);
    expect(read.map(({ value }) => Buffer.from(value ?? []).toString())).toEqual(values.map(String));
  });
});

describe("snappy in Java's frame", () => {
  const HEADER = Buffer.concat([Buffer.from('\x82SNAPPY\0', 'latin1'), Buffer.from([0, 0, 0, 1, 0, 0, 0, 1])]);
  const block = (text: string): Buffer => {
    const packed = snappy.compressSync(text);
    const length = Buffer.alloc(4);
    length.writeInt32BE(packed.length);
    return Buffer.concat([length, packed]);
  };

  it.each([
    ['no block', [], ''],
    ['one', ['a'], 'a'],
    ['several', ['first, ', 'second, ', 'third'], 'first, second, third'],
  ])('of %s is unpacked', (_, texts, whole) => {
    expect(fromSnappy(Buffer.concat([HEADER, ...texts.map(block)])).toString()).toBe(whole);
  });

  it('is unpacked also without the frame', () => {
    expect(fromSnappy(snappy.compressSync('bare')).toString()).toBe('bare');
  });

  it.each([-4, -5, -2_147_483_648, 100, 2_147_483_647])('with a block of %i bytes is an error, and no loop without end', (bytes) => {
    const length = Buffer.alloc(4);
    length.writeInt32BE(bytes);
    expect(() => fromSnappy(Buffer.concat([HEADER, length, Buffer.alloc(8)]))).toThrow(RangeError);
  });
});
