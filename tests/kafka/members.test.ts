/** The control topic on a real broker: one order for all members, and what is left when a member or the broker goes. */
import { afterEach, expect, it } from 'vitest';
import { BRIEF, kafkaClient } from '../../src/kafka/kafka-client.ts';
import { ensureTopics } from '../../src/kafka/topics.ts';
import { SYSTEM_CLOCK } from '../../src/service/clock.ts';
import { ControlLog } from '../../src/service/members/control-log.ts';
import { Directory } from '../../src/service/members/directory.ts';
import { RollbackPermits } from '../../src/service/members/rollback-permits.ts';
import { MemoryTelemetry } from '../support/memory-telemetry.ts';
import type { Broker } from './rig/broker.ts';
import { describeKafka } from './rig/describe-kafka.ts';

const SEEN = { timeout: 30_000, interval: 20 };

describeKafka('members', (broker) => {
  const started: Member[] = [];
  let nth = 0;

  afterEach(() => Promise.all(started.splice(0).map(({ log }) => log.stop())));

  async function topic(): Promise<string> {
    const name = `control-${nth++}`;
    const { brief } = clients(broker());
    await ensureTopics(brief, [{ name, partitions: 1, compacted: true }], { create: true, replicationFactor: 1 });
    return name;
  }

  async function member(of: string, name: string): Promise<Member> {
    const made = new Member(broker(), of, `${name}-${nth++}`);
    started.push(made);
    await made.log.start();
    return made;
  }

  it('see who has which partition, in the order in which it was claimed, also when they come later', async () => {
    const name = await topic();
    const [a, b] = await Promise.all([member(name, 'a'), member(name, 'b')]);
    const first = await a.log.claim(0, 'http://a');
    const second = await b.log.claim(0, 'http://b');
    await a.log.claim(1, 'http://a');
    expect(second).toBeGreaterThan(first);
    const c = await member(name, 'c');
    for (const { directory } of [a, b, c]) {
      await expect.poll(() => directory.ownerOf(1)?.url, SEEN).toBe('http://a');
      expect(directory.ownerOf(0)).toMatchObject({ url: 'http://b', epoch: second });
      expect(directory.peers('http://b')).toEqual(['http://a']);
    }
  });

  it('let out no more rollbacks together than one of them may, and agree on which', async () => {
    const name = await topic();
    const members = await Promise.all(['a', 'b', 'c'].map((one) => member(name, one)));
    const signals = Array.from({ length: 9 }, (_, i) => ({
      id: `s-${i}`,
      service: `svc-${i}`,
      action: 'rollback' as const,
      evidenceAt: Date.now(),
    }));
    const asked = async (i: number) => {
      const { permits } = members[i % 3] as Member;
      const signal = signals[i] as (typeof signals)[number];
      await expect.poll(() => permits.mayLeave(signal), SEEN).not.toBe('wait');
      return permits.mayLeave(signal);
    };
    const answers = await Promise.all(signals.map((_, i) => asked(i)));
    expect(answers.filter((answer) => answer === 'yes')).toHaveLength(3);
    const late = await member(name, 'late');
    expect(signals.map((signal) => late.permits.mayLeave(signal))).toEqual(answers);
  });

  it('hold rollbacks back while the broker is away, and let them leave when it is back', async () => {
    const name = await topic();
    const a = await member(name, 'a');
    await broker().kill();
    const signal = { id: 's-1', service: 'shop', action: 'rollback', evidenceAt: Date.now() } as const;
    expect(a.permits.mayLeave(signal)).toBe('wait');
    await broker().start();
    await expect.poll(() => a.permits.mayLeave(signal), { timeout: 60_000, interval: 50 }).toBe('yes');
    expect(await a.log.claim(0, 'http://a')).toBeGreaterThanOrEqual(0);
  });

  it('leave no group behind', async () => {
    const name = await topic();
    const a = await member(name, 'a');
    await a.log.stop();
    const admin = clients(broker()).brief.admin();
    await admin.connect();
    const { groups } = await admin.listGroups();
    await admin.disconnect();
    expect(groups.map(({ groupId }) => groupId).filter((groupId) => groupId.startsWith(name))).toEqual([]);
  });
});

function clients(broker: Broker) {
  const connection = { brokers: [broker.address], clientId: 'test', tls: null, sasl: null };
  return { client: kafkaClient(connection, new MemoryTelemetry()), brief: kafkaClient(connection, new MemoryTelemetry(), BRIEF) };
}

class Member {
  readonly directory = new Directory({ partitions: 4, partitionOf: () => 0 });
  readonly log: ControlLog;
  readonly permits: RollbackPermits;

  constructor(broker: Broker, topic: string, member: string) {
    const telemetry = new MemoryTelemetry();
    const clock = SYSTEM_CLOCK;
    this.log = new ControlLog({
      ...{ ...clients(broker), topic, member, sessionTimeoutMs: 6_000, telemetry, clock },
      take: (record) => {
        this.directory.take(record);
        this.permits.take(record);
      },
    });
    const limits = () => ({ maxRollbacksPerHour: 3, commonCause: { services: 0, withinMs: 600_000 } });
    this.permits = new RollbackPermits({ log: this.log, member, telemetry, limits, now: clock.now, monotonicMs: clock.monotonicMs });
  }
}
