/** Reading a log to its end against a real broker: whatever the end is made of. */
import kafkajs, { type Kafka } from 'kafkajs';
import { expect, it } from 'vitest';
import { PATIENT } from '../../src/kafka/kafka-client.ts';
import { partitionName } from '../../src/kafka/log.ts';
import { committedPositions, logBounds, readToEnd } from '../../src/kafka/log-reader.ts';
import { ensureTopics } from '../../src/kafka/topics.ts';
import { TransactionalWriter } from '../../src/kafka/transactional-writer.ts';
import { PermanentError } from '../../src/model/errors.ts';
import { MemoryTelemetry } from '../support/memory-telemetry.ts';
import { describeKafka } from './rig/describe-kafka.ts';
import { clientOf, keysOf, makeTopic, recordsOf, settle } from './writer-support.ts';

const telemetry = new MemoryTelemetry();
const never = new AbortController().signal;

async function claimed(client: Kafka, transactionalId: string) {
  const writer = new TransactionalWriter({ client, transactionalId, telemetry });
  await writer.claim();
  return writer;
}

/** A transaction of kafkajs' own, to be left open or aborted. */
async function opened(client: Kafka, transactionalId: string, topic: string, keys: readonly string[]) {
  const producer = client.producer({
    transactionalId,
    idempotent: true,
    maxInFlightRequests: 1,
    retry: { ...PATIENT, initialRetryTime: 20 },
  });
  await producer.connect();
  const transaction = await producer.transaction();
  await transaction.send({ topic, messages: keys.map((key) => ({ key, value: key, partition: 0 })) });
  return { producer, transaction };
}

