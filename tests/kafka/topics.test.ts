/** Topics that members share, against a real broker: made when they may be, and refused with all that is wrong with them. */
import { expect, it } from 'vitest';
import { ensureTopics } from '../../src/kafka/topics.ts';
import { PermanentError, RetryableError } from '../../src/model/errors.ts';
import { describeKafka } from './rig/describe-kafka.ts';
import { clientOf } from './writer-support.ts';

const CREATE = { create: true, replicationFactor: -1 };
const ONLY_LOOK = { create: false, replicationFactor: -1 };
const DELTAS = { name: 'deltas', partitions: 4, compacted: false, retentionMs: 3_600_000 };
const STATE = { name: 'state', partitions: 4, compacted: true };

describeKafka('topics that members share', (broker) => {
  it('are made with what is asked of them, by whoever comes first, and found by all others', async () => {
    const client = clientOf(broker());
    const wanted = [DELTAS, STATE];
    const counts = new Map([
      ['deltas', 4],
      ['state', 4],
    ]);
    const members = await Promise.all([1, 2, 3].map(() => ensureTopics(clientOf(broker()), wanted, CREATE)));
    expect(members).toEqual([counts, counts, counts]);
    expect(await ensureTopics(client, wanted, ONLY_LOOK)).toEqual(counts);
    const admin = client.admin();
    await admin.connect();
    const { resources } = await admin.describeConfigs({
      includeSynonyms: false,
      resources: wanted.map(({ name }) => ({ type: 2, name, configNames: ['cleanup.policy', 'retention.ms', 'segment.bytes'] })),
    });
    await admin.disconnect();
    const config = (name: string) =>
      Object.fromEntries(
        resources
          .find(({ resourceName }) => resourceName === name)
          ?.configEntries.map(({ configName, configValue }) => [configName, configValue]) ?? [],
      );
    expect(config('deltas')).toMatchObject({ 'cleanup.policy': 'delete', 'retention.ms': '3600000' });
    expect(config('state')).toMatchObject({ 'cleanup.policy': 'compact', 'segment.bytes': `${64 * 1024 * 1024}` });
  });

  it('are found by members that start at the same moment on an empty broker, again and again', async () => {
    for (let round = 0; round < 5; round++) {
      const wanted = [DELTAS, STATE].map((topic) => ({ ...topic, name: `${topic.name}-${round}` }));
      const members = await Promise.all([1, 2, 3, 4].map(() => ensureTopics(clientOf(broker()), wanted, CREATE)));
      expect(members.map((counts) => [...counts.values()])).toEqual(members.map(() => [4, 4]));
    }
  });

  it('are refused with everything that is wrong with them', async () => {
    const client = clientOf(broker());
    await ensureTopics(
      client,
      [
        { name: 'few', partitions: 2, compacted: false },
        { name: 'kept', partitions: 1, compacted: true },
      ],
      CREATE,
    );
    const wanted = [
      { name: 'few', partitions: 3, compacted: true },
      { name: 'kept', partitions: 1, compacted: false },
    ];
    const refused = ensureTopics(client, wanted, CREATE);
    await expect(refused).rejects.toBeInstanceOf(PermanentError);
    await expect(refused).rejects.toThrow(
      'few has 2 partitions, not 3; few has cleanup.policy=delete, not compact; kept has cleanup.policy=compact, not delete',
    );
  });

  it('are refused when they are missing and may not be made', async () => {
    const wanted = ['none', 'neither'].map((name) => ({ name, partitions: 1, compacted: false }));
    await expect(ensureTopics(clientOf(broker()), wanted, ONLY_LOOK)).rejects.toThrow('none does not exist; neither does not exist');
  });

  it.each([
    [
      'more replicas than brokers',
      { name: 'replicas', partitions: 1, compacted: false },
      3,
      /replicas cannot be created: INVALID_REPLICATION_FACTOR/,
    ],
    ['a name that is none', { name: 'no name', partitions: 1, compacted: false }, 1, /no name cannot be created: INVALID_TOPIC_EXCEPTION/],
  ])('are refused when the broker will not make them: %s', async (_, topic, replicationFactor, message) => {
    const made = ensureTopics(clientOf(broker()), [topic], { create: true, replicationFactor });
    await expect(made).rejects.toThrow(message);
    await expect(made).rejects.toBeInstanceOf(PermanentError);
  });

  it('may be there, for all that is known, while the broker is away', async () => {
    const client = clientOf(broker());
    await broker().kill();
    const looking = ensureTopics(client, [DELTAS], ONLY_LOOK).then(
      (counts) => counts,
      (error: unknown) => error,
    );
    await broker().start();
    const answer = await looking;
    if (answer instanceof RetryableError) expect(answer.message).toMatch(/^looking at the topics deltas: /);
    else expect(answer).toEqual(new Map([['deltas', 4]]));
    expect(await ensureTopics(client, [DELTAS], ONLY_LOOK)).toEqual(new Map([['deltas', 4]]));
  });
});
