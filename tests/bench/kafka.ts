/** `npm run bench:kafka`: what it costs to read spans from a real broker and to share the work; every figure beside its goal. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { Admin, Kafka } from 'kafkajs';
import { kafkaClient } from '../../src/kafka/kafka-client.ts';
import { Broker } from '../kafka/rig/broker.ts';
import { brokerJars } from '../kafka/rig/broker-tools.ts';
import { processDocument } from '../service/config.ts';
import { Running } from '../service/running.ts';
import { MemoryTelemetry } from '../support/memory-telemetry.ts';
import type { Figure } from './figure.ts';
import { spanRequest } from './otlp-payload.ts';
import { benchTransport } from './transport.ts';

const SPAN_PARTITIONS = 8;
const DELTA_PARTITIONS = 8;
/** As a Collector's batches below its limit of 1 MB a message. */
const RECORD_SPANS = 512;
const RECORDS = 4_000;
const BODIES = 16;
const SERVICES = 40;
/** Seconds of event time that the spans are spread over. */
const SPREAD_SEC = 60;
const PATIENCE_MS = 240_000;
const ROUNDS = 3;
const SPANS = RECORDS * RECORD_SPANS;
/** What comes before is the start of the process, and of V8's optimiser: not what a backlog costs. */
const WARM_SPANS = SPANS / 4;

const folder = mkdtempSync(join(tmpdir(), 'slipstream-bench-'));
const broker = await Broker.start({ jars: await brokerJars(process.env, (line) => console.error(line)), folder: join(folder, 'broker') });
const client: Kafka = kafkaClient({ brokers: [broker.address], clientId: 'bench', tls: null, sasl: null }, new MemoryTelemetry());
const admin: Admin = client.admin();
await admin.connect();
const figures: Figure[] = [];
try {
  const bytes = await fill('otlp_spans');
  console.log(`${SPANS.toLocaleString('en-US')} spans, ${Math.round(bytes / 2 ** 20)} MiB, ${SPAN_PARTITIONS} partitions\n`);
  const http = (await benchTransport({ prefix: 'service', consumeModule: new URL('./pipeline-consume.ts', import.meta.url).href })).find(
    ({ name }) => name === 'service/http/none/512 spans a request',
  );
  show({ name: 'kafka/OTLP over HTTP, for comparison', unit: 'spans/CPU-s', value: http?.value ?? 0 });
  const all = await medianOf(ROUNDS, (round) => catchUp('all', 1, round));
  show({
    name: 'kafka/role all, catching up',
    unit: 'spans/CPU-s',
    value: all.perCpuSec,
    goal: `>= ${Math.round((http?.value ?? 0) * 0.8)}`,
  });
  show({ name: 'kafka/role all, memory', unit: 'MiB', value: all.peakMiB });
  for (const members of [1, 2, 4]) {
    await admin.deleteTopics({ topics: members === 1 ? [] : ['slipstream.deltas'] });
    const ingest = await catchUp('ingest', members, 0);
    show({ name: `kafka/role ingest, ${members} members, catching up`, unit: 'spans/CPU-s', value: ingest.perCpuSec });
    show({ name: `kafka/role ingest, ${members} members, in all`, unit: 'spans/s', value: ingest.perSec });
    show({ name: `kafka/role ingest, ${members} members, memory of one`, unit: 'MiB', value: ingest.peakMiB });
  }
  const deltas = await sizeOf('slipstream.deltas');
  show({ name: 'kafka/bytes of spans to bytes of deltas', unit: 'times', value: bytes / deltas.bytes });
  await evaluate(deltas.records);
} finally {
  await admin.disconnect();
  await broker.stop();
  rmSync(folder, { recursive: true, force: true });
}
process.exit(0);

function show(figure: Figure): void {
  figures.push(figure);
  const goal = figure.goal === undefined ? '' : `   (goal ${figure.goal})`;
  console.log(
    `  ${figure.name.padEnd(64)} ${figure.value.toLocaleString('en-US', { maximumSignificantDigits: 4 }).padStart(14)} ${figure.unit}${goal}`,
  );
}

