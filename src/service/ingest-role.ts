/** The role `ingest`: spans in, counts out to the topic of deltas, from which members of role `evaluate` judge. */
import { randomBytes } from 'node:crypto';
import { createApi } from '../api/create-api.ts';
import type { Config } from '../config/config.ts';
import type { KafkaConfig } from '../config/kafka-config.ts';
import { PartitionedIngest } from '../ingest/partitioned-ingest.ts';
import { BRIEF, kafkaClient } from '../kafka/kafka-client.ts';
import { partitionName } from '../kafka/log.ts';
import { LogConsumer } from '../kafka/log-consumer.ts';
import { committedPositions } from '../kafka/log-reader.ts';
import { PlainWriter } from '../kafka/plain-writer.ts';
import { within } from '../kafka/time-limit.ts';
import { ensureTopics } from '../kafka/topics.ts';
import { TransactionalWriter } from '../kafka/transactional-writer.ts';
import { PermanentError } from '../model/errors.ts';
import { HistogramLayout } from '../model/histogram-layout.ts';
import { Admission } from '../receivers/admission.ts';
import { RecordIntake } from '../receivers/kafka/record-intake.ts';
import type { RunningTelemetry } from '../telemetry/create-telemetry.ts';
import { type Clock, SYSTEM_CLOCK } from './clock.ts';
import { guarded } from './guarded.ts';
import { DELTA_RETENTION_MS } from './ingest/delta-partition.ts';
import type { DeltaTopic } from './ingest/delta-records.ts';
import { ingestFront, ingestHandlers } from './ingest/ingest-front.ts';
import { OtlpSource } from './ingest/otlp-source.ts';
import { ProgressReports } from './ingest/progress-reports.ts';
import { SpanPartitions, type SpanPartitionsParts } from './ingest/span-partitions.ts';
import { memberName } from './member-name.ts';
import { otlpReceivers } from './otlp-receivers.ts';
import { SeriesRules } from './series-rules.ts';
import { SpanCounts } from './span-counts.ts';
import { createWatchdog } from './watchdog/create-watchdog.ts';
import { commitCheck, groupCheck } from './watchdog/member-checks.ts';

/** Looks at what is due within one interval of flushing. */
const TICKS_PER_FLUSH = 10;
/** A sender waits for its answer, so spans sent here leave sooner. */
const OTLP_FLUSH_MS = 100;
/** So long are partitions of spans waited for before it is told that none is known. */
const UNKNOWN_MS = 30_000;
/** Each step of a stop has an end: all of it stays below 8 s. */
const DRAIN_MS = 1_500;
const FINISH_MS = 2_000;
const REPORT_MS = 1_000;
const LEAVE_MS = 1_500;
const CLOSE_MS = 1_500;

export interface IngestRoleOptions {
  readonly config: Config;
  readonly telemetry: RunningTelemetry;
  readonly version: string;
  readonly clock?: Clock;
}

export interface RunningIngestRole {
  readonly addresses: { readonly grpc: string | null; readonly http: string | null; readonly api: string };
  /** Takes new policies, span rules and tokens of senders; everything else needs a restart. */
  reconfigure(config: Config): void;
  /** Stops taking spans, hands over what was counted, and leaves the group; false when spans that were sent here could not be handed over. */
  stop(): Promise<boolean>;
}

