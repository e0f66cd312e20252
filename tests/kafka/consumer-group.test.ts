/** Several readers of one group on a real broker: who reads what, and what happens when one of them falls silent. */
import type { Consumer, Kafka } from 'kafkajs';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { kafkaClient, PATIENT } from '../../src/kafka/kafka-client.ts';
import { MemoryTelemetry } from '../support/memory-telemetry.ts';
import { KeepingUser, type Reader, TIMING, values, World } from './consumer-world.ts';
import { describeKafka } from './rig/describe-kafka.ts';

const UNTIL = { timeout: 60_000, interval: 20 };
const PARTITIONS = [0, 1, 2, 3];

describeKafka('readers of one group', (broker) => {
  let world: World;
  beforeAll(() => {
    world = new World(broker().address);
  });
  afterAll(() => world.close());

  const owned = ({ consumer }: Reader) => consumer.statuses().map(({ topic, partition }) => `${topic}/${partition}`);

  it('share the partitions, and those that stay are neither begun again nor read twice', async () => {
    await world.makeTopic('shared', 4);
    for (const partition of PARTITIONS) await world.write('shared', values(20, `${partition}-`), partition);
    const first = world.reader({ groupId: 'shared', topics: ['shared'] });
    await first.consumer.start();
    await vi.waitFor(() => expect(first.user.values()).toHaveLength(80), UNTIL);
    // The second one goes on where the first one is, as if it had been committed.
    const second = world.reader({ groupId: 'shared', topics: ['shared'] });
    for (const [name, position] of first.user.positions) second.user.positions.set(name, position);
    await second.consumer.start();
    await vi.waitFor(() => expect([owned(first).length, owned(second).length]).toEqual([2, 2]), UNTIL);
    expect(first.user.ended.sort()).toEqual(owned(second).sort());
    expect(first.user.begun).toHaveLength(4);
    for (const partition of PARTITIONS) await world.write('shared', values(20, `${partition}+`), partition);
    await vi.waitFor(() => expect(first.user.values().length + second.user.values().length).toBe(160), UNTIL);
    expect(new Set([...first.user.values(), ...second.user.values()]).size).toBe(160);
    expect([...first.user.gaps, ...second.user.gaps]).toEqual([]);
    await second.consumer.stop();
    await vi.waitFor(() => expect(owned(first)).toHaveLength(4), UNTIL);
    expect(first.user.begun).toHaveLength(6);
  });

  it('take back what was asked about a partition that is lost before the answer', async () => {
    await world.makeTopic('slow', 2);
    const user = new KeepingUser();
    const aborted: AbortSignal[] = [];
    const never = Promise.withResolvers<void>();
    user.beginning = () => never.promise;
    const begin = user.begin.bind(user);
    user.begin = (partitions, abort?: AbortSignal) => {
      if (abort !== undefined) aborted.push(abort);
      return begin(partitions);
    };
    const first = world.reader({ groupId: 'slow', topics: ['slow'] }, {}, user);
    await first.consumer.start();
    await vi.waitFor(() => expect(user.begun).toHaveLength(2), UNTIL);
    const second = world.reader({ groupId: 'slow', topics: ['slow'] });
    await second.consumer.start();
    await vi.waitFor(() => expect(user.begun).toHaveLength(3), UNTIL);
    expect(aborted.map((signal) => signal.aborted)).toEqual([true, false]);
    expect(user.begun[2]).toBe(owned(first)[0]);
    never.resolve();
    await second.consumer.stop();
  });

  it('lose and double nothing while members come and go', async () => {
    await world.makeTopic('storm', 4);
    // What all of them take is committed at once, by partition: a user that begins goes on there.
    const committed = new Map<string, { offset: number; anchor: { offset: number; timestampMs: number } }>();
    const taken = new Map<string, Set<number>>();
    const doubled: string[] = [];
    const member = (): Reader => {
      const user = new KeepingUser();
      user.begin = async () => new Map(committed);
      const take = user.take.bind(user);
      user.take = (of, record) => {
        const name = `${of.topic}/${of.partition}`;
        // As a transaction of somebody who was fenced would fail.
        if ((committed.get(name)?.offset ?? 0) !== record.offset) {
          doubled.push(`${name} ${record.offset}`);
          return 'taken';
        }
        committed.set(name, { offset: record.offset + 1, anchor: { offset: record.offset, timestampMs: record.timestampMs } });
        taken.set(name, (taken.get(name) ?? new Set()).add(record.offset));
        return take(of, record);
      };
      return world.reader({ groupId: 'storm', topics: ['storm'] }, {}, user);
    };
    const stays = member();
    await stays.consumer.start();
    let written = 0;
    for (let round = 0; round < 6; round++) {
      const comes = member();
      await comes.consumer.start();
      for (const partition of PARTITIONS) await world.write('storm', values(25, `${round}-`), partition);
      written += 25;
      await vi.waitFor(() => expect(owned(comes).length).toBeGreaterThan(0), UNTIL);
      await comes.consumer.stop();
      expect([...stays.user.gaps, ...comes.user.gaps]).toEqual([]);
    }
    await vi.waitFor(() => expect(PARTITIONS.map((of) => taken.get(`storm/${of}`)?.size)).toEqual(PARTITIONS.map(() => written)), UNTIL);
    expect(doubled).toEqual([]);
  });

  it('replaces a kafkajs consumer that fell silent by a new one, which asks anew where to go on as others may have come meanwhile', async () => {
    await world.makeTopic('silent');
    const { client, made } = remembering();
    const { consumer, user, telemetry } = world.reader(
      { groupId: 'silent', topics: ['silent'] },
      { client, timing: { ...TIMING, silentMs: 1_000 } },
    );
    await consumer.start();
    await world.write('silent', values(5));
    await vi.waitFor(() => expect(user.values()).toHaveLength(5), UNTIL);
    await made[0]?.stop();
    await world.write('silent', values(5, 'more'));
    await vi.waitFor(() => expect(user.values()).toEqual([...values(5), ...values(5, 'more')]), UNTIL);
    expect(telemetry.value('kafka_restarts_total', { reason: 'silent' })).toBe(1);
    expect(user.begun).toEqual(['silent/0', 'silent/0']);
    expect(user.ended).toEqual(['silent/0']);
  });

  it('has one reader at most for each partition, and members without any are live', async () => {
    await world.makeTopic('one');
    const readers = [world.reader({ groupId: 'one', topics: ['one'] }), world.reader({ groupId: 'one', topics: ['one'] })];
    await Promise.all(readers.map(({ consumer }) => consumer.start()));
    await vi.waitFor(() => expect(readers.map(({ consumer }) => consumer.isLive())).toEqual([true, true]), UNTIL);
    await vi.waitFor(() => expect(readers.map((reader) => owned(reader).length).sort()).toEqual([0, 1]), UNTIL);
    expect(readers.map(({ consumer }) => consumer.expected())).toEqual([['one/0'], ['one/0']]);
  });

  /** A client that keeps the consumers it makes, so that one of them can be stopped behind its user's back. */
  function remembering(): { readonly client: Kafka; readonly made: readonly Consumer[] } {
    const connection = { brokers: [broker().address], clientId: 'remembering', tls: null, sasl: null };
    const client = kafkaClient(connection, new MemoryTelemetry(), PATIENT);
    const made: Consumer[] = [];
    const make = client.consumer.bind(client);
    client.consumer = (config) => {
      const consumer = make(config);
      made.push(consumer);
      return consumer;
    };
    return { client, made };
  }
});
