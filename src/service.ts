/** The composition root: configuration in, running service out. Owns the clock, the timers and the order of start and stop. */
import { randomBytes } from 'node:crypto';
import type { Writable } from 'node:stream';
import { type Api, createApi } from './api/create-api.ts';
import type { Config } from './config/config.ts';
import { isOfThisFormat, type LiveRunState, remains, withoutBake } from './engine/saved-run.ts';
import { LEVEL_SECONDS, type SavedState } from './model/checkpoint.ts';
import { PermanentError } from './model/errors.ts';
import type { CanaryPolicy } from './model/policy.ts';
import type { Signal } from './model/rollout.ts';
import type { EpochMs } from './model/time.ts';
import { Admission } from './receivers/admission.ts';
import { OtlpGrpcReceiver } from './receivers/otlp-grpc.ts';
import { OtlpHttpReceiver } from './receivers/otlp-http.ts';
import type { Consume, Receiver } from './receivers/receiver.ts';
import { addressing } from './service/addressing.ts';
import { apiHandlers } from './service/api-handlers.ts';
import { type Clock, SYSTEM_CLOCK } from './service/clock.ts';
import { type Cluster, clusterOf } from './service/cluster.ts';
import { KillSwitch } from './service/control-switch.ts';
import { kayentaHandlers } from './service/kayenta-handlers.ts';
import { type Notices, startNotices } from './service/notices.ts';
import { showObjectives } from './service/objective-metrics.ts';
import { Pipeline } from './service/pipeline.ts';
import { SettledRuns } from './service/settled.ts';
import { signalDelivery } from './service/signal-delivery.ts';
import { Stages } from './service/stages.ts';
import { createSinks } from './sinks/create-sinks.ts';
import type { Delivery } from './sinks/delivery.ts';
import { MemoryStore } from './store/memory-store.ts';
import { SqliteStore } from './store/sqlite-store.ts';
import type { Store } from './store/store.ts';
import type { RunningTelemetry } from './telemetry/create-telemetry.ts';
import { RESTORE_SEC } from './window/roll-up.ts';

const TICK_MS = 500;
/** How often the gauges of objectives are set. */
const OBJECTIVES_MS = 5_000;
/** How often people are told what changed. */
const NOTICES_MS = 1_000;
/** How long requests in flight may take to finish when we stop: with all else that may take its time, a stop stays below 10 s. */
const DRAIN_MS = 4_000;
/** After state was lost, evidence must build up again for this long before anything is decided. */
const REQUALIFY_MS = 10 * 60_000;

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
  /** Takes new policies and span rules; ports, state and sinks need a restart. */
  reconfigure(config: Config): void;
  /** Stops taking spans, finishes what is in flight, saves, and closes; false when it could not be saved. A second call waits for the first. */
  stop(): Promise<boolean>;
}

