/** Counts on their way to the topic of deltas: which partition, how large, what is set aside, and what happens when the way is blocked or taken over. */
import fc from 'fast-check';
import kafkajs, { type Kafka } from 'kafkajs';
import { beforeAll, describe, expect, it } from 'vitest';
import { PartitionedIngest } from '../../src/ingest/partitioned-ingest.ts';
import type { LogPosition, LogRecord } from '../../src/kafka/log.ts';
import { committedPositions } from '../../src/kafka/log-reader.ts';
import { ensureTopics } from '../../src/kafka/topics.ts';
import { TransactionalWriter } from '../../src/kafka/transactional-writer.ts';
import { HistogramLayout } from '../../src/model/histogram-layout.ts';
import { RecordIntake } from '../../src/receivers/kafka/record-intake.ts';
import { SYSTEM_CLOCK } from '../../src/service/clock.ts';
import { deltaPartition, murmur2 } from '../../src/service/ingest/delta-partition.ts';
import { deltaRecords } from '../../src/service/ingest/delta-records.ts';
import { PoisonWatch, quarantined } from '../../src/service/ingest/quarantine.ts';
import { SpanPartition } from '../../src/service/ingest/span-partition.ts';
import { SeriesRules } from '../../src/service/series-rules.ts';
import { Origins } from '../../src/window/origins.ts';
import { DeltaReader } from '../../src/wire/delta-reader.ts';
import { isWireError } from '../../src/wire/wire-error.ts';
import { eventually } from '../service/running.ts';
import { MemoryTelemetry } from '../support/memory-telemetry.ts';
import { policies } from '../support/policies.ts';
import { TEST_SPAN_RULES } from '../support/span-rules.ts';
import { type Story, recordsOf as spansOf, type Tally } from './fleet/numbered-spans.ts';
import { DELTAS, handedOver, QUARANTINE } from './ingest-support.ts';
import { describeKafka } from './rig/describe-kafka.ts';
import { clientOf } from './writer-support.ts';

const LAYOUT = new HistogramLayout(2, 60_000_000);
const DELTA_PARTITIONS = 3;
const GROUP = 'counting';
const OF = { topic: 'spans', partition: 0 };

function ingestOf(flushSpans?: number): PartitionedIngest {
  const config = { series: { maxTotal: 1000, maxReleasesPerService: 10 }, spans: TEST_SPAN_RULES, policies: policies({}) };
  const { table } = new SeriesRules({ config, hashSeed: 1, isCompared: () => false });
  return new PartitionedIngest({
    rules: TEST_SPAN_RULES,
    layout: LAYOUT,
    series: table,
    pods: 'seats',
    ...(flushSpans !== undefined && { flushSpans }),
  });
}

function story(spansPerSecond: number): Story {
  return { startSec: Math.floor(Date.now() / 1000) - 10, seconds: 10, spansPerSecond, sickFromSecond: 3 };
}

function sum(tallies: ReadonlyMap<string, Tally>): number {
  return [...tallies.values()].reduce((total, { requests }) => total + requests, 0);
}

describe('the partition of a service', () => {
  // Source: Kafka, clients' UtilsTest.testMurmur2.
  it.each([
    ['21', -973932308],
    ['foobar', -790332482],
    ['a-little-bit-long-string', -985981536],
    ['a-little-bit-longer-string', -1486304829],
    ['lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8', -58897971],
    ['abc', 479470107],
  ])('hashes %s as Java does', (text, hash) => {
    expect(murmur2(Buffer.from(text))).toBe(hash);
  });

  it('is the one that a default producer of kafkajs would take', () => {
    const partitioner = kafkajs.Partitioners.DefaultPartitioner();
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', minLength: 1, maxLength: 40 }), fc.integer({ min: 1, max: 200 }), (service, count) => {
        const partitionMetadata = Array.from({ length: count }, (_, partitionId) => ({
          partitionId,
          partitionErrorCode: 0,
          leader: 1,
          replicas: [1],
          isr: [1],
        }));
        const message = { key: service, value: null };
        expect(deltaPartition(service, count)).toBe(partitioner({ topic: DELTAS, partitionMetadata, message }));
      }),
    );
  });
});

describe('a flush', () => {
  it.each([1_000_000, 3_000, 1_500, 400])('of records of at most %i bytes says the same, and no part is taken for another', (maxBytes) => {
    const ingest = ingestOf();
    const partition = ingest.partition('spans/0');
    const tallies = new Map<string, Tally>();
    const told = story(2_400);
    for (let second = 0; second < told.seconds; second++) {
      for (const { value } of spansOf(told, second, tallies)) partition.consume('protobuf', value, Date.now());
    }
    const origin = { source: 'spans/0', epoch: 'a', sequence: 120 };
    const records = deltaRecords(partition.flush(origin), ingest.names, { topic: DELTAS, partitions: 1 }, maxBytes);
    const reader = new DeltaReader({ layout: LAYOUT });
    const origins = new Origins();
    let counted = 0;
    for (const { value } of records) {
      expect(value?.length).toBeLessThanOrEqual(maxBytes);
      const deltas = reader.read(value ?? new Uint8Array(0));
      if (isWireError(deltas)) throw new Error(JSON.stringify(deltas));
      expect(origins.admit(deltas.origin)).toBe(true);
      for (let row = 0; row < deltas.size; row++) counted += deltas.count[row] as number;
    }
    expect(counted).toBe(sum(tallies));
    if (maxBytes === 1_000_000) expect(records.length).toBe(12);
    else expect(records.length).toBeGreaterThan(12);
  });
});

