/** The composition root: configuration in, running service out. Owns the clock, the timers and the order of start and stop. */
import type { Writable } from 'node:stream';
import { type Api, createApi } from './api/create-api.ts';
import type { Config } from './config/config.ts';
import { Admission } from './receivers/admission.ts';
import type { Consume, Receiver } from './receivers/receiver.ts';
import { Cell } from './service/cell.ts';
import { type Clock, SYSTEM_CLOCK } from './service/clock.ts';
import { type Cluster, clusterOf } from './service/cluster.ts';
import { guarded } from './service/guarded.ts';
import { localInput } from './service/local-input.ts';
import { otlpReceivers } from './service/otlp-receivers.ts';
import type { SpanInput } from './service/span-input.ts';
import { cellChecks } from './service/watchdog/cell-checks.ts';
import { createWatchdog } from './service/watchdog/create-watchdog.ts';
import type { Watchdog } from './service/watchdog/watchdog.ts';
import { watchedStatus } from './service/watchdog/watched-status.ts';
import { createSinks } from './sinks/create-sinks.ts';
import { MemoryStore } from './store/memory-store.ts';
import { SqliteStore } from './store/sqlite-store.ts';
import type { Store } from './store/store.ts';
import type { RunningTelemetry } from './telemetry/create-telemetry.ts';

/** How long requests in flight may take to finish when we stop: with all else that may take its time, a stop stays below 10 s. */
const DRAIN_MS = 4_000;

export interface ServiceOptions {
  readonly config: Config;
  readonly telemetry: RunningTelemetry;
  readonly version: string;
  /** Where `print` sinks write. */
  readonly out: Writable;
  readonly clock?: Clock;
  /** Sees every accepted request, in order: the recorder of `serve --record`. */
  tap?(encoding: 'protobuf' | 'json', bytes: Uint8Array): void;
}

export interface RunningService {
  readonly addresses: { readonly grpc: string | null; readonly http: string | null; readonly api: string };
  /** Takes new policies, span rules and tokens of senders; ports, state and sinks need a restart. */
  reconfigure(config: Config): void;
  /** Stops taking spans, finishes what is in flight, saves, and closes; false when it could not be saved. A second call waits for the first. */
  stop(): Promise<boolean>;
}

/** Starts everything, or throws a PermanentError that says what is in the way and leaves nothing running. */
export async function startService(options: ServiceOptions): Promise<RunningService> {
  const { config, telemetry, clock = SYSTEM_CLOCK } = options;
  const store: Store = config.state.directory === null ? new MemoryStore() : new SqliteStore(config.state.directory);
  const tap = options.tap?.bind(options);
  const local = localInput({ config, store, telemetry, clock, ...(tap !== undefined && { tap }) });
  const { stages, notes } = local;
  const cluster = clusterOf(config, telemetry);
  let phase: 'starting' | 'running' | 'stopping' = 'starting';
  const cell = new Cell({
    config,
    telemetry,
    clock,
    version: options.version,
    engine: stages.engine,
    store,
    notes,
    sinks: createSinks(config.sinks, { now: clock.now, out: options.out, cluster: cluster.parts }),
    sources: local.sources,
    isStandby: () => cluster.isStandby(),
    releaseBy: () => stages.releaseBy,
    savedWith: () => local.savedWith(),
    quarantined: () => local.quarantined(),
    readiness: () => {
      const { isDurable } = cell.judging;
      const reasons = [...(phase === 'running' ? [] : [phase]), ...(isDurable ? [] : ['the store refuses to be written'])];
      return { ready: reasons.length === 0, reasons };
    },
    metrics: () => {
      input.showCounts();
      return telemetry.metricsText();
    },
  });
  const input = local.into(cell.judging);
  const admission = new Admission(config.receivers.maxInFlightBytes, telemetry);
  const receivers = otlpReceivers(config, admission, telemetry);
  const consume: Consume = (encoding, bytes) => {
    const outcome = input.consume(encoding, bytes);
    // The watchdog's own requests are empty.
    if (outcome.kind === 'accepted' && bytes.length > 0) tap?.(encoding, bytes);
    return outcome;
  };
  const watched = { partition: null, judging: cell.judging, delivery: cell.delivery, durable: () => store.durable() };
  const watchdog = createWatchdog({
    ...{ config, role: 'all', receivers, telemetry, clock, member: null },
    checks: cellChecks({ cells: () => [watched], checkpointIntervalMs: config.state.checkpointIntervalMs, clock }),
  });
  const api = createApi(watchedStatus(cell.handlers, watchdog), config.api, telemetry, clock.now);
  const stop = () => stopAll({ watchdog, admission, receivers: receivers.all, input, cell, cluster, api, store, telemetry });
  try {
    // What the start found out about the state is durable before anything is taken in, and the store has shown that it can be written.
    cell.judging.checkpoint();
    const { address } = await api.start();
    for (const receiver of receivers.all) await receiver.start(consume);
    cell.start(() => input.tick());
    input.start?.();
    cluster.watch(cell.handlers);
    watchdog?.start();
    phase = 'running';
    let stopping: Promise<boolean> | null = null;
    return {
      addresses: { grpc: receivers.grpc?.address ?? null, http: receivers.http?.address ?? null, api: address },
      reconfigure: (next) => {
        stages.reconfigure(next);
        receivers.reconfigure(next);
      },
      stop: () => {
        phase = 'stopping';
        stopping ??= stop();
        return stopping;
      },
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

interface Stoppable {
  readonly watchdog: Watchdog | null;
  readonly admission: Admission;
  readonly receivers: readonly Receiver[];
  readonly input: SpanInput;
  readonly cell: Cell;
  readonly cluster: Cluster;
  readonly api: Api;
  readonly store: Store;
  readonly telemetry: RunningTelemetry;
}

/** Upstream first, so that whatever was accepted is counted, judged and saved before the store closes. */
async function stopAll(parts: Stoppable): Promise<boolean> {
  await parts.watchdog?.stop();
  parts.cell.pause();
  parts.admission.drain();
  await parts.cluster.stopWatching();
  await Promise.all([...parts.receivers.map((receiver) => receiver.stop(DRAIN_MS)), parts.input.stop?.()]);
  let isSaved = false;
  guarded(parts.telemetry, () => {
    isSaved = parts.input.finish();
  });
  await parts.cell.stop();
  await parts.cluster.close();
  await parts.api.stop();
  parts.store.close();
  return isSaved;
}
