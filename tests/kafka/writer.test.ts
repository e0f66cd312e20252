/** Transactions against a real broker: what is committed, what is not, and who may still write. */
import { randomBytes } from 'node:crypto';
import { expect, it } from 'vitest';
import { BRIEF } from '../../src/kafka/kafka-client.ts';
import { committedPositions } from '../../src/kafka/log-reader.ts';
import type { OutRecord } from '../../src/kafka/out-record.ts';
import { FencedError, TransactionalWriter, UncertainError } from '../../src/kafka/transactional-writer.ts';
import { PermanentError, RetryableError } from '../../src/model/errors.ts';
import { MemoryTelemetry } from '../support/memory-telemetry.ts';
import { describeKafka } from './rig/describe-kafka.ts';
import { withCommitFaults } from './uncertain-commit.ts';
import { clientOf, keysOf, makeTopic, recordsOf, settle } from './writer-support.ts';

const record = (topic: string, key: string, value: Uint8Array | null = Buffer.from(key)): OutRecord => ({
  topic,
  partition: 0,
  key,
  value,
});
const at = (topic: string, offset: number) => ({
  topic,
  partition: 0,
  position: { offset, anchor: { offset: offset - 1, timestampMs: 1e12 } },
});

describeKafka('a transactional writer', (broker) => {
  const setUp = async (topic: string) => {
    const telemetry = new MemoryTelemetry();
    const client = clientOf(broker(), telemetry);
    await makeTopic(client, topic);
    const writer = () => new TransactionalWriter({ client, transactionalId: `id-${topic}`, telemetry });
    return { client, telemetry, writer };
  };

  it('commits records and positions together, many transactions on one claim', async () => {
    const { client, telemetry, writer } = await setUp('together');
    const one = writer();
    await one.claim();
    for (const i of [1, 2, 3, 4, 5])
      await one.write([record('together', `a${i}`), record('together', `b${i}`)], { groupId: 'g', positions: [at('together', i)] });
    await one.write([], { groupId: 'g', positions: [at('together', 9)] });
    await one.write([]);
    await settle(one);
    expect(await keysOf(client, { topic: 'together', partition: 0 })).toEqual([1, 2, 3, 4, 5].flatMap((i) => [`a${i}`, `b${i}`]));
    const positions = await committedPositions(client, 'g', [{ topic: 'together', partition: 0 }]);
    expect([...positions]).toEqual([['together/0', { offset: 9, anchor: { offset: 8, timestampMs: 1e12 } }]]);
    expect(telemetry.value('kafka_transactions_total', { outcome: 'committed' })).toBe(6);
  });

  it('writes calls that overlap one after the other', async () => {
    const { client, writer } = await setUp('overlap');
    const one = writer();
    await one.claim();
    await Promise.all(Array.from({ length: 10 }, (_, i) => one.write([record('overlap', `${i}`)])));
    await settle(one);
    expect(await keysOf(client, { topic: 'overlap', partition: 0 })).toEqual(Array.from({ length: 10 }, (_, i) => `${i}`));
  });

  it('writes more in one transaction than a broker takes in one batch, keys, headers and deletions included', async () => {
    const { client, writer } = await setUp('large');
    const one = writer();
    await one.claim();
    const noise = randomBytes(300_000);
    const many = Array.from({ length: 12 }, (_, i) => record('large', `k${i}`, noise));
    await one.write([...many, { ...record('large', 'gone', null), headers: { why: 'old' } }]);
    await settle(one);
    const records = await recordsOf(client, [{ topic: 'large', partition: 0 }]);
    expect(records.map(({ key, value }) => [Buffer.from(key ?? []).toString(), value?.byteLength ?? null])).toEqual([
      ...many.map(({ key }) => [key, noise.byteLength]),
      ['gone', null],
    ]);
    expect(Buffer.from(records.at(-1)?.headers.why ?? []).toString()).toBe('old');
  });

  it('is fenced by a successor, and nothing of what it writes then is committed', async () => {
    const { client, telemetry, writer } = await setUp('fenced');
    const zombie = writer();
    await zombie.claim();
    await zombie.write([record('fenced', 'before')]);
    const successor = writer();
    await successor.claim();
    await expect(zombie.write([record('fenced', 'zombie')], { groupId: 'f', positions: [at('fenced', 7)] })).rejects.toBeInstanceOf(
      FencedError,
    );
    await expect(zombie.write([], { groupId: 'f', positions: [at('fenced', 7)] })).rejects.toThrow('claimed first');
    await successor.write([record('fenced', 'after')], { groupId: 'f', positions: [at('fenced', 2)] });
    await zombie.close();
    await settle(successor);
    expect(await keysOf(client, { topic: 'fenced', partition: 0 })).toEqual(['before', 'after']);
    expect((await committedPositions(client, 'f', [{ topic: 'fenced', partition: 0 }])).get('fenced/0')?.offset).toBe(2);
    expect(telemetry.value('kafka_transactions_total', { outcome: 'fenced' })).toBe(1);
  });

  it('is fenced also when it writes positions alone', async () => {
    const { writer } = await setUp('fenced-positions');
    const zombie = writer();
    await zombie.claim();
    const successor = writer();
    await successor.claim();
    await expect(zombie.write([], { groupId: 'fp', positions: [at('fenced-positions', 7)] })).rejects.toBeInstanceOf(FencedError);
    await Promise.all([zombie.close(), successor.close()]);
  });

  it('may claim again after it was fenced', async () => {
    const { client, writer } = await setUp('back');
    const [one, two] = [writer(), writer()];
    await one.claim();
    await two.claim();
    await expect(one.write([record('back', 'no')])).rejects.toBeInstanceOf(FencedError);
    await one.claim();
    await one.write([record('back', 'yes')]);
    await expect(two.write([record('back', 'no')])).rejects.toBeInstanceOf(FencedError);
    await Promise.all([settle(one), two.close()]);
    expect(await keysOf(client, { topic: 'back', partition: 0 })).toEqual(['yes']);
  });

  it('says of a record above the limit of the broker that it is refused, writes nothing of its transaction, and goes on after a claim', async () => {
    const { client, writer } = await setUp('refused');
    const one = writer();
    await one.claim();
    const noise = randomBytes(20_000_000);
    const refused = one.write([record('refused', 'small'), record('refused', 'huge', noise)]);
    await expect(refused).rejects.toThrow(/^writing 2 records as id-refused: (MESSAGE_TOO_LARGE|RECORD_LIST_TOO_LARGE)/);
    await expect(refused).rejects.toBeInstanceOf(PermanentError);
    await expect(refused).rejects.not.toBeInstanceOf(FencedError);
    await one.claim();
    await one.write([record('refused', 'next')]);
    await settle(one);
    expect(await keysOf(client, { topic: 'refused', partition: 0 })).toEqual(['next']);
  });

  it('commits nothing when one of the partitions does not exist', async () => {
    const { client, writer } = await setUp('partly');
    const one = writer();
    await one.claim();
    const written = one.write([record('partly', 'here'), { ...record('partly', 'nowhere'), partition: 7 }]);
    await expect(written).rejects.toThrow('partly/7');
    await expect(written).rejects.toBeInstanceOf(RetryableError);
    await one.claim();
    await one.write([record('partly', 'next')]);
    await settle(one);
    expect(await keysOf(client, { topic: 'partly', partition: 0 })).toEqual(['next']);
  });

  it.each([
    ['lost', 'its answer is lost', 1, ['unsure', 'next']],
    ['undone', 'it never arrived', 0, ['next']],
  ] as const)('does not know of a commit that is %s (%s) what became of it, and the next claim tells', async (fault, _, position, keys) => {
    const topic = `commit-${fault}`;
    const { client, telemetry } = await setUp(topic);
    const faulty = withCommitFaults(client, [fault]);
    const one = new TransactionalWriter({ client: faulty, transactionalId: topic, telemetry });
    await one.claim();
    const written = one.write([record(topic, 'unsure')], { groupId: topic, positions: [at(topic, 1)] });
    await expect(written).rejects.toBeInstanceOf(UncertainError);
    await expect(written).rejects.toThrow('it is not known whether it was committed: connection lost');
    await expect(one.write([record(topic, 'too early')])).rejects.toThrow('claimed first');
    await one.claim();
    const positions = await committedPositions(client, topic, [{ topic, partition: 0 }]);
    expect(positions.get(`${topic}/0`)?.offset ?? 0).toBe(position);
    await one.write([record(topic, 'next')]);
    await settle(one);
    expect(await keysOf(client, { topic, partition: 0 })).toEqual(keys);
    expect(telemetry.value('kafka_transactions_total', { outcome: 'uncertain' })).toBe(1);
  });

  it('writes nothing before it has claimed, nor after it was closed', async () => {
    const { writer } = await setUp('closed');
    const one = writer();
    await expect(one.write([record('closed', 'a')])).rejects.toThrow('claimed first');
    await one.claim();
    await one.close();
    await expect(one.write([record('closed', 'a')])).rejects.toThrow('closed');
    await expect(one.claim()).rejects.toThrow('closed');
  });

  it.each([
    ['patient', undefined],
    ['brief', BRIEF],
  ] as const)('goes on after the broker was away when the client is %s, and closes while it is', async (name, retry) => {
    const topic = `away-${name}`;
    const telemetry = new MemoryTelemetry();
    const client = clientOf(broker(), telemetry, retry);
    await makeTopic(client, topic);
    const writer = new TransactionalWriter({ client, transactionalId: topic, telemetry });
    const other = new TransactionalWriter({ client, transactionalId: `${topic}-2`, telemetry });
    await Promise.all([writer.claim(), other.claim()]);
    await writer.write([record(topic, 'before')]);
    await broker().kill();
    const during = writer.write([record(topic, 'during')]).then(
      () => null,
      (error: unknown) => error,
    );
    const lost = other.write([record(topic, 'lost')]).catch((error: unknown) => error);
    await other.close();
    await broker().start();
    const error = await during;
    if (error !== null) {
      expect(error).toBeInstanceOf(RetryableError);
      await writer.claim();
      await writer.write([record(topic, 'again')]);
    }
    await lost;
    await writer.write([record(topic, 'after')]);
    await settle(writer);
    const keys = (await keysOf(client, { topic, partition: 0 })).filter((key) => key !== 'lost');
    expect(keys).toEqual(['before', error === null ? 'during' : 'again', 'after']);
  });
});