/** Starts everything, or throws an error that says what is in the way and leaves nothing running. */
export async function startIngestRole(options: IngestRoleOptions): Promise<RunningIngestRole> {
  const { config, telemetry, version, clock = SYSTEM_CLOCK } = options;
  const { kafka } = config;
  if (kafka === null) throw new PermanentError('config', 'the role ingest needs `kafka.brokers` in its configuration');
  const brief = kafkaClient(kafka, telemetry, BRIEF);
  const deltas = await deltaTopic(brief, kafka);
  const member = memberName();
  const rules = new SeriesRules({ config, hashSeed: randomBytes(4).readUInt32LE(), isCompared: () => false });
  const layout = new HistogramLayout(config.histogram.digits, config.histogram.highestUs);
  const ingest = new PartitionedIngest({ rules: config.spans, layout, series: rules.table, pods: 'seats' });
  const parts = { config, kafka, telemetry, clock, ingest, deltas };
  const admission = new Admission(config.receivers.maxInFlightBytes, telemetry);
  const receivers = otlpReceivers(config, admission, telemetry);
  const otlp = receivers.all.length === 0 ? null : otlpSource(parts, member);
  const spans = spanPartitions(parts, (gaps) => reports.records(gaps));
  const writer = new PlainWriter(brief);
  const reports: ProgressReports = new ProgressReports({
    member,
    deltas,
    writer,
    telemetry,
    progress: () => [...(spans?.partitions.progress() ?? []), ...(otlp === null ? [] : [otlp.progress()])],
    expected: () => [...(spans?.consumer.expected() ?? []), ...(otlp === null ? [] : [otlp.progress().source])],
  });
  const counts = new SpanCounts();
  let phase: 'starting' | 'running' | 'stopping' = 'starting';

  const broken = () => [...(spans?.partitions.broken ?? []), ...(otlp?.isBroken === true ? [otlp.progress().source] : [])];
  /** When each of the two was looked at last. */
  const tickedMs = new Map<'spans' | 'otlp', number>();
  const watchdog = createWatchdog({
    ...{ config, role: 'ingest', receivers, telemetry, clock, member },
    checks: [
      commitCheck({
        broken,
        oldestCommitMs: () => Math.max(spans?.partitions.oldestCommitMs ?? 0, otlp?.commitMs ?? 0),
        tickedMs: () => Math.min(...tickedMs.values()),
        clock,
      }),
      ...(spans === null ? [] : [groupCheck({ isLive: () => spans.consumer.isLive(), pending: () => 0, clock })]),
    ],
  });
  const api = createApi(
    ingestHandlers({
      version,
      metrics: () => {
        counts.show(ingest, telemetry);
        return telemetry.metricsText();
      },
      readiness: () => {
        const reasons = [
          ...(phase === 'running' ? [] : [phase]),
          ...(spans === null || spans.consumer.isLive() ? [] : ['the group of members does not answer']),
          ...broken().map((source) => `counts of ${source} cannot be handed over`),
        ];
        return { ready: reasons.length === 0, reasons };
      },
    }),
    config.api,
    telemetry,
    clock.now,
    ingestFront,
  );

  const timers: NodeJS.Timeout[] = [];
  const stop = async (): Promise<boolean> => {
    phase = 'stopping';
    await watchdog?.stop();
    admission.drain();
    // What is waiting to be answered is committed meanwhile: timers go on.
    await Promise.all(receivers.all.map((receiver) => receiver.stop(DRAIN_MS)));
    for (const timer of timers) clearInterval(timer);
    const late = AbortSignal.timeout(FINISH_MS);
    const [isHandedOver] = await Promise.all([otlp?.finish(late) ?? true, soon(spans?.partitions.finish(), FINISH_MS)]);
    await soon(reports.sendLast(), REPORT_MS);
    await soon(spans?.consumer.stop(), LEAVE_MS);
    spans?.partitions.close();
    await Promise.all([soon(otlp?.close(), CLOSE_MS), soon(writer.close(), CLOSE_MS), api.stop()]);
    if (!isHandedOver) telemetry.log.error({ member }, 'spans that were sent here could not be handed over before the end');
    return isHandedOver;
  };
  try {
    const { address } = await api.start();
    for (const receiver of receivers.all) await receiver.start((encoding, bytes) => otlp?.consume(encoding, bytes) ?? NOBODY);
    const every = (of: 'spans' | 'otlp', ms: number, tick: () => void): void => {
      const ticked = (): void => void tickedMs.set(of, clock.monotonicMs());
      ticked();
      const act = (): void => {
        tick();
        ticked();
      };
      timers.push(setInterval(() => guarded(telemetry, act), ms));
    };
    if (spans !== null) every('spans', kafka.flushMs / TICKS_PER_FLUSH, () => spans.partitions.tick());
    if (otlp !== null) every('otlp', OTLP_FLUSH_MS / TICKS_PER_FLUSH, () => otlp.tick());
    const startedMs = clock.monotonicMs();
    // Who judges takes it from the reports which partitions there are: none says too little.
    const isKnown = (): boolean => spans === null || spans.consumer.expected().length > 0 || clock.monotonicMs() - startedMs > UNKNOWN_MS;
    timers.push(setInterval(() => void (isKnown() && reports.send()), kafka.flushMs));
    await spans?.consumer.start();
    watchdog?.start();
    phase = 'running';
    let stopping: Promise<boolean> | null = null;
    return {
      addresses: { grpc: receivers.grpc?.address ?? null, http: receivers.http?.address ?? null, api: address },
      reconfigure: (next) => {
        for (const service of rules.reconfigure(next)) ingest.table.retire(service);
        ingest.reconfigure(next.spans);
        receivers.reconfigure(next);
      },
      stop: () => {
        stopping ??= stop();
        return stopping;
      },
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

const NOBODY = { kind: 'unavailable', message: 'spans are not taken here' } as const;

interface Parts {
  readonly config: Config;
  readonly kafka: KafkaConfig;
  readonly telemetry: RunningTelemetry;
  readonly clock: Clock;
  readonly ingest: PartitionedIngest;
  readonly deltas: DeltaTopic;
}

async function deltaTopic(client: ReturnType<typeof kafkaClient>, kafka: KafkaConfig): Promise<DeltaTopic> {
  const { topics, partitions, createTopics, replicationFactor } = kafka;
  const there = await ensureTopics(
    client,
    [
      { name: topics.deltas, partitions, compacted: false, retentionMs: DELTA_RETENTION_MS },
      { name: topics.quarantine, partitions: 1, compacted: false },
    ],
    { create: createTopics, replicationFactor },
  );
  return { topic: topics.deltas, partitions: there.get(topics.deltas) ?? partitions };
}

/** Null: no spans come from Kafka. */
function spanPartitions({ config, kafka, telemetry, clock, ingest, deltas }: Parts, tell: SpanPartitionsParts['tell']) {
  const receiver = config.receivers.kafka;
  if (receiver === null) return null;
  const client = kafkaClient(kafka, telemetry);
  const { encoding, topics, from, maxBytesPerPartition } = receiver;
  const { flushMs, sessionTimeoutMs } = kafka;
  const groupId = kafka.groups.ingest;
  const intake = new RecordIntake({ encoding, maxRequestBytes: config.receivers.maxRequestBytes, telemetry, now: clock.now });
  const quarantineTopic = kafka.topics.quarantine;
  const partitions = new SpanPartitions({ client, groupId, intake, ingest, deltas, quarantineTopic, flushMs, clock, telemetry, tell });
  const consumer = new LogConsumer({
    client,
    telemetry,
    options: { groupId, topics, from, maxBytesPerPartition, sessionTimeoutMs },
    user: partitions,
    now: clock.now,
    monotonicMs: () => clock.monotonicMs(),
  });
  partitions.readBy(consumer);
  return { partitions, consumer };
}

function otlpSource({ kafka, telemetry, clock, ingest, deltas }: Parts, member: string): OtlpSource {
  const source = `otlp/${member}`;
  const ledger = `${kafka.groups.ingest}-${source}`;
  const client = kafkaClient(kafka, telemetry);
  return new OtlpSource({
    source,
    counted: ingest.partition(source),
    names: ingest.names,
    deltas,
    writer: () => new TransactionalWriter({ client, transactionalId: ledger, telemetry }),
    ledger,
    noted: async (of) => (await committedPositions(client, ledger, [of])).get(partitionName(of))?.offset ?? null,
    flushMs: OTLP_FLUSH_MS,
    clock,
    telemetry,
  });
}

/** Waits for it no longer than this. Never rejects. */
async function soon(act: Promise<unknown> | undefined, limitMs: number): Promise<void> {
  if (act !== undefined) await within(act, limitMs).catch(() => {});
}