/** Starts everything, or throws a PermanentError that says what is in the way and leaves nothing running. */
export async function startService(options: ServiceOptions): Promise<RunningService> {
  const { config, telemetry, clock = SYSTEM_CLOCK } = options;
  const store: Store = config.state.directory === null ? new MemoryStore() : new SqliteStore(config.state.directory);
  const { stages, notes } = restoredStages(config, store, clock, telemetry);
  const { engine, ingest } = stages;
  const cluster = clusterOf(config, telemetry);
  const sinks = createSinks(config.sinks, { now: clock.now, out: options.out, cluster: cluster.parts });
  const killSwitch = new KillSwitch({ path: config.killSwitchFile, controls: engine.controls, telemetry, now: clock.now });
  const notices = startNotices({ config, engine, telemetry, clock, notes });
  const delivery = signalDelivery({
    journal: store.journal,
    sinks,
    telemetry,
    clock,
    escalation: config.escalation,
    isStandby: () => cluster.isStandby(),
    escalate: (notice, abort) => notices.board.escalate(notice, abort),
    isCurrent: (signal: Signal) => killSwitch.standing(signal, engine.rollouts),
  });
  const settled = new SettledRuns((id) => engine.rollouts.find(id)?.view() ?? null);
  const pipeline = new Pipeline({
    ingest,
    engine,
    store,
    telemetry,
    clock,
    address: addressing(sinks, config.api.publicUrl, config.escalation.to),
    deliver: (entries) => delivery.submit(entries),
    changed: () => settled.look(),
    notes: () => notices.board.snapshot(),
  });
  const admission = new Admission(config.receivers.maxInFlightBytes, telemetry);
  const receivers = createReceivers(config, admission, telemetry);
  let phase: 'starting' | 'running' | 'stopping' = 'starting';

  const consume: Consume = (encoding, bytes) => {
    const outcome = pipeline.consume(encoding, bytes);
    if (outcome.kind === 'accepted') options.tap?.(encoding, bytes);
    return outcome;
  };
  const handlers = apiHandlers({
    engine,
    store,
    delivery,
    telemetry,
    clock,
    version: options.version,
    settled,
    kayenta: kayentaHandlers(stages),
    ceiling: (rollout) => killSwitch.ceiling(rollout),
    checkpoint: () => pipeline.checkpoint(),
    isDurable: () => pipeline.isDurable,
    metrics: () => {
      pipeline.showCounts();
      return telemetry.metricsText();
    },
    readiness: () => {
      const reasons = [...(phase === 'running' ? [] : [phase]), ...(pipeline.isDurable ? [] : ['the store refuses to be written'])];
      return { ready: reasons.length === 0, reasons };
    },
  });
  const api = createApi(handlers, config.api, telemetry, clock.now);

  const timers: NodeJS.Timeout[] = [];
  try {
    // What the start found out about the state is durable before anything is taken in, and the store has shown that it can be written.
    pipeline.checkpoint();
    const { address } = await api.start();
    for (const receiver of receivers.all) await receiver.start(consume);
    timers.push(setInterval(() => guarded(telemetry, () => killSwitch.look()), TICK_MS));
    timers.push(setInterval(() => guarded(telemetry, () => pipeline.tick()), TICK_MS));
    timers.push(setInterval(() => guarded(telemetry, () => pipeline.checkpoint()), config.state.checkpointIntervalMs));
    timers.push(setInterval(() => guarded(telemetry, () => showObjectives(engine, telemetry, clock.now())), OBJECTIVES_MS));
    timers.push(setInterval(() => guarded(telemetry, () => notices.tick(pipeline.waiting)), NOTICES_MS));
    delivery.resume();
    cluster.watch(handlers);
    phase = 'running';
    let stopping: Promise<boolean> | null = null;
    return {
      addresses: { grpc: receivers.grpc?.address ?? null, http: receivers.http?.address ?? null, api: address },
      reconfigure: (next) => stages.reconfigure(next),
      stop: () => {
        phase = 'stopping';
        stopping ??= stopAll({
          timers,
          admission,
          receivers: receivers.all,
          pipeline,
          settled,
          delivery,
          notices,
          cluster,
          api,
          store,
          telemetry,
        });
        return stopping;
      },
    };
  } catch (error) {
    await stopAll({ timers, admission, receivers: receivers.all, pipeline, settled, delivery, notices, cluster, api, store, telemetry });
    throw error;
  }
}

interface Stoppable {
  readonly timers: readonly NodeJS.Timeout[];
  readonly admission: Admission;
  readonly receivers: readonly Receiver[];
  readonly pipeline: Pipeline;
  readonly settled: SettledRuns;
  readonly delivery: Delivery;
  readonly notices: Notices;
  readonly cluster: Cluster;
  readonly api: Api;
  readonly store: Store;
  readonly telemetry: RunningTelemetry;
}

/** Upstream first, so that whatever was accepted is counted, judged and saved before the store closes. */
async function stopAll(parts: Stoppable): Promise<boolean> {
  for (const timer of parts.timers) clearInterval(timer);
  parts.admission.drain();
  await parts.cluster.stopWatching();
  await Promise.all(parts.receivers.map((receiver) => receiver.stop(DRAIN_MS)));
  let isSaved = false;
  guarded(parts.telemetry, () => {
    isSaved = parts.pipeline.finish();
  });
  parts.settled.stop();
  await Promise.all([parts.delivery.stop(), parts.notices.board.stop()]);
  await parts.cluster.close();
  await parts.api.stop();
  parts.store.close();
  return isSaved;
}