describeKafka('reading a log to its end', (broker) => {
  it('ends when nothing was ever written', async () => {
    const client = clientOf(broker());
    await makeTopic(client, 'empty', 3);
    const partitions = [0, 1, 2].map((partition) => ({ topic: 'empty', partition }));
    expect(await recordsOf(client, partitions)).toEqual([]);
    expect([...(await logBounds(client, partitions)).values()]).toEqual(partitions.map(() => ({ start: 0, end: 0 })));
    expect(await recordsOf(client, [])).toEqual([]);
  });

  it('ends when all that was written has been deleted', async () => {
    const client = clientOf(broker());
    await makeTopic(client, 'deleted');
    const writer = await claimed(client, 'deleted');
    await writer.write(['a', 'b'].map((key) => ({ topic: 'deleted', partition: 0, key, value: Buffer.from(key) })));
    await settle(writer);
    const admin = client.admin();
    await admin.connect();
    // kafkajs deletes only from topics that it has met.
    await admin.fetchTopicOffsets('deleted');
    await admin.deleteTopicRecords({ topic: 'deleted', partitions: [{ partition: 0, offset: '-1' }] });
    await admin.disconnect();
    const of = { topic: 'deleted', partition: 0 };
    const { start, end } = (await logBounds(client, [of])).get('deleted/0') ?? { start: -1, end: -2 };
    expect(start).toBe(end);
    expect(start).toBeGreaterThanOrEqual(3);
    expect(await keysOf(client, of)).toEqual([]);
  });

  it.each([
    ['nothing but aborted records', []],
    ['aborted records after committed ones', ['a', 'b']],
  ])('ends when the log holds %s', async (name, before) => {
    const topic = name.replaceAll(' ', '-');
    const client = clientOf(broker());
    await makeTopic(client, topic);
    if (before.length > 0) {
      const writer = await claimed(client, topic);
      await writer.write(before.map((key) => ({ topic, partition: 0, key, value: Buffer.from(key) })));
      await settle(writer);
    }
    for (const id of ['x', 'y']) {
      const { producer, transaction } = await opened(client, `${topic}-${id}`, topic, ['no', 'neither']);
      await transaction.abort();
      await producer.disconnect();
    }
    expect(await keysOf(client, { topic, partition: 0 })).toEqual(before);
  });

  it('does not wait for a transaction that is open, and takes nothing from its first record on until it is over', async () => {
    const topic = 'open';
    const client = clientOf(broker());
    await makeTopic(client, topic);
    const writer = await claimed(client, 'open-1');
    await writer.write([{ topic, partition: 0, key: 'before', value: null }]);
    await writer.claim();
    const { producer, transaction } = await opened(client, 'open-2', topic, ['open']);
    await writer.write([{ topic, partition: 0, key: 'after', value: null }]);
    expect(await keysOf(client, { topic, partition: 0 })).toEqual(['before']);
    await transaction.commit();
    await producer.disconnect();
    await settle(await claimed(client, 'open-2'));
    await settle(writer);
    expect(await keysOf(client, { topic, partition: 0 })).toEqual(['before', 'open', 'after']);
  });

  it('never takes a record of an aborted transaction, wherever a fetch begins among several of them', async () => {
    const topic = 'interleaved';
    const client = clientOf(broker());
    await makeTopic(client, topic);
    const ids = ['a', 'b', 'c'];
    const writers = await Promise.all(ids.map((id) => opened(client, `interleaved-${id}`, topic, [`${id}-first`])));
    // Each record is larger than what is fetched at once, so that each fetch begins with one.
    for (let round = 0; round < 4; round++) {
      for (const [i, { transaction }] of writers.entries()) {
        await transaction.send({ topic, messages: [{ key: `${ids[i]}-${round}`, value: Buffer.alloc(2_000), partition: 0 }] });
      }
    }
    await writers[0]?.transaction.abort();
    await writers[1]?.transaction.commit();
    await writers[2]?.transaction.abort();
    await Promise.all(writers.map(({ producer }) => producer.disconnect()));
    const consumer = client.consumer({ groupId: 'interleaved', maxWaitTimeInMs: 100, maxBytesPerPartition: 1_000 });
    await consumer.connect();
    await consumer.subscribe({ topics: [topic], fromBeginning: true });
    const keys: string[] = [];
    const end = (await logBounds(client, [{ topic, partition: 0 }])).get('interleaved/0')?.end ?? 0;
    await new Promise<void>((done, failed) => {
      consumer.on(consumer.events.END_BATCH_PROCESS, ({ payload }) => {
        if (Number(payload.lastOffset) >= end - 1) done();
      });
      consumer.run({ eachMessage: async ({ message }) => void keys.push(`${message.key}`) }).catch(failed);
    });
    await consumer.disconnect();
    const committed = ['b-first', 'b-0', 'b-1', 'b-2', 'b-3'];
    expect(keys).toEqual(committed);
    expect(await keysOf(client, { topic, partition: 0 })).toEqual(committed);
  });

  it('reads the wanted partitions of several topics alone, up to their ends as of the call', async () => {
    const client = clientOf(broker());
    await makeTopic(client, 'many-a', 6);
    await makeTopic(client, 'many-b', 2);
    const writer = await claimed(client, 'many');
    const write = (key: string) =>
      writer.write(
        ['many-a', 'many-b'].flatMap((topic) => [0, 1].map((partition) => ({ topic, partition, key: `${key}${partition}`, value: null }))),
      );
    for (let i = 0; i < 30; i++) await write(`${i}-`);
    // A commit is answered before all may read it.
    await writer.claim();
    const partitions = [
      { topic: 'many-a', partition: 1 },
      { topic: 'many-b', partition: 0 },
      { topic: 'many-a', partition: 5 },
    ];
    const taken = new Map<string, string[]>();
    let late: Promise<void> | null = null;
    await readToEnd(
      { client, telemetry },
      partitions,
      (of, { key }) => {
        late ??= write('late');
        const keys = taken.get(partitionName(of)) ?? [];
        taken.set(partitionName(of), [...keys, Buffer.from(key ?? []).toString()]);
      },
      never,
    );
    await late;
    await settle(writer);
    expect(Object.fromEntries(taken)).toEqual({
      'many-a/1': Array.from({ length: 30 }, (_, i) => `${i}-1`),
      'many-b/0': Array.from({ length: 30 }, (_, i) => `${i}-0`),
    });
  });

  it('reads a compacted log with holes in it, deletions included', async () => {
    const topic = 'compacted';
    const client = clientOf(broker());
    await ensureTopics(client, [{ name: topic, partitions: 1, compacted: true }], { create: true, replicationFactor: 1 });
    const admin = client.admin();
    await admin.connect();
    const config = { 'segment.bytes': '1048576', 'min.cleanable.dirty.ratio': '0.01', 'cleanup.policy': 'compact', 'segment.ms': '100' };
    const configEntries = Object.entries(config).map(([name, value]) => ({ name, value }));
    await admin.alterConfigs({ validateOnly: false, resources: [{ type: kafkajs.ConfigResourceTypes.TOPIC, name: topic, configEntries }] });
    await admin.disconnect();
    const writer = await claimed(client, topic);
    const expected = new Map<string, string | null>();
    let records = await recordsOf(client, [{ topic, partition: 0 }]);
    let written = 0;
    // Until the cleaner was there.
    for (let round = 0; round < 200 && (written < 20 || 2 * records.length >= written); round++) {
      for (const key of ['a', 'b', 'c', 'd']) {
        const value = key === 'd' && round % 2 === 1 ? null : `${key}${round}`;
        expected.set(key, value);
        await writer.write([{ topic, partition: 0, key, value: value === null ? null : Buffer.from(value) }]);
        written++;
      }
      await writer.claim();
      records = await recordsOf(client, [{ topic, partition: 0 }]);
    }
    await settle(writer);
    expect(written).toBeGreaterThanOrEqual(20);
    expect(2 * records.length).toBeLessThan(written);
    const last = new Map(
      records.map(({ key, value }) => [Buffer.from(key ?? []).toString(), value === null ? null : Buffer.from(value).toString()]),
    );
    expect(Object.fromEntries(last)).toEqual(Object.fromEntries(expected));
  });

  it('ends at once when it is aborted, and when what takes the records throws', async () => {
    const topic = 'stopped';
    const client = clientOf(broker());
    await makeTopic(client, topic);
    const writer = await claimed(client, topic);
    await writer.write([{ topic, partition: 0, key: 'a', value: null }]);
    await settle(writer);
    const { producer, transaction } = await opened(client, 'stopped-open', topic, ['open']);
    const abort = new AbortController();
    const reading = readToEnd({ client, telemetry }, [{ topic, partition: 0 }], () => abort.abort(new Error('enough')), abort.signal);
    await expect(reading).rejects.toThrow('enough');
    const throwing = (): never => {
      throw new PermanentError('test', 'not this one');
    };
    await expect(readToEnd({ client, telemetry }, [{ topic, partition: 0 }], throwing, never)).rejects.toThrow('not this one');
    await expect(
      readToEnd({ client, telemetry }, [{ topic, partition: 0 }], throwing, AbortSignal.abort(new Error('before'))),
    ).rejects.toThrow('before');
    await transaction.abort();
    await producer.disconnect();
  });

  it('leaves no group behind', async () => {
    const client = clientOf(broker());
    const admin = client.admin();
    await admin.connect();
    const { groups } = await admin.listGroups();
    await admin.disconnect();
    expect(groups.map(({ groupId }) => groupId).filter((id) => id.startsWith('slipstream-read-'))).toEqual([]);
  });

  it('says that a partition is not there, and of a group that never committed that it has no positions', async () => {
    const client = clientOf(broker());
    await makeTopic(client, 'there', 2);
    await expect(logBounds(client, [{ topic: 'there', partition: 2 }])).rejects.toThrow('no partition there/2');
    expect(await committedPositions(client, 'nobody', [{ topic: 'there', partition: 0 }])).toEqual(new Map());
  });

  it('reads on through the death of the broker', async () => {
    const topic = 'death';
    const client = clientOf(broker());
    await makeTopic(client, topic);
    const writer = await claimed(client, topic);
    const values = Array.from({ length: 40 }, (_, i) => `${i}`);
    for (const key of values) await writer.write([{ topic, partition: 0, key, value: Buffer.alloc(100_000) }]);
    await settle(writer);
    const keys: string[] = [];
    let death: Promise<void> | null = null;
    const take = (_: unknown, { key }: { readonly key: Uint8Array | null }): void => {
      keys.push(Buffer.from(key ?? []).toString());
      death ??= broker()
        .kill()
        .then(() => broker().start());
    };
    await readToEnd({ client, telemetry }, [{ topic, partition: 0 }], take, never);
    await death;
    expect(keys).toEqual(values);
  });
});
