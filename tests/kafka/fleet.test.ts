/** Two million numbered spans through members that die, join and leave, and a broker that dies: nothing is lost, nothing counts twice, verdicts are the same. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { afterAll, expect, it } from 'vitest';
import type { ExplainedRunWire, StatusWire } from '../../src/api/schemas.ts';
import { loadConfig } from '../../src/config/load-config.ts';
import { kafkaClient } from '../../src/kafka/kafka-client.ts';
import type { AnalysisRun } from '../../src/model/rollout.ts';
import { Stages } from '../../src/service/stages.ts';
import { processDocument } from '../service/config.ts';
import { API_TOKEN, configFile, eventually, killAll, WEBHOOK_SECRET } from '../service/running.ts';
import { MemoryTelemetry } from '../support/memory-telemetry.ts';
import { WebhookReceiver } from '../support/webhook-receiver.ts';
import { Fleet, policies, type Role } from './fleet/fleet.ts';
import { BASELINE, CANARY, recordsOf, SICK, type Story, serviceName, type Tally } from './fleet/numbered-spans.ts';
import { describeKafka } from './rig/describe-kafka.ts';

const SPAN_PARTITIONS = 6;
const DELTA_PARTITIONS = 4;
const KILLS = 20;
const BROKER_KILLS = 3;
const SPANS = 2_004_000;
const SECONDS = 100;
/** All has been counted at the latest so long after the last span. */
const SETTLED_MS = 90_000;
/** The process that judges alone hears nothing for so long at the end: all that came is judged then, and nothing is stale yet. */
const AFTER_SECONDS = 5;
const TOPIC = 'otlp_spans';
const HEALTHY = serviceName(1);

const folder = mkdtempSync(join(tmpdir(), 'slipstream-fleet-'));
afterAll(async () => {
  await killAll();
  rmSync(folder, { recursive: true, force: true });
});

describeKafka('members that share the work', (broker) => {
  it(`count ${SPANS} spans exactly while ${KILLS} of them and the broker are killed, and judge as one process does`, {
    timeout: 400_000,
  }, async () => {
    const webhook = await WebhookReceiver.listen([WEBHOOK_SECRET]);
    const fleet = new Fleet({ broker: broker().address, folder, webhookUrl: webhook.url, deltaPartitions: DELTA_PARTITIONS });
    const client = kafkaClient({ brokers: [broker().address], clientId: 'fleet', tls: null, sasl: null }, new MemoryTelemetry());
    const admin = client.admin();
    await admin.connect();
    await admin.createTopics({ topics: [{ topic: TOPIC, numPartitions: SPAN_PARTITIONS, replicationFactor: 1 }] });
    const producer = client.producer({ idempotent: true, maxInFlightRequests: 1 });
    await producer.connect();
    for (const name of ['evaluate-1', 'evaluate-2']) await fleet.start('evaluate', name).log('slipstream is running');
    for (const name of ['ingest-1', 'ingest-2']) await fleet.start('ingest', name).log('slipstream is running');

    const story: Story = {
      startSec: Math.floor(Date.now() / 1000) + 1,
      seconds: SECONDS,
      spansPerSecond: SPANS / SECONDS,
      sickFromSecond: 40,
    };
    const tallies = new Map<string, Tally>();
    let records = 0;
    const produce = async (): Promise<void> => {
      for (let second = 0; second < story.seconds; second++) {
        await pause(Math.max(0, (story.startSec + second + 1) * 1000 - Date.now()));
        const messages = recordsOf(story, second, tallies).map(({ value, timestampMs }) => ({
          value,
          timestamp: String(timestampMs),
          partition: records++ % SPAN_PARTITIONS,
        }));
        await producer.send({ topic: TOPIC, messages });
      }
    };
    const run = (service: string) => ({ ...wishFor(service), startedAt: new Date(story.startSec * 1000).toISOString() });
    const begin = async (service: string): Promise<void> => {
      await eventually(
        () =>
          fleet
            .judge()
            .startRollout(run(service))
            .then(
              (answer) => answer.status,
              () => 0,
            ),
        (status) => status === 201 || status === 200,
      );
    };

    let killed = 0;
    let brokerKilled = 0;
    const torment = async (): Promise<void> => {
      for (let strike = 0; strike < KILLS; strike++) {
        const role: Role = strike % 2 === 0 ? 'ingest' : 'evaluate';
        await pause(Math.max(0, story.startSec * 1000 + ((strike + 1) * SECONDS * 1000) / (KILLS + 1) - Date.now()));
        const name = fleet.of(role)[strike % 3 === 0 ? 0 : 1] ?? fleet.of(role)[0] ?? '';
        await fleet.kill(name);
        killed++;
        fleet.start(role, name);
        if (strike === 5) fleet.start('ingest', 'ingest-3');
        if (strike === 9) fleet.start('evaluate', 'evaluate-3');
        if (strike === 12) await fleet.leave('ingest-3');
        if (strike === 15) await fleet.leave('evaluate-3');
        if (strike % 6 === 4) {
          await broker().kill();
          brokerKilled++;
          await broker().start();
        }
      }
    };
    await Promise.all([produce(), torment(), begin(SICK), begin(HEALTHY)]);
    expect({ killed, brokerKilled }).toEqual({ killed: KILLS, brokerKilled: BROKER_KILLS });
    const written = await admin.fetchTopicOffsets(TOPIC);
    expect(written.reduce((sum, { high }) => sum + Number(high), 0)).toBe(records);

    const expected = Object.fromEntries([...tallies].sort(([a], [b]) => (a < b ? -1 : 1)));
    const counted = async (): Promise<Record<string, Tally>> => {
      const status = (await fleet
        .judge()
        .json('/v1/status?window=15m')
        .catch(() => null)) as StatusWire | null;
      return talliesOf(status);
    };
    const deadline = Date.now() + SETTLED_MS;
    let last = await counted();
    while (JSON.stringify(last) !== JSON.stringify(expected) && Date.now() < deadline) {
      await pause(500);
      last = await counted();
    }
    expect(last).toEqual(expected);
    expect([...tallies.values()].reduce((sum, { requests }) => sum + requests, 0)).toBe(SPANS);

    const alone = judgedAlone(story, [wishFor(SICK), wishFor(HEALTHY)]);
    for (const service of [SICK, HEALTHY]) {
      await eventually(
        async () => judgedOf(await fleet.judge().run(`run-${service}`)),
        (judged) => isDeepStrictEqual(judged, alone.get(service)),
        (judged) => `${service}: ${JSON.stringify(judged)} is not ${JSON.stringify(alone.get(service))}`,
      );
    }
    const rollbacks = webhook.requests.filter(({ body }) => body.includes('rollback'));
    expect(new Set(rollbacks.map(({ id }) => id)).size).toBe(1);
    expect(new Set(rollbacks.map(({ body }) => body)).size).toBe(1);
    expect(rollbacks.every(({ verified }) => verified[0])).toBe(true);

    await fleet.stop();
    await producer.disconnect();
    await admin.disconnect();
    await webhook.close();
  });
});

