/** The role `evaluate`: counts of services from the topic of deltas in, verdicts and signals out; the state of each partition is in Kafka. */
import { rmSync } from 'node:fs';
import { createApi } from '../api/create-api.ts';
import type { Config } from '../config/config.ts';
import { BRIEF, kafkaClient } from '../kafka/kafka-client.ts';
import { LogConsumer } from '../kafka/log-consumer.ts';
import { ensureTopics } from '../kafka/topics.ts';
import { PermanentError } from '../model/errors.ts';
import type { RunningService, ServiceOptions } from '../service.ts';
import { createSinks } from '../sinks/create-sinks.ts';
import { memberFetch } from '../tls/member-fetch.ts';
import { advertisedUrl } from './advertised-url.ts';
import { SYSTEM_CLOCK } from './clock.ts';
import { clusterOf } from './cluster.ts';
import { OwnedCells } from './evaluate/owned-cells.ts';
import { scratchFolder } from './evaluate/scratch-folder.ts';
import { takeOver } from './evaluate/take-over.ts';
import { toldInTheEnd } from './evaluate/told-in-the-end.ts';
import { watchedRuns } from './evaluate/watched-runs.ts';
import { DELTA_RETENTION_MS, deltaPartition } from './ingest/delta-partition.ts';
import { kayentaHandlers } from './kayenta-handlers.ts';
import { memberName } from './member-name.ts';
import { CellGauges } from './members/cell-telemetry.ts';
import { ControlLog } from './members/control-log.ts';
import { Directory } from './members/directory.ts';
import { membersFront } from './members/members-front.ts';
import { peerClient } from './members/peer-client.ts';
import { RollbackPermits } from './members/rollback-permits.ts';
import { routedHandlers } from './members/routed-handlers.ts';
import { cellChecks } from './watchdog/cell-checks.ts';
import { createWatchdog } from './watchdog/create-watchdog.ts';
import { groupCheck } from './watchdog/member-checks.ts';
import { watchedStatus } from './watchdog/watched-status.ts';

const MAX_BYTES_PER_PARTITION = 1024 * 1024;
/** How long the last state may take to be durable when we stop. */
const FINISH_MS = 5_000;
/** What tools that show lag are told. */
const COMMIT_MS = 5_000;

