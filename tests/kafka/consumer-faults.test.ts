/** Reading a log of which something is lost, that is another one now, or whose broker or readers go away. */
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { values, World } from './consumer-world.ts';
import { describeKafka } from './rig/describe-kafka.ts';

const UNTIL = { timeout: 60_000, interval: 20 };

describeKafka('a reader of a log that changes under it', (broker) => {
  let world: World;
  beforeAll(() => {
    world = new World(broker().address);
  });
  afterAll(() => world.close());

  async function deleteBefore(topic: string, offset: number): Promise<void> {
    const admin = await world.admin();
    // So it knows who leads the partition.
    await admin.fetchTopicOffsets(topic);
    await admin.deleteTopicRecords({ topic, partitions: [{ partition: 0, offset: String(offset) }] });
  }

  async function makeAgain(topic: string): Promise<void> {
    const admin = await world.admin();
    await admin.deleteTopics({ topics: [topic] });
    await vi.waitFor(() => world.makeTopic(topic), UNTIL);
  }

  it('tells of records that were deleted before it came, with the times between which they were written', async () => {
    await world.makeTopic('retention');
    for (const at of [1_000, 2_000, 3_000, 4_000]) await world.write('retention', [`at ${at}`], 0, at);
    await deleteBefore('retention', 3);
    const { consumer, user, telemetry } = world.reader({ groupId: 'retention', topics: ['retention'] });
    user.positions.set('retention/0', { offset: 1, anchor: { offset: 0, timestampMs: 1_000 } });
    await consumer.start();
    await vi.waitFor(() => expect(user.values()).toEqual(['at 4000']), UNTIL);
    expect(user.gaps).toEqual([{ topic: 'retention', partition: 0, reason: 'retention', from: 1, to: 3, fromMs: 1_000, toMs: 4_000 }]);
    expect(telemetry.value('kafka_gaps_total', { topic: 'retention', reason: 'retention' })).toBe(1);
  });

  it('tells of deleted records also when nothing comes after them', async () => {
    await world.makeTopic('nothing-left');
    await world.write('nothing-left', values(5));
    await deleteBefore('nothing-left', 5);
    const { consumer, user } = world.reader({ groupId: 'nothing-left', topics: ['nothing-left'] });
    user.positions.set('nothing-left/0', { offset: 2, anchor: null });
    await consumer.start();
    await vi.waitFor(() => expect(user.gaps).toMatchObject([{ reason: 'retention', from: 2, to: 5, fromMs: null, toMs: null }]), UNTIL);
    await vi.waitFor(() => expect(consumer.statuses()[0]).toMatchObject({ position: 5, lag: 0 }), UNTIL);
  });

  it('tells of records that are deleted while it waits to read them, and does not touch what the group has committed', async () => {
    await world.makeTopic('overrun');
    await world.write('overrun', values(10));
    const { consumer, user } = world.reader({ groupId: 'overrun', topics: ['overrun'] });
    let isOpen = false;
    user.isFull = (_, { offset }) => !isOpen && offset === 4;
    await consumer.start();
    await vi.waitFor(() => expect(user.values()).toHaveLength(4), UNTIL);
    await consumer.commit(user.positions);
    await deleteBefore('overrun', 7);
    isOpen = true;
    consumer.resume({ topic: 'overrun', partition: 0 });
    await vi.waitFor(() => expect(user.values()).toEqual(['v0', 'v1', 'v2', 'v3', 'v7', 'v8', 'v9']), UNTIL);
    expect(user.gaps).toMatchObject([{ reason: 'retention', from: 4, to: 7 }]);
    const admin = await world.admin();
    const [offsets] = await admin.fetchOffsets({ groupId: 'overrun', topics: ['overrun'] });
    expect(offsets?.partitions).toMatchObject([{ offset: '4' }]);
  });

  it('knows a log that was made again while it was away, although it reaches beyond the position', async () => {
    await world.makeTopic('again-away');
    await world.write('again-away', values(20, 'new'), 0, 9_000);
    const { consumer, user } = world.reader({ groupId: 'again-away', topics: ['again-away'] });
    user.positions.set('again-away/0', { offset: 5, anchor: { offset: 4, timestampMs: 1_000 } });
    await consumer.start();
    await vi.waitFor(() => expect(user.values()).toEqual(values(20, 'new')), UNTIL);
    expect(user.gaps).toMatchObject([{ reason: 'recreated', from: 5, fromMs: 1_000, toMs: 9_000 }]);
  });

  it('tells a shorter log that was made again from one that lost its end by the age of its records', async () => {
    await world.makeTopic('shorter');
    await world.write('shorter', values(3), 0, 5_000);
    const position = (timestampMs: number) => ({ offset: 8, anchor: { offset: 7, timestampMs } });
    const again = world.reader({ groupId: 'shorter-again', topics: ['shorter'] });
    again.user.positions.set('shorter/0', position(4_000));
    const truncated = world.reader({ groupId: 'shorter-truncated', topics: ['shorter'] });
    truncated.user.positions.set('shorter/0', position(5_000));
    await Promise.all([again.consumer.start(), truncated.consumer.start()]);
    await vi.waitFor(() => expect(again.user.values()).toEqual(values(3)), UNTIL);
    expect(again.user.gaps).toMatchObject([{ reason: 'recreated', from: 8, to: 8 }]);
    await vi.waitFor(() => expect(truncated.user.gaps).toMatchObject([{ reason: 'truncated', from: 3, to: 8 }]), UNTIL);
    await world.write('shorter', ['next'], 0, 6_000);
    await vi.waitFor(() => expect(truncated.user.values()).toEqual(['next']), UNTIL);
  });

  it.each([3, 30])('reads a topic from its start that is made again under it, with %i records where there had been 10', async (count) => {
    const topic = `again-${count}`;
    await world.makeTopic(topic);
    await world.write(topic, values(10, 'old'), 0, 1_000);
    const { consumer, user } = world.reader({ groupId: topic, topics: [topic] });
    await consumer.start();
    await vi.waitFor(() => expect(user.values()).toHaveLength(10), UNTIL);
    await makeAgain(topic);
    await vi.waitFor(() => world.write(topic, values(count, 'new')), UNTIL);
    await vi.waitFor(() => expect(user.values()).toEqual([...values(10, 'old'), ...values(count, 'new')]), UNTIL);
    expect(user.gaps).toMatchObject([{ reason: 'recreated', from: 10, fromMs: 1_000 }]);
  });

  it('takes what follows the place it was sent to, however often and wherever that is, in a log half of which is aborted', async () => {
    await world.makeTopic('sent');
    const all = values(60);
    const kept = all.filter((_, i) => i % 3 === 0);
    await world.transactions('sent', all, (value) => kept.includes(value));
    const { consumer, user } = world.reader({ groupId: 'sent', topics: ['sent'] });
    await consumer.start();
    await vi.waitFor(() => expect(consumer.statuses()[0]).toMatchObject({ lag: 0 }), UNTIL);
    const offsets = user.seen.map(({ offset }) => offset);
    expect(offsets).toHaveLength(kept.length);
    for (let round = 0; round < 30; round++) {
      const to = (round * 37) % 115;
      user.seen.length = 0;
      consumer.seek({ topic: 'sent', partition: 0 }, { offset: to, anchor: null });
      const follows = offsets.filter((offset) => offset >= to);
      // Now and then it is sent on in the middle.
      const enough = round % 2 === 0 ? follows.length : Math.min(2, follows.length);
      await vi.waitFor(() => expect(user.seen.length).toBeGreaterThanOrEqual(enough), UNTIL);
      expect(user.seen.map(({ offset }) => offset)).toEqual(follows.slice(0, user.seen.length));
    }
    expect(user.gaps).toEqual([]);
  });

  it('goes on without loss or repetition when the broker is killed and comes again', async () => {
    await world.makeTopic('killed', 2);
    const { consumer, user, telemetry } = world.reader({ groupId: 'killed', topics: ['killed'] });
    await consumer.start();
    const written: string[] = [];
    for (let round = 0; round < 3; round++) {
      for (const partition of [0, 1]) {
        await vi.waitFor(() => world.write('killed', values(50, `${round}-${partition}-`), partition), UNTIL);
        written.push(...values(50, `${round}-${partition}-`));
      }
      if (round === 1) {
        await broker().kill();
        await vi.waitFor(() => expect(consumer.statuses().every(({ deafSinceMs }) => deafSinceMs !== null)).toBe(true), UNTIL);
        const complete = consumer.statuses()[0]?.completeUntilMs ?? 0;
        expect(complete).toBeLessThan(Date.now());
        await broker().start();
      }
      await vi.waitFor(() => expect(new Set(user.values())).toEqual(new Set(written)), UNTIL);
    }
    expect(user.values()).toHaveLength(written.length);
    expect(user.gaps).toEqual([]);
    expect(telemetry.value('kafka_restarts_total')).toBe(0);
    await vi.waitFor(() => expect(consumer.statuses().map(({ deafSinceMs }) => deafSinceMs)).toEqual([null, null]), UNTIL);
  });

  it('stops within seconds while the broker is away, and is not live', async () => {
    await world.makeTopic('away');
    const { consumer, user } = world.reader({ groupId: 'away', topics: ['away'], sessionTimeoutMs: 1_000 });
    await consumer.start();
    await vi.waitFor(() => expect(user.begun).toEqual(['away/0']), UNTIL);
    expect(consumer.isLive()).toBe(true);
    await broker().kill();
    try {
      await vi.waitFor(() => expect(consumer.isLive()).toBe(false), UNTIL);
      // Longer than the limits of its parts together, far shorter than kafkajs would wait.
      const late = Promise.withResolvers<string>();
      const timer = setTimeout(() => late.resolve('still stopping'), 20_000);
      expect(await Promise.race([consumer.stop().then(() => 'stopped'), late.promise])).toBe('stopped');
      clearTimeout(timer);
      expect(consumer.statuses()).toEqual([]);
    } finally {
      await broker().start();
    }
  });

  it('begins while the broker is away and reads when it comes', async () => {
    await world.makeTopic('late');
    await world.write('late', values(3));
    await broker().kill();
    const { consumer, user } = world.reader({ groupId: 'late', topics: ['late'] });
    await consumer.start();
    expect(consumer.isLive()).toBe(false);
    await broker().start();
    await vi.waitFor(() => expect(user.values()).toEqual(values(3)), UNTIL);
  });
});
