/** A pipeline on a manual clock with real stages, a store that can be told to refuse, and a list of what was handed to delivery. */
import type { Config } from '../../src/config/config.ts';
import { loadConfig } from '../../src/config/load-config.ts';
import type { Checkpoint, SavedState } from '../../src/model/checkpoint.ts';
import { PermanentError, RetryableError } from '../../src/model/errors.ts';
import { Judging } from '../../src/service/judging.ts';
import { Pipeline } from '../../src/service/pipeline.ts';
import { savedPods } from '../../src/service/saved-pods.ts';
import { Stages } from '../../src/service/stages.ts';
import { Delivery } from '../../src/sinks/delivery.ts';
import type { DecidedSignal, JournalEntry } from '../../src/store/journal.ts';
import { MemoryStore } from '../../src/store/memory-store.ts';
import type { DecisionRecord, Store } from '../../src/store/store.ts';
import type { RunningTelemetry, SpanName } from '../../src/telemetry/create-telemetry.ts';
import { TemporaryFolders } from '../store/temporary-folder.ts';
import { MemoryTelemetry } from '../support/memory-telemetry.ts';
import { processDocument, rollout, shopDocument } from './config.ts';
import { ManualClock } from './manual-clock.ts';
import { configFile } from './running.ts';
import { exportRequest, type Stream } from './traffic.ts';

export class LocalTelemetry extends MemoryTelemetry implements RunningTelemetry {
  span<T>(_name: SpanName, _attributes: object, act: () => T): T {
    return act();
  }

  async metricsText(): Promise<string> {
    return '';
  }

  show(): () => void {
    return () => undefined;
  }

  async shutdown(): Promise<void> {}
}

/** Decisions as the store got them, and how many deliveries were handed over by then. */
export interface Recorded {
  readonly changed: DecisionRecord;
  readonly signals: readonly DecidedSignal[];
  readonly handedOver: number;
}

/** Keeps what it is given in memory, unless told to refuse as a disk would, or as a store does what it may not hold. */
export class RefusingStore implements Store {
  readonly recovered = null;
  refuses: 'nothing' | 'for now' | 'for good' = 'nothing';
  readonly recorded: Recorded[] = [];
  /** Deliveries handed over so far. */
  handedOver = () => 0;
  readonly #kept = new MemoryStore();
  /** What was refused for good is refused whenever it comes again. */
  readonly #never = new WeakSet<Checkpoint>();

  get journal() {
    return this.#kept.journal;
  }

  load(from: Parameters<Store['load']>[0]): SavedState {
    return this.#kept.load(from);
  }

  checkpoint(checkpoint: Checkpoint, signals: readonly DecidedSignal[] = []): readonly string[] {
    if (this.refuses === 'for now') throw new RetryableError('store_unavailable', 'writing a checkpoint: no space');
    if (this.refuses === 'for good') this.#never.add(checkpoint);
    if (this.#never.has(checkpoint)) throw new PermanentError('state_invalid', 'writing a checkpoint: no such level');
    return this.#kept.checkpoint(checkpoint, signals);
  }

  recordDecisions(changed: DecisionRecord, signals: readonly DecidedSignal[]): readonly string[] {
    if (this.refuses === 'for now') throw new RetryableError('store_unavailable', 'recording decisions: no space');
    if (this.refuses === 'for good') throw new PermanentError('state_invalid', 'recording decisions: no such note');
    this.recorded.push({ changed, signals, handedOver: this.handedOver() });
    return this.#kept.recordDecisions(changed, signals);
  }

  durable(): null {
    return null;
  }

  slots(...range: Parameters<Store['slots']>) {
    return this.#kept.slots(...range);
  }

  close(): void {}

  [Symbol.dispose](): void {}
}

const TICK_MS = 500;

export class PipelineStand {
  readonly clock: ManualClock;
  readonly telemetry = new LocalTelemetry();
  readonly store: RefusingStore;
  readonly delivered: JournalEntry[] = [];
  /** Called when runs may have changed. */
  changed: () => void = () => {};
  readonly config: Config;
  readonly stages: Stages;
  readonly judging: Judging;
  readonly pipeline: Pipeline;
  /** Beside the pipeline: what is handed over stays in `delivered`. */
  readonly delivery: Delivery;

  /** `left` is what a stand before it left behind when it crashed. */
  constructor(left?: Pick<PipelineStand, 'store' | 'clock'>) {
    this.clock = left?.clock ?? new ManualClock(Date.UTC(2026, 4, 1, 12));
    this.store = left?.store ?? new RefusingStore();
    const folders = new TemporaryFolders();
    const loaded = loadConfig(configFile(folders.make(), [processDocument(), shopDocument()]), { SLIPSTREAM_API_TOKEN: 'x'.repeat(32) });
    folders.clean();
    if ('problems' in loaded) throw new Error(JSON.stringify(loaded.problems));
    this.config = loaded.config;
    const saved = left && { saved: { state: left.store.load({}), now: left.clock.now() } };
    this.stages = new Stages({
      config: loaded.config,
      source: 'test',
      epoch: left === undefined ? 'test' : 'again',
      hashSeed: 1,
      ...saved,
    });
    this.store.handedOver = () => this.delivered.length;
    const { engine, ingest } = this.stages;
    const { store, telemetry, clock, delivered } = this;
    this.delivery = new Delivery({ journal: store.journal, sinks: new Map(), telemetry, now: () => clock.now(), isCurrent: () => 'send' });
    this.judging = new Judging({
      engine,
      store,
      telemetry,
      clock,
      address: (signal) => signal,
      deliver: (entries) => delivered.push(...entries),
      changed: () => this.changed(),
      notes: () => savedPods(this.stages),
    });
    this.pipeline = new Pipeline({ ingest, judging: this.judging, telemetry, clock });
  }

  /** The same state in a new process, which knows only what was written. */
  crash(): PipelineStand {
    return new PipelineStand(this);
  }

  startRollout(): void {
    const { id, service, baseline, canary, generation } = rollout(0);
    this.stages.engine.startRollout({ id, service, baseline, canary, generation }, this.clock.now());
  }

  /** Sends what happened in [fromMs, toMs), one second a request. */
  send(fromMs: number, toMs: number, streams: readonly Stream[]): void {
    for (let at = fromMs; at < toMs; at += 1_000) {
      const { body } = exportRequest(at, Math.min(at + 1_000, toMs), streams);
      this.pipeline.consume('json', Buffer.from(JSON.stringify(body)));
    }
  }

  /** Lets seconds pass with what the releases send in them, `skewMs` off the wall clock. */
  pass(seconds: number, streams: readonly Stream[], skewMs = 0): void {
    for (let i = 0; i < seconds; i++) {
      const at = this.clock.now() - skewMs;
      for (let ms = 0; ms < 1_000; ms += TICK_MS) {
        this.clock.pass(TICK_MS);
        if (streams.length > 0) this.send(at + ms, at + ms + TICK_MS, streams);
        this.pipeline.tick();
      }
    }
  }

  get run() {
    const run = this.stages.engine.rollouts.find('shop-1');
    if (run === undefined) throw new Error('no rollout was started');
    return run.view();
  }

  /** Valid and bad requests behind the shop's availability. */
  get counts() {
    const status = this.stages.engine.views.status(60_000, this.clock.now());
    const evidence = status.services[0]?.objectives[0]?.judgement.evidence;
    if (evidence?.kind !== 'objective') throw new Error('no objective');
    return { valid: evidence.valid, good: evidence.good };
  }
}