/** Starts everything, or throws a PermanentError that says what is in the way and leaves nothing running. */
export async function startEvaluateRole(options: Omit<ServiceOptions, 'tap'>): Promise<RunningService> {
  const { telemetry, clock = SYSTEM_CLOCK, version, out } = options;
  let { config } = options;
  const { kafka } = config;
  if (kafka === null) throw new PermanentError('config', 'the role evaluate needs `kafka.brokers` in its configuration');
  const { topics } = kafka;
  const member = memberName();
  const brief = kafkaClient(kafka, telemetry, BRIEF);
  const shared = { partitions: kafka.partitions, compacted: false };
  const counts = await ensureTopics(
    brief,
    [
      { name: topics.deltas, ...shared, retentionMs: DELTA_RETENTION_MS },
      { name: topics.state, ...shared, compacted: true },
      { name: topics.control, partitions: 1, compacted: true },
    ],
    { create: kafka.createTopics, replicationFactor: kafka.replicationFactor },
  );
  const partitions = counts.get(topics.deltas) ?? kafka.partitions;
  if (counts.get(topics.state) !== partitions)
    throw new PermanentError(
      'topics',
      `${topics.state} must have as many partitions as ${topics.deltas}: ${partitions}, not ${counts.get(topics.state)}`,
    );

  const client = kafkaClient(kafka, telemetry);
  const folder = scratchFolder(config.state.directory);
  // Each service has one owner already: no lease is needed beside that.
  const cluster = clusterOf({ ...config, kubernetes: { ...config.kubernetes, lease: null } }, telemetry);
  const sinks = createSinks(config.sinks, { now: clock.now, out, cluster: cluster.parts });
  const gauges = new CellGauges(telemetry);
  const directory = new Directory({ partitions, partitionOf: (service) => deltaPartition(service, partitions) });
  const control = new ControlLog({
    client,
    brief,
    topic: topics.control,
    member,
    sessionTimeoutMs: kafka.sessionTimeoutMs,
    telemetry,
    clock,
    take: (record) => {
      directory.take(record);
      permits.take(record);
    },
  });
  const permits: RollbackPermits = new RollbackPermits({
    ...{ log: control, member, telemetry, now: clock.now },
    limits: () => config.policies,
    monotonicMs: () => clock.monotonicMs(),
  });
  let phase: 'starting' | 'running' | 'stopping' = 'starting';
  let url = '';

  const readiness = () => {
    const reasons = [
      ...(phase === 'running' ? [] : [phase]),
      ...(consumer.isLive() ? [] : ['the group of members does not answer']),
      ...(cells.pending === 0 ? [] : [`${cells.pending} partitions are being taken over`]),
    ];
    return { ready: reasons.length === 0, reasons };
  };
  const metrics = () => {
    for (const { cell } of cells.cells.values()) cell.judging.showCounts();
    telemetry.set('cells', cells.cells.size);
    return telemetry.metricsText();
  };
  const cells: OwnedCells = new OwnedCells({
    telemetry,
    takeOver: (wish) =>
      takeOver(
        {
          ...{ kafka, client, gauges, folder, version, clock, sinks, readiness, metrics },
          config: () => config,
          partitionOf: (service) => directory.partitionOf(service),
          isStandby: () => false,
          isLive: () => consumer.isLive(),
          harmed: (service, at) => void permits.harmProven(service, service, at),
          beforeDelivery: (signal) => permits.asked(signal),
          // Whom the group has forgotten knows nothing of what others have called off since.
          permit: (signal) => (consumer.isLive() && permits.mayLeave(signal) === 'yes' ? 'send' : 'wait'),
        },
        wish,
      ),
    isLive: () => consumer.isLive(),
    goOn: (of, position) => {
      consumer.seek(of, position ?? { offset: 0, anchor: null });
      consumer.resume(of);
    },
    taken: (partition, owned) => {
      owned.cell.start(() => owned.tick());
      void toldInTheEnd({
        tell: () => control.claim(partition, url),
        isOver: () => phase === 'stopping' || cells.cells.get(partition) !== owned,
        onFailure: (error) =>
          telemetry.log.warn({ partition, error: String(error) }, 'other members do not know yet who has a partition; it is told again'),
      });
      watchAnew();
    },
    dropped: (partition) => void control.release(partition),
  });
  const consumer: LogConsumer = new LogConsumer({
    client,
    telemetry,
    user: cells,
    now: clock.now,
    monotonicMs: () => clock.monotonicMs(),
    options: {
      groupId: kafka.groups.evaluate,
      topics: [topics.deltas],
      sessionTimeoutMs: kafka.sessionTimeoutMs,
      from: 'earliest',
      maxBytesPerPartition: MAX_BYTES_PER_PARTITION,
    },
  });

  const isLive = (): boolean => consumer.isLive() && phase !== 'stopping';
  const liveCells = () => (isLive() ? cells.cells : new Map());
  const watched = () =>
    [...liveCells()].map(([partition, owned]) => {
      const { judging, delivery } = owned.cell;
      return { partition, judging, delivery, durable: () => owned.durable() };
    });
  const watchdog = createWatchdog({
    ...{ config, role: 'evaluate', receivers: { grpc: null, http: null, tokens: () => null }, telemetry, clock, member },
    checks: [
      ...cellChecks({ cells: watched, checkpointIntervalMs: config.state.checkpointIntervalMs, clock }),
      groupCheck({ isLive: () => consumer.isLive(), pending: () => cells.pending, clock }),
    ],
  });
  const routed = routedHandlers({
    cells: () =>
      new Map([...liveCells()].map(([partition, owned]) => [partition, { handlers: owned.cell.handlers, durable: () => owned.durable() }])),
    directory,
    version,
    releaseBy: () => config.spans.releaseBy,
    kayenta: kayentaHandlers(() => config.spans.releaseBy),
    readiness,
    metrics,
    clock,
    permits,
    limits: () => config.policies,
  });
  const handlers = watchedStatus(routed, watchdog);
  const front = membersFront({
    owned: () => new Set(liveCells().keys()),
    // Known once the API listens.
    get url() {
      return url;
    },
    directory,
    peers: peerClient(telemetry, memberFetch(config.api.tls?.caFile ?? null)),
    handlers,
    now: clock.now,
  });
  const api = createApi(handlers, config.api, telemetry, clock.now, front);

  /** Every rollout of a service that has just become ours is looked at as if for the first time. */
  let watching: Promise<void> = Promise.resolve();
  let isWatchDue = false;
  const watchAnew = (): void => {
    if (isWatchDue) return;
    isWatchDue = true;
    watching = watching
      .then(() => cluster.stopWatching())
      .then(() => {
        isWatchDue = false;
        const isOurs = (service: string): boolean => cells.cells.has(directory.partitionOf(service));
        if (phase !== 'stopping') cluster.watch(watchedRuns({ handlers, isOurs, isLive }));
      });
  };

  const committing = setInterval(() => {
    const positions = [...cells.cells].flatMap(([partition, { position }]) =>
      position === null ? [] : [[`${topics.deltas}/${partition}`, position] as const],
    );
    void consumer.commit(new Map(positions));
  }, COMMIT_MS);

  let stopping: Promise<boolean> | null = null;
  const stop = async (): Promise<boolean> => {
    phase = 'stopping';
    clearInterval(committing);
    await watchdog?.stop();
    await watching;
    await cluster.stopWatching();
    const isSaved = await cells.finish(FINISH_MS);
    await consumer.stop();
    await cells.stop();
    await control.stop();
    await cluster.close();
    await api.stop();
    rmSync(folder, { recursive: true, force: true });
    return isSaved;
  };
  try {
    const { address, port } = await api.start();
    url = config.api.advertisedUrl ?? advertisedUrl(config.api.host, port, config.api.tls == null ? 'http' : 'https');
    await control.start();
    await consumer.start();
    watchdog?.start();
    phase = 'running';
    return {
      addresses: { grpc: null, http: null, api: address },
      reconfigure: (next: Config) => {
        config = next;
        for (const owned of cells.cells.values()) owned.reconfigure();
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