function createReceivers(config: Config, admission: Admission, telemetry: RunningTelemetry) {
  const limits = config.receivers;
  const grpc = limits.otlpGrpc && new OtlpGrpcReceiver({ config: limits.otlpGrpc, limits, admission, telemetry });
  const http = limits.otlpHttp && new OtlpHttpReceiver({ config: limits.otlpHttp, limits, admission, telemetry });
  return { grpc, http, all: [grpc, http].filter((receiver) => receiver !== null) };
}

/** The stages as they were, and all notes that were saved: some are not theirs. */
function restoredStages(
  config: Config,
  store: Store,
  clock: Clock,
  telemetry: RunningTelemetry,
): { readonly stages: Stages; readonly notes: SavedState['notes'] } {
  const now = clock.now();
  const state = savedState(store);
  const build = (saved: SavedState): Stages =>
    new Stages({
      config,
      source: 'local',
      epoch: `${now.toString(36)}-${randomBytes(4).toString('hex')}`,
      hashSeed: randomBytes(4).readUInt32LE(),
      ...(saved.at !== null && { saved: { state: saved, now } }),
    });
  const { stages, lost } = restoredOr(
    () => build(state),
    () => rebuilt(state, now, config.policies.fallback.canary, build),
  );
  if (state.at !== null)
    telemetry.log.info({ series: state.series.length, runs: state.runs.length, gapMs: now - state.at }, 'state restored');
  const damage = store.recovered ?? lost;
  if (damage !== null) {
    telemetry.log.error({ ...damage }, 'state could not be read back whole; nothing is decided until evidence has built up again');
    stages.engine.markStateUnknown(now + REQUALIFY_MS);
  }
  return { stages, notes: state.notes };
}

/** All that is saved; of the slots those that memory goes on with. Counted back from the last checkpoint, however long ago that was. */
function savedState(store: Store): SavedState {
  const state = store.load({});
  const at = state.at;
  if (at === null) return state;
  const slots = LEVEL_SECONDS.flatMap((level) => store.slots(level, Math.floor(at / 1000) - RESTORE_SEC[level], Number.MAX_SAFE_INTEGER));
  return { ...state, slots };
}

/**
 * Histograms of another layout cannot be gone on with, nor can what runs in flight concluded from them: those begin anew, and bakes end. Of runs that
 * another program saved and that are over stays how they ended.
 */
function rebuilt(state: SavedState, now: EpochMs, policy: CanaryPolicy, build: (saved: SavedState) => Stages): Stages {
  const runs = state.runs.map(({ json }) => withoutBake(JSON.parse(json) as LiveRunState));
  const isOver = ({ final, state: last }: LiveRunState): boolean => final !== null || last === 'baking';
  const over = runs.filter(isOver).map((run) => (run.final !== null && isOfThisFormat(run) ? run : remains(run, policy)));
  const stages = build({ ...state, slots: [], runs: over.map((run) => ({ id: run.rollout.id, json: JSON.stringify(run) })) });
  for (const run of runs) if (!isOver(run)) stages.engine.startRollout({ ...run.rollout, startedAt: now }, now);
  return stages;
}

/** Takes up all, or else what can be taken up; budgets, series and signals always can. */
function restoredOr(whole: () => Stages, partly: () => Stages): { stages: Stages; lost: { readonly error: string } | null } {
  try {
    return { stages: whole(), lost: null };
  } catch (error) {
    if (!(error instanceof PermanentError)) throw error;
    return { stages: partly(), lost: { error: error.message } };
  }
}

/** A timer must outlive what it calls. */
function guarded(telemetry: RunningTelemetry, act: () => void): void {
  try {
    act();
  } catch (error) {
    telemetry.log.error({ error: error instanceof Error ? (error.stack ?? error.message) : String(error) }, 'a timed task failed');
  }
}