/** Writes the spans, evenly over the partitions and in order of time; returns the bytes of their values. */
async function fill(topic: string): Promise<number> {
  await admin.createTopics({ topics: [{ topic, numPartitions: SPAN_PARTITIONS, replicationFactor: 1 }] });
  const producer = client.producer();
  await producer.connect();
  const nowMs = Date.now();
  let bytes = 0;
  for (let first = 0; first < RECORDS; first += BODIES) {
    const atMs = nowMs - SPREAD_SEC * 1000 * (1 - first / RECORDS);
    const messages = Array.from({ length: BODIES }, (_, index) => {
      const seed = first + index;
      const value = Buffer.from(
        spanRequest({ spans: RECORD_SPANS, endpoints: 20, service: `shop-${seed % SERVICES}`, nowMs: atMs, seed: seed % 64 }),
      );
      bytes += value.length;
      return { value, partition: seed % SPAN_PARTITIONS, timestamp: String(Math.round(atMs)) };
    });
    await producer.send({ topic, messages });
  }
  await producer.disconnect();
  return bytes;
}

function documents(role: string, group: string): object[] {
  const receivers = {
    otlpGrpc: { enabled: false },
    otlpHttp: { enabled: false },
    ...(role !== 'evaluate' && { kafka: { enabled: true, from: 'earliest', group } }),
  };
  const kafka = { brokers: [broker.address], partitions: DELTA_PARTITIONS, replicationFactor: 1, groups: { ingest: group } };
  return [{ ...processDocument({ receivers }), kafka }];
}

function member(role: string, name: string, group: string): Running {
  const home = join(folder, name);
  mkdirSync(home, { recursive: true });
  return new Running({ folder: home, config: documents(role, group), args: ['--role', role] });
}

/** Of several rounds, by spans per CPU-second: while the broker still writes what it was given, everything beside it is slower. */
async function medianOf<T extends { readonly perCpuSec: number }>(rounds: number, measure: (round: number) => Promise<T>): Promise<T> {
  const measured: T[] = [];
  for (let round = 0; round < rounds; round++) measured.push(await measure(round));
  measured.sort((a, b) => a.perCpuSec - b.perCpuSec);
  return measured[rounds >> 1] as T;
}

/** Spans per second of all members' CPU time, and of the clock, once they are warm. */
async function catchUp(
  role: 'all' | 'ingest',
  count: number,
  round: number,
): Promise<{ readonly perCpuSec: number; readonly perSec: number; readonly peakMiB: number }> {
  const group = `bench-${role}-${count}-${round}`;
  const members = Array.from({ length: count }, (_, index) => member(role, `${role}-${count}-${round}-${index}`, group));
  await Promise.all(members.map((each) => each.log('slipstream is running')));
  const look = async () => {
    const counted = await Promise.all(members.map((each) => each.metric('spans_total{disposition="counted"}')));
    const spans = counted.reduce((all, one) => all + one, 0);
    return { spans, at: performance.now(), cpu: members.reduce((all, { pid }) => all + cpuSec(pid), 0) };
  };
  const deadline = performance.now() + PATIENCE_MS;
  let warm = await look();
  let now = warm;
  while (now.spans < SPANS) {
    if (now.at > deadline) throw new Error(`${role}: only ${now.spans} of ${SPANS} spans were counted`);
    // Asking costs the member time too.
    await pause(200);
    now = await look();
    if (warm.spans < WARM_SPANS) warm = now;
  }
  // What was read again after a rebalance is in the sum twice: some may not be on its way yet.
  while (role === 'ingest' && (await isBehind(group))) await pause(200);
  const peakMiB = Math.max(...members.map(({ pid }) => peakOf(pid)));
  await Promise.all(members.map((each) => each.stop()));
  const spans = now.spans - warm.spans;
  return { perCpuSec: spans / (now.cpu - warm.cpu), perSec: spans / ((now.at - warm.at) / 1000), peakMiB };
}

