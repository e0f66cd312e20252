/** Members of role `ingest` as processes on a real broker: killed, stopped, rebalanced, they hand over every span exactly once. */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { Kafka } from 'kafkajs';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { partitionName } from '../../src/kafka/log.ts';
import { processDocument } from '../service/config.ts';
import { eventually, killAll, Running } from '../service/running.ts';
import { type Story, recordsOf as spansOf, type Tally } from './fleet/numbered-spans.ts';
import { handedOver, partitionsOf, QUARANTINE, uncommitted } from './ingest-support.ts';
import { describeKafka } from './rig/describe-kafka.ts';
import { clientOf, makeTopic, recordsOf } from './writer-support.ts';

const DELTA_PARTITIONS = 3;
const GROUP = 'slipstream-ingest';
/** More than one leaves the broker time for what it has to do as well. */
const LOOK_MS = 100;

const folder = mkdtempSync(join(tmpdir(), 'slipstream-ingest-'));
afterEach(killAll);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describeKafka('members of role ingest', (broker) => {
  let client: Kafka;
  beforeAll(() => {
    client = clientOf(broker());
  });

  const member = (name: string, receivers: object): Running => {
    const own = join(folder, name);
    mkdirSync(own, { recursive: true });
    const process = {
      ...processDocument(),
      kafka: { brokers: [broker().address], partitions: DELTA_PARTITIONS, replicationFactor: 1, sessionTimeout: '6s', flush: '200ms' },
      receivers: { otlpGrpc: { enabled: false }, otlpHttp: { enabled: false }, ...receivers },
    };
    return new Running({ folder: own, config: [process], args: ['--role', 'ingest'] });
  };
  const reading = (topic: string) => ({ kafka: { enabled: true, topics: [topic], from: 'earliest' } });

  /** Polls: what a killed member held is taken up after its session has ended. */
  const caughtUp = async (topic: string, partitions: number, limitMs = 40_000): Promise<void> => {
    const deadline = performance.now() + limitMs;
    for (;;) {
      // While the group moves there is no answer.
      const left = await uncommitted(client, GROUP, partitionsOf(topic, partitions)).catch(String);
      if (left === 0) return;
      if (performance.now() > deadline) throw new Error(`records of ${topic} were not handed over: ${left}`);
      await pause(LOOK_MS);
    }
  };

  it('hand over every span exactly once while they and the broker are killed, stopped and rebalanced', async () => {
    const topic = 'exact_spans';
    const partitions = 6;
    await makeTopic(client, topic, partitions);
    const producer = client.producer({ idempotent: true, maxInFlightRequests: 1 });
    await producer.connect();
    const story: Story = { startSec: Math.floor(Date.now() / 1000) - 30, seconds: 20, spansPerSecond: 12_000, sickFromSecond: 5 };
    const tallies = new Map<string, Tally>();
    const poison: string[] = [];
    let sent = 0;
    const produce = async (from: number, to: number): Promise<void> => {
      for (let second = from; second < to; second++) {
        const garbage = Buffer.from(`no spans in ${second}`);
        poison.push(garbage.toString());
        const values = [...spansOf(story, second, tallies).map(({ value }) => value), garbage];
        await producer.send({ topic, messages: values.map((value) => ({ value, partition: sent++ % partitions })) });
      }
    };

    const first = member('first', reading(topic));
    const second = member('second', reading(topic));
    await Promise.all([first, second].map((running) => running.log('slipstream is running')));
    await produce(0, 4);
    await caughtUp(topic, partitions);
    const producing = produce(4, 10);
    await first.kill();
    const third = member('third', reading(topic));
    await producing;
    await caughtUp(topic, partitions);
    const more = produce(10, 14);
    const ended = await second.stop();
    await more;
    expect(ended).toEqual({ code: 0, signal: null });
    const last = produce(14, 20);
    await broker().kill();
    await broker().start();
    await last;
    await caughtUp(topic, partitions);
    expect(await third.stop()).toEqual({ code: 0, signal: null });

    const handed = await handedOver(client, DELTA_PARTITIONS);
    expect(handed.repeated).toBe(0);
    expect(Object.fromEntries(handed.tallies)).toEqual(Object.fromEntries(tallies));
    // Every partition of deltas hears of every partition of spans, up to the present.
    const sources = partitionsOf(topic, partitions).map(partitionName);
    expect(handed.reports.size).toBe(DELTA_PARTITIONS);
    for (const reports of handed.reports.values()) {
      expect(reports.at(-1)?.expected).toEqual(expect.arrayContaining(sources));
      const told = new Map(reports.at(-1)?.progress.map(({ source, completeUntilMs }) => [source, completeUntilMs]));
      for (const source of sources) expect(told.get(source)).toBeGreaterThan(story.startSec * 1000 + 20_000);
    }
    const aside = await recordsOf(client, [{ topic: QUARANTINE, partition: 0 }]);
    expect(aside.map(({ value }) => Buffer.from(value ?? []).toString()).sort()).toEqual(poison.sort());
    const { headers } = aside[0] ?? {};
    expect(Object.keys(headers ?? {}).sort()).toEqual(
      ['bytes', 'offset', 'partition', 'reason', 'timestamp', 'topic'].map((name) => `slipstream.${name}`),
    );
    await producer.disconnect();
  });

  it('begin no later than they did at first in a partition of which nothing came while they ran', async () => {
    const topic = 'quiet_spans';
    await makeTopic(client, topic);
    const producer = client.producer();
    await producer.connect();
    const story: Story = { startSec: Math.floor(Date.now() / 1000) - 5, seconds: 2, spansPerSecond: 1200, sickFromSecond: 0 };
    const send = (second: number, tallies: Map<string, Tally>) =>
      producer.send({ topic, messages: spansOf(story, second, tallies).map(({ value }) => ({ value })) });
    await send(0, new Map());
    // What is there already is not wanted.
    const receivers = { kafka: { enabled: true, topics: [topic] } };
    const before = await handedOver(client, DELTA_PARTITIONS);
    const first = member('quiet', receivers);
    await first.log('slipstream is running');
    await caughtUp(topic, 1);
    await first.kill();
    const tallies = new Map<string, Tally>();
    await send(1, tallies);
    const second = member('quiet', receivers);
    await second.log('slipstream is running');
    await caughtUp(topic, 1);
    await second.stop();
    const after = await handedOver(client, DELTA_PARTITIONS);
    for (const [key, { requests }] of tallies) {
      expect((after.tallies.get(key)?.requests ?? 0) - (before.tallies.get(key)?.requests ?? 0)).toBe(requests);
    }
    await producer.disconnect();
  });

  it('tell everybody who judges, once, that many records of a partition hold no spans', async () => {
    const topic = 'poisoned_spans';
    await makeTopic(client, topic);
    const producer = client.producer();
    await producer.connect();
    const running = member('poisoned', reading(topic));
    await running.log('slipstream is running');
    await producer.send({ topic, messages: Array.from({ length: 30 }, () => ({ value: 'garbage' })) });
    await caughtUp(topic, 1);
    await running.stop();
    const { reports } = await handedOver(client, DELTA_PARTITIONS);
    const told = [...reports].map(([, all]) => all.flatMap(({ gaps }) => gaps).filter(({ source }) => source === `${topic}/0`));
    for (const gaps of told) {
      expect(gaps.map(({ reason }) => reason)).toContain('poison');
      expect(gaps.reduce((sum, { text }) => sum + Number(/(\d+) records/.exec(text)?.[1]), 0)).toBe(30);
    }
    await producer.disconnect();
  });

  const sending = async (running: Running): Promise<Map<string, Tally>> => {
    const tallies = new Map<string, Tally>();
    const story: Story = { startSec: Math.floor(Date.now() / 1000) - 5, seconds: 2, spansPerSecond: 1200, sickFromSecond: 0 };
    const answers = spansOf(story, 0, tallies).map(({ value }) =>
      fetch(running.http, { method: 'POST', headers: { 'content-type': 'application/x-protobuf' }, body: new Uint8Array(value) }),
    );
    for (const answer of await Promise.all(answers)) expect(answer.status).toBe(200);
    return tallies;
  };

  it('answer for spans that are sent to them once their counts are safe', async () => {
    const running = member('otlp-killed', { otlpHttp: { enabled: true, port: 0 } });
    await running.log('slipstream is running');
    const before = await handedOver(client, DELTA_PARTITIONS);
    const tallies = await sending(running);
    await running.kill();
    const requests = (all: ReadonlyMap<string, Tally>): number => [...all.values()].reduce((sum, tally) => sum + tally.requests, 0);
    // A commit is answered before readers may see it.
    const after = await eventually(
      () => handedOver(client, DELTA_PARTITIONS),
      ({ tallies: all }) => requests(all) - requests(before.tallies) >= requests(tallies),
    );
    for (const [key, sent] of tallies) {
      const had = before.tallies.get(key) ?? { requests: 0, failed: 0 };
      expect(after.tallies.get(key)).toEqual({ requests: had.requests + sent.requests, failed: had.failed + sent.failed });
    }
  });

  it('say how they are, judge nothing, and close as a source when they stop', async () => {
    const running = member('otlp', { otlpHttp: { enabled: true, port: 0 } });
    await running.log('slipstream is running');
    await eventually(
      () => running.status('/readyz'),
      (status) => status === 200,
    );
    await sending(running);
    const asked = await running.ask('/v1/status?window=60s');
    expect(asked.status).toBe(503);
    expect(await asked.json()).toMatchObject({ detail: expect.stringContaining('role ingest') });
    expect(await running.metric('ingest_commits_total{result="committed"}')).toBeGreaterThan(0);
    expect(await running.stop()).toEqual({ code: 0, signal: null });
    const { reports } = await handedOver(client, DELTA_PARTITIONS);
    expect(reports.size).toBe(DELTA_PARTITIONS);
    for (const all of reports.values()) {
      expect(all.at(-1)?.progress).toEqual([
        { source: expect.stringMatching(/^otlp\//), completeUntilMs: expect.any(Number), isClosed: true },
      ]);
    }
  });

  it('say what is in the way when the topic of deltas cannot be used', async () => {
    const running = new Running({
      folder,
      config: [
        {
          ...processDocument(),
          kafka: { brokers: [broker().address], createTopics: false, topics: { deltas: 'nowhere' } },
          receivers: { otlpGrpc: { enabled: false }, otlpHttp: { enabled: true, port: 0 } },
        },
      ],
      args: ['--role', 'ingest'],
    });
    const { code } = await running.ended;
    expect(code).not.toBe(0);
    expect(running.stdout + running.stderr).toContain('nowhere');
  });

  it('stop also while the broker is away', async () => {
    const topic = 'lonely_spans';
    await makeTopic(client, topic);
    const running = member('lonely', reading(topic));
    await running.log('slipstream is running');
    await eventually(
      () => running.status('/readyz'),
      (status) => status === 200,
    );
    await broker().kill();
    expect(await running.stop()).toEqual({ code: 0, signal: null });
  });
});