type RolloutWish = ReturnType<typeof wishFor>;

function wishFor(service: string) {
  const [baseline, canary] = [{ 'service.version': BASELINE }, { 'service.version': CANARY }];
  return { id: `run-${service}`, service, generation: 1, baseline, canary };
}

/** As `service release endpoint`, ascending. */
function talliesOf(status: StatusWire | null): Record<string, Tally> {
  const found: [string, Tally][] = [];
  for (const { service, endpoints } of status?.services ?? [])
    for (const { endpoint, release, requests, failed } of endpoints)
      if (requests > 0) found.push([`${service} ${release} ${endpoint}`, { requests, failed }]);
  return Object.fromEntries(found.sort(([a], [b]) => (a < b ? -1 : 1)));
}

type Judged = ReturnType<typeof judgedOf>;

function judgedOf({ state, verdict: { decision, reason, decidedBy } }: Pick<AnalysisRun | ExplainedRunWire, 'state' | 'verdict'>) {
  return { state, decision, reason, decidedBy };
}

/** The same spans, in order, through both stages of one process. */
function judgedAlone(story: Story, runs: readonly RolloutWish[]): ReadonlyMap<string, Judged> {
  const loaded = loadConfig(configFile(folder, [processDocument(), ...policies()]), { SLIPSTREAM_API_TOKEN: API_TOKEN });
  if ('problems' in loaded) throw new Error(JSON.stringify(loaded.problems));
  const { engine, ingest } = new Stages({ config: loaded.config, source: 'alone', epoch: 'alone', hashSeed: 1 });
  for (const wish of runs) engine.startRollout({ ...wish, startedAt: story.startSec * 1000 }, story.startSec * 1000);
  for (let second = 0; second < story.seconds + AFTER_SECONDS; second++) {
    const now = (story.startSec + second + 1) * 1000;
    if (second < story.seconds) for (const { value } of recordsOf(story, second, new Map())) ingest.consume('protobuf', value, now);
    engine.merge(ingest.flush());
    engine.advance(now);
  }
  return new Map(
    runs.map(({ service }) => {
      const run = engine.rollouts.find(`run-${service}`)?.view();
      if (run === undefined) throw new Error(`${service} has no run`);
      return [service, judgedOf(run)];
    }),
  );
}