/** Some records of spans have not been committed by the group. */
async function isBehind(groupId: string): Promise<boolean> {
  const ends = await admin.fetchTopicOffsets('otlp_spans');
  const [done] = await admin.fetchOffsets({ groupId, topics: ['otlp_spans'] });
  const committed = new Map(done?.partitions.map(({ partition, offset }) => [partition, Number(offset)]));
  return ends.some(({ partition, high }) => (committed.get(partition) ?? -1) < Number(high));
}

/** User and system time of a process. Source: proc(5), fields 14 and 15 of stat, in ticks of 10 ms. */
function cpuSec(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

/** The most memory that a process has had. Source: proc(5), VmHWM in kB. */
function peakOf(pid: number): number {
  return Number(/^VmHWM:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) / 1024;
}

/** Committed records and the bytes of their values. */
async function sizeOf(topic: string): Promise<{ readonly records: number; readonly bytes: number }> {
  const ends = await admin.fetchTopicOffsets(topic);
  const left = new Map(ends.map(({ partition, high }) => [partition, Number(high)]));
  let [records, bytes] = [0, 0];
  const consumer = client.consumer({ groupId: `size-${Date.now()}`, maxWaitTimeInMs: 100 });
  await consumer.connect();
  await consumer.subscribe({ topics: [topic], fromBeginning: true });
  const done = Promise.withResolvers<void>();
  const seen = (partition: number, last: number): void => {
    if (last + 1 >= (left.get(partition) ?? 0)) left.delete(partition);
    if (left.size === 0) done.resolve();
  };
  for (const [partition, high] of left) if (high === 0) left.delete(partition);
  consumer.on(consumer.events.END_BATCH_PROCESS, ({ payload }) => seen(payload.partition, Number(payload.lastOffset)));
  await consumer.run({
    eachBatch: async ({ batch }) => {
      for (const { value } of batch.messages) {
        records++;
        bytes += value?.length ?? 0;
      }
    },
  });
  await done.promise;
  await consumer.disconnect();
  return { records, bytes };
}

/** What one member judges per second of its CPU, and how soon another takes over from one that was killed. */
async function evaluate(records: number): Promise<void> {
  const alone = member('evaluate', 'evaluate-1', 'bench');
  await alone.log('slipstream is running');
  const start = cpuSec(alone.pid);
  const deadline = performance.now() + PATIENCE_MS;
  const requests = async (): Promise<number> => {
    const { services } = await alone.state('15m');
    return services.flatMap(({ endpoints }) => endpoints).reduce((sum, one) => sum + one.requests, 0);
  };
  while ((await requests().catch(() => 0)) < SPANS) {
    if (performance.now() > deadline) throw new Error(`evaluate: only ${await requests()} of ${SPANS} spans`);
    await pause(250);
  }
  show({ name: 'kafka/role evaluate, catching up', unit: 'spans/CPU-s', value: SPANS / (cpuSec(alone.pid) - start) });
  show({ name: 'kafka/role evaluate, records of deltas', unit: 'records/CPU-s', value: records / (cpuSec(alone.pid) - start) });
  show({ name: 'kafka/role evaluate, memory', unit: 'MiB', value: peakOf(alone.pid) });
  const other = member('evaluate', 'evaluate-2', 'bench');
  await other.log('slipstream is running');
  await owned(alone, other, DELTA_PARTITIONS);
  const killedAt = performance.now();
  await alone.kill();
  while ((await other.metric('cells').catch(() => 0)) < DELTA_PARTITIONS) await pause(20);
  show({
    name: 'kafka/another member has taken over after kill -9',
    unit: 's',
    value: (performance.now() - killedAt) / 1000,
    goal: '<= 15',
  });
  await other.stop();
}

async function owned(first: Running, second: Running, all: number): Promise<void> {
  const deadline = performance.now() + PATIENCE_MS;
  for (;;) {
    const [a, b] = await Promise.all([first.metric('cells'), second.metric('cells')]);
    if (a + b === all && a > 0 && b > 0) return;
    if (performance.now() > deadline) throw new Error(`two members have ${a} and ${b} of ${all} partitions`);
    await pause(50);
  }
}