describe('a record that holds no spans', () => {
  const record = (bytes: number): LogRecord => ({
    offset: 17,
    timestampMs: 1_700_000_000_000,
    key: null,
    value: Buffer.alloc(bytes, 7),
    headers: {},
  });

  it('is kept with where it was, and cut where a broker would refuse it', () => {
    const kept = quarantined(QUARANTINE, OF, record(3_000_000), 'no request');
    expect(kept.value?.length).toBe(512 * 1024);
    expect(kept.headers).toEqual({
      'slipstream.topic': 'spans',
      'slipstream.partition': '0',
      'slipstream.offset': '17',
      'slipstream.timestamp': '1700000000000',
      'slipstream.bytes': '3000000',
      'slipstream.reason': 'no request',
    });
  });

  it('is a gap only among more than ten in a minute, and each is told of once', () => {
    const watch = new PoisonWatch('spans/0');
    for (let i = 0; i < 10; i++) expect(watch.note(1_000 + i, i)).toBe(true);
    expect(watch.takeGap()).toBeNull();
    expect(watch.note(2_000, 10)).toBe(false);
    expect(watch.takeGap()).toMatchObject({ source: 'spans/0', reason: 'poison', fromMs: 1_000, toMs: 2_000 });
    expect(watch.takeGap()).toBeNull();
    watch.note(3_000, 11);
    expect(watch.takeGap()).toMatchObject({ fromMs: 3_000, toMs: 3_000 });
    watch.note(70_000, 70_000);
    expect(watch.takeGap()).toBeNull();
  });
});

describeKafka('a partition of spans', (broker) => {
  let client: Kafka;
  beforeAll(async () => {
    client = clientOf(broker());
    const topics = [
      { name: DELTAS, partitions: DELTA_PARTITIONS, compacted: false },
      { name: QUARANTINE, partitions: 1, compacted: false },
      { name: OF.topic, partitions: 1, compacted: false },
    ];
    await ensureTopics(client, topics, { create: true, replicationFactor: 1 });
  });

  /** The group's coordinator may have to be found first. */
  const position = (): Promise<LogPosition | null> =>
    eventually(
      () => committedPositions(client, GROUP, [OF]).catch(() => null),
      (positions) => positions !== null,
    ).then((positions) => positions?.get('spans/0') ?? null);
  const partition = async (events: { resumed?: () => void; failed?: (error: unknown) => void }): Promise<SpanPartition> => {
    const telemetry = new MemoryTelemetry();
    const ingest = ingestOf(500);
    const writer = new TransactionalWriter({ client, transactionalId: `${GROUP}-spans-0`, telemetry });
    await writer.claim();
    return new SpanPartition({
      of: OF,
      groupId: GROUP,
      position: await position(),
      epoch: String(performance.now()),
      intake: new RecordIntake({ encoding: 'otlp_proto', maxRequestBytes: 2 ** 20, telemetry, now: Date.now }),
      counted: ingest.partition('spans/0'),
      names: ingest.names,
      writer,
      deltas: { topic: DELTAS, partitions: DELTA_PARTITIONS },
      quarantineTopic: QUARANTINE,
      clock: SYSTEM_CLOCK,
      telemetry,
      tell: () => [],
      resume: () => events.resumed?.(),
      failed: (error) => events.failed?.(error),
    });
  };
  const told = story(12_000);
  const tallies = new Map<string, Tally>();
  const log: LogRecord[] = Array.from({ length: 2 }, (_, second) => spansOf(told, second, tallies))
    .flat()
    .map(({ value, timestampMs }, offset) => ({ offset, timestampMs, key: null, value, headers: {} }));

  it('takes one flush beside that which is being committed, then waits, and loses nothing', async () => {
    let resumed = Promise.withResolvers<void>();
    const spans = await partition({ resumed: () => resumed.resolve() });
    let waits = 0;
    for (const record of log) {
      while (spans.take(record) === 'full') {
        waits++;
        await resumed.promise;
        resumed = Promise.withResolvers();
      }
    }
    expect(await spans.finish()).toBe(true);
    spans.drop();
    expect(waits).toBeGreaterThan(5);
    // A commit is answered before readers may see it.
    const handed = await eventually(
      () => handedOver(client, DELTA_PARTITIONS),
      (all) => sum(all.tallies) >= sum(tallies),
    );
    expect(Object.fromEntries(handed.tallies)).toEqual(Object.fromEntries(tallies));
    expect(await position()).toEqual({
      offset: log.length,
      anchor: { offset: log.length - 1, timestampMs: log.at(-1)?.timestampMs },
    });
  });

  it('is of no effect any more once somebody else has taken it over', async () => {
    const before = await handedOver(client, DELTA_PARTITIONS);
    const failed = Promise.withResolvers<unknown>();
    const zombie = await partition({ failed: failed.resolve });
    for (const record of log.slice(0, 3)) zombie.take({ ...record, offset: record.offset + log.length });
    const successor = await partition({});
    zombie.flush(Date.now());
    await failed.promise;
    expect(zombie.take(log[0] as LogRecord)).toBe('full');
    expect(zombie.completeUntilMs).toBe(Number.NEGATIVE_INFINITY);
    zombie.drop();
    successor.drop();
    const after = await handedOver(client, DELTA_PARTITIONS);
    expect(sum(after.tallies)).toBe(sum(before.tallies));
    expect((await position())?.offset).toBe(log.length);
  });
});
