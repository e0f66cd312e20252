/** Members of role `evaluate` as processes on a real broker: what keeps one from starting, and one that stands still while others judge in its place. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { ITopicConfig, Kafka } from 'kafkajs';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { deltaPartition } from '../../src/service/ingest/delta-partition.ts';
import { processDocument } from '../service/config.ts';
import { eventually, killAll, Running, WEBHOOK_SECRET } from '../service/running.ts';
import { WebhookReceiver } from '../support/webhook-receiver.ts';
import { Fleet } from './fleet/fleet.ts';
import { BASELINE, CANARY, recordsOf, SICK, type Story } from './fleet/numbered-spans.ts';
import { describeKafka } from './rig/describe-kafka.ts';
import { clientOf, makeTopic } from './writer-support.ts';

const DELTA_PARTITIONS = 4;
const TAKEN = 'a partition of the delta topic was taken over';

const folder = mkdtempSync(join(tmpdir(), 'slipstream-evaluate-'));
afterEach(killAll);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describeKafka('members of role evaluate', (broker) => {
  let client: Kafka;
  beforeAll(() => {
    client = clientOf(broker());
  });

  const compacted = [{ name: 'cleanup.policy', value: 'compact' }];
  const made = async (topics: ITopicConfig[]): Promise<void> => {
    const admin = client.admin();
    await admin.connect();
    await admin.createTopics({ topics, waitForLeaders: true });
    await admin.disconnect();
  };
  it.each<[string, object, ITopicConfig[], string]>([
    ['no broker answers', { brokers: ['127.0.0.1:1'] }, [], '127.0.0.1:1'],
    ['a topic is missing', { createTopics: false, topics: { state: 'missing.state' } }, [], 'missing.state does not exist'],
    [
      'the state has other partitions than the counts',
      { topics: { deltas: 'odd.deltas', state: 'odd.state' } },
      [
        { topic: 'odd.deltas', numPartitions: 4 },
        { topic: 'odd.state', numPartitions: 3, configEntries: compacted },
      ],
      'odd.state has 3 partitions, not 4',
    ],
    [
      'the state would be deleted by age',
      { topics: { state: 'aging.state' } },
      [{ topic: 'aging.state', numPartitions: 4 }],
      'aging.state has cleanup.policy=delete, not compact',
    ],
  ])('end with what is in the way when %s', async (_, kafka, topics, told) => {
    if (topics.length > 0) await made(topics);
    const own = mkdtempSync(join(folder, 'start-'));
    const document = {
      ...processDocument(),
      kafka: { brokers: [broker().address], partitions: DELTA_PARTITIONS, replicationFactor: 1, ...kafka },
      receivers: { otlpGrpc: { enabled: false }, otlpHttp: { enabled: false } },
    };
    const running = new Running({ folder: own, config: [document], args: ['--role', 'evaluate'] });
    const { code } = await running.ended;
    expect(code).toBe(1);
    expect(running.stdout + running.stderr).toContain(told);
    expect(running.stderr).not.toContain('    at ');
  });

  it('that stand still for longer than a session take nothing back from who judges in their place, and a rollback leaves once', async () => {
    const webhook = await WebhookReceiver.listen([WEBHOOK_SECRET]);
    await makeTopic(client, 'otlp_spans', 2);
    const fleet = new Fleet({ broker: broker().address, folder, webhookUrl: webhook.url, deltaPartitions: DELTA_PARTITIONS });
    const names = ['evaluate-1', 'evaluate-2'];
    const members = names.map((name) => fleet.start('evaluate', name));
    fleet.start('ingest', 'ingest-1');
    await Promise.all([...fleet.members.values()].map((member) => member.log('slipstream is running')));
    const cells = (member: Running): Promise<number> => member.metric('cells').catch(() => 0);
    await eventually(
      () => Promise.all(members.map(cells)),
      (each) => each.every((count) => count === DELTA_PARTITIONS / 2),
    );
    const producer = client.producer({ idempotent: true, maxInFlightRequests: 1 });
    await producer.connect();
    const story: Story = { startSec: Math.floor(Date.now() / 1000), seconds: 28, spansPerSecond: 4_800, sickFromSecond: 8 };
    const wish = {
      ...{ id: 'run-sick', service: SICK, generation: 1 },
      baseline: { 'service.version': BASELINE },
      canary: { 'service.version': CANARY },
      startedAt: new Date(story.startSec * 1000).toISOString(),
    };
    // The first that is asked may not know yet who judges the service.
    await eventually(
      async () => (await fleet.judge().startRollout(wish)).status,
      (status) => status === 201 || status === 200,
    );
    let sent = 0;
    const producing = (async () => {
      for (let second = 0; second < story.seconds; second++) {
        await pause(Math.max(0, (story.startSec + second + 1) * 1000 - Date.now()));
        const messages = recordsOf(story, second, new Map()).map(({ value, timestampMs }) => ({
          ...{ value, timestamp: String(timestampMs) },
          partition: sent++ % 2,
        }));
        await producer.send({ topic: 'otlp_spans', messages });
      }
    })();
    const partition = deltaPartition(SICK, DELTA_PARTITIONS);
    const took = (member: Running): number =>
      Number(member.lines.findLast((line) => line.msg === TAKEN && line.partition === partition)?.time ?? 0);
    const [zombie, heir] = members.toSorted((a, b) => took(b) - took(a)) as [Running, Running];
    // About when it decides.
    await pause(Math.max(0, (story.startSec + story.sickFromSecond + 2) * 1000 - Date.now()));
    zombie.signal('SIGSTOP');
    await eventually(
      () => cells(heir),
      (count) => count === DELTA_PARTITIONS,
    );
    zombie.signal('SIGCONT');
    await eventually(
      () => Promise.all(members.map(cells)),
      (each) => each.every((count) => count === DELTA_PARTITIONS / 2),
    );
    await producing;
    await eventually(
      async () => webhook.requests.filter(({ body }) => body.includes('rollback')),
      (rollbacks) => rollbacks.length > 0,
    );
    // Only the one that stood still may find out by being refused.
    expect(heir.lines.filter(({ msg }) => msg === 'the state of a partition has another owner; its cell is dropped')).toEqual([]);
    const rollbacks = webhook.requests.filter(({ body }) => body.includes('rollback'));
    expect(new Set(rollbacks.map(({ id }) => id)).size).toBe(1);
    await fleet.stop();
    await producer.disconnect();
    await webhook.close();
  });
});
