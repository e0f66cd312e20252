/** Reading a log with a real broker: order, positions, pauses, and how far everything is taken. */
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { values, World } from './consumer-world.ts';
import { describeKafka } from './rig/describe-kafka.ts';

const UNTIL = { timeout: 60_000, interval: 20 };

describeKafka('a reader of a log', (broker) => {
  let world: World;
  beforeAll(() => {
    world = new World(broker().address);
  });
  afterAll(() => world.close());

  it('takes every record of every partition once and in order', async () => {
    await world.makeTopic('order', 3);
    for (const partition of [0, 1, 2]) await world.write('order', values(200, `p${partition}-`), partition);
    const { consumer, user, telemetry } = world.reader({ groupId: 'order', topics: ['order'] });
    await consumer.start();
    await vi.waitFor(() => expect(user.values()).toHaveLength(600), UNTIL);
    await world.write('order', ['later'], 1);
    await vi.waitFor(() => expect(user.values()).toHaveLength(601), UNTIL);
    expect(user.values('order/0')).toEqual(values(200, 'p0-'));
    expect(user.values('order/1')).toEqual([...values(200, 'p1-'), 'later']);
    expect(user.values('order/2')).toEqual(values(200, 'p2-'));
    expect(user.begun.sort()).toEqual(['order/0', 'order/1', 'order/2']);
    expect(consumer.expected()).toEqual(['order/0', 'order/1', 'order/2']);
    expect(consumer.isLive()).toBe(true);
    expect(telemetry.value('kafka_records_total', { topic: 'order' })).toBe(601);
  });

  it('goes on where its user says, after the record that shows the log to be the same', async () => {
    await world.makeTopic('position');
    await world.write('position', values(10), 0, 1_000);
    const { consumer, user } = world.reader({ groupId: 'position', topics: ['position'] });
    user.positions.set('position/0', { offset: 7, anchor: { offset: 6, timestampMs: 1_000 } });
    await consumer.start();
    await vi.waitFor(() => expect(user.values()).toEqual(['v7', 'v8', 'v9']), UNTIL);
    expect(user.gaps).toEqual([]);
  });

  it('takes nothing before its user has said where to go on', async () => {
    await world.makeTopic('waiting');
    await world.write('waiting', values(3));
    const { consumer, user } = world.reader({ groupId: 'waiting', topics: ['waiting'] });
    const answered = Promise.withResolvers<void>();
    user.beginning = () => answered.promise;
    await consumer.start();
    await vi.waitFor(() => expect(user.begun).toEqual(['waiting/0']), UNTIL);
    // Others are read meanwhile, so this one would have been.
    const other = world.reader({ groupId: 'not-waiting', topics: ['waiting'] });
    await other.consumer.start();
    await vi.waitFor(() => expect(other.user.values()).toHaveLength(3), UNTIL);
    expect(user.values()).toEqual([]);
    answered.resolve();
    await vi.waitFor(() => expect(user.values()).toEqual(values(3)), UNTIL);
  });

  it('asks again when its user cannot say where to go on', async () => {
    await world.makeTopic('asking');
    await world.write('asking', values(3));
    const { consumer, user } = world.reader({ groupId: 'asking', topics: ['asking'] });
    user.beginning = async () => {
      if (user.begun.length === 1) throw new Error('not now');
    };
    await consumer.start();
    await vi.waitFor(() => expect(user.values()).toEqual(values(3)), UNTIL);
  });

  it('begins at the end where nobody has read yet and only what is new is wanted', async () => {
    await world.makeTopic('latest');
    await world.write('latest', values(5));
    const { consumer, user } = world.reader({ groupId: 'latest', topics: ['latest'], from: 'latest' });
    await consumer.start();
    await vi.waitFor(() => expect(consumer.statuses()[0]).toMatchObject({ position: 5, lag: 0 }), UNTIL);
    await world.write('latest', ['new']);
    await vi.waitFor(() => expect(user.values()).toEqual(['new']), UNTIL);
  });

  it('holds a partition back when its user is full, and only that one, until it is resumed', async () => {
    await world.makeTopic('full', 2);
    await world.write('full', values(50), 0);
    const { consumer, user } = world.reader({ groupId: 'full', topics: ['full'] });
    let isOpen = false;
    user.isFull = (of, { offset }) => !isOpen && of.partition === 0 && offset >= 20;
    await consumer.start();
    await vi.waitFor(() => expect(user.refused).toEqual(['full/0']), UNTIL);
    await world.write('full', values(5, 'other'), 1);
    await vi.waitFor(() => expect(user.values('full/1')).toHaveLength(5), UNTIL);
    expect(user.values('full/0')).toEqual(values(20));
    expect(user.refused).toEqual(['full/0']);
    isOpen = true;
    consumer.resume({ topic: 'full', partition: 0 });
    await vi.waitFor(() => expect(user.values('full/0')).toEqual(values(50)), UNTIL);
  });

  it('goes back to a position that it is told, and what is complete is unknown until it was read again', async () => {
    await world.makeTopic('seek');
    await world.write('seek', values(30));
    const { consumer, user } = world.reader({ groupId: 'seek', topics: ['seek'] });
    await consumer.start();
    await vi.waitFor(() => expect(user.values()).toHaveLength(30), UNTIL);
    const of = { topic: 'seek', partition: 0 };
    const before = user.taken.get('seek/0')?.[9];
    consumer.seek(of, { offset: 10, anchor: { offset: 9, timestampMs: before?.timestampMs ?? 0 } });
    expect(consumer.statuses()[0]?.completeUntilMs).toBe(-Infinity);
    await vi.waitFor(() => expect(user.values()).toHaveLength(50), UNTIL);
    expect(user.values().slice(30)).toEqual(values(30).slice(10));
    expect(user.gaps).toEqual([]);
  });

  it('goes back at once when its user says so while it takes a record', async () => {
    await world.makeTopic('seek-within');
    await world.write('seek-within', values(10));
    const { consumer, user } = world.reader({ groupId: 'seek-within', topics: ['seek-within'] });
    let isSentBack = false;
    user.isFull = (of, { offset }) => {
      if (offset === 6 && !isSentBack) {
        isSentBack = true;
        consumer.seek(of, { offset: 2, anchor: null });
      }
      return false;
    };
    await consumer.start();
    await vi.waitFor(() => expect(user.seen.map(({ offset }) => offset)).toEqual([0, 1, 2, 3, 4, 5, 6, 2, 3, 4, 5, 6, 7, 8, 9]), UNTIL);
  });

  it('says of an empty partition that all was taken up to the time its end was asked for', async () => {
    await world.makeTopic('empty');
    let now = 5_000_000;
    const { consumer } = world.reader({ groupId: 'empty', topics: ['empty'] }, { now: () => now });
    await consumer.start();
    await vi.waitFor(() => expect(consumer.statuses()[0]).toMatchObject({ completeUntilMs: 5_000_000, lag: 0 }), UNTIL);
    now = 5_001_000;
    await vi.waitFor(() => expect(consumer.statuses()[0]?.completeUntilMs).toBe(5_001_000), UNTIL);
  });

  it('says of a partition in which it lags the time of the last record taken', async () => {
    await world.makeTopic('lagging');
    for (const at of [1_000, 3_000, 2_000, 9_000]) await world.write('lagging', [`at ${at}`], 0, at);
    const { consumer, user } = world.reader({ groupId: 'lagging', topics: ['lagging'] }, { now: () => 8_000 });
    user.isFull = (_, { offset }) => offset === 3;
    await consumer.start();
    await vi.waitFor(() => expect(consumer.statuses()[0]).toMatchObject({ position: 3, lag: 1, completeUntilMs: 3_000 }), UNTIL);
    expect(user.taken.get('lagging/0')?.map(({ timestampMs }) => timestampMs)).toEqual([1_000, 3_000, 2_000]);
  });

  it('does not know the time of a record from the future', async () => {
    await world.makeTopic('future');
    await world.write('future', ['early'], 0, 9_000);
    const { consumer, user } = world.reader({ groupId: 'future', topics: ['future'] }, { now: () => 8_000 });
    await consumer.start();
    await vi.waitFor(() => expect(user.taken.get('future/0')?.[0]?.timestampMs).toBe(-1), UNTIL);
    expect(consumer.statuses()[0]?.completeUntilMs).toBe(8_000);
  });

  it('passes over aborted transactions and reaches the end behind them', async () => {
    await world.makeTopic('aborted');
    const all = values(40);
    const kept = all.filter((_, i) => i % 2 === 0);
    await world.transactions('aborted', all, (value) => kept.includes(value));
    const { consumer, user } = world.reader({ groupId: 'aborted', topics: ['aborted'] });
    await consumer.start();
    await vi.waitFor(() => expect(consumer.statuses()[0]).toMatchObject({ position: 80, end: 80, lag: 0 }), UNTIL);
    expect(user.values()).toEqual(kept);
    expect(consumer.statuses()[0]?.completeUntilMs).toBeGreaterThan(0);
  });

  it('commits positions where tools that show lag look for them', async () => {
    await world.makeTopic('committed');
    await world.write('committed', values(4));
    const { consumer, user } = world.reader({ groupId: 'committed', topics: ['committed'] });
    await consumer.start();
    await vi.waitFor(() => expect(user.values()).toHaveLength(4), UNTIL);
    await consumer.commit(user.positions);
    const admin = await world.admin();
    const [offsets] = await admin.fetchOffsets({ groupId: 'committed', topics: ['committed'] });
    expect(offsets?.partitions).toMatchObject([{ partition: 0, offset: '4' }]);
  });

  it('lets timers run while it works through a large batch', async () => {
    await world.makeTopic('busy');
    await world.write('busy', values(200));
    const { consumer, user } = world.reader({ groupId: 'busy', topics: ['busy'] });
    let turns = 0;
    let turnsWithin = 0;
    const timer = setInterval(() => turns++, 1);
    user.isFull = (_, { offset }) => {
      if (offset === 0) turns = 0;
      for (const until = performance.now() + 5; performance.now() < until; );
      turnsWithin = turns;
      return false;
    };
    await consumer.start();
    await vi.waitFor(() => expect(user.values()).toHaveLength(200), UNTIL);
    clearInterval(timer);
    expect(turnsWithin).toBeGreaterThan(10);
  });

  it('waits for a topic that is not there yet, and reads it from its start', async () => {
    const { consumer, user } = world.reader({ groupId: 'awaited', topics: ['awaited'], from: 'earliest' });
    await consumer.start();
    await world.makeTopic('awaited');
    await world.write('awaited', values(3));
    await vi.waitFor(() => expect(user.values()).toEqual(values(3)), UNTIL);
  });

  it('takes up topics that match a pattern and come later, and partitions that are added, all from their start', async () => {
    await world.makeTopic('match-a');
    await world.makeTopic('no-match-a');
    await world.write('match-a', ['old']);
    const { consumer, user } = world.reader({ groupId: 'match', topics: /match-.*/, from: 'latest' });
    await consumer.start();
    await vi.waitFor(() => expect(consumer.statuses()[0]?.position).toBe(1), UNTIL);
    // The reader joins the group anew then, and what is written meanwhile comes after the place where it began.
    user.beginning = async () => {
      if (user.ended.length > 0 && user.values('match-a/0').length === 0) await world.write('match-a', ['while away']);
    };
    await world.makeTopic('match-b');
    await world.write('match-b', ['b']);
    await vi.waitFor(() => expect(user.values().sort()).toEqual(['b', 'while away']), UNTIL);
    const admin = await world.admin();
    await admin.createPartitions({ topicPartitions: [{ topic: 'match-a', count: 2 }] });
    // A producer leaves out without a word what is for a partition that it does not know yet.
    await vi.waitFor(
      async () => {
        await world.write('match-a', ['a1'], 1);
        expect(user.values('match-a/1')).toContain('a1');
      },
      { ...UNTIL, interval: 250 },
    );
    await vi.waitFor(() => expect(consumer.expected()).toEqual(['match-a/0', 'match-a/1', 'match-b/0']), UNTIL);
    expect(user.gaps).toEqual([]);
  });
});
