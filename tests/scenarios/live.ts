/** The running service without its shell: the two stages joined by the product's own pipeline, to a clock that only the test moves. */
import { processSchema } from '../../src/config/process-schema.ts';
import type { RolloutRequest } from '../../src/engine/rollouts.ts';
import { LEVEL_SECONDS, type SavedState } from '../../src/model/checkpoint.ts';
import { eventRulesOf } from '../../src/model/objective-binding.ts';
import type { AnalysisRun, Signal } from '../../src/model/rollout.ts';
import type { SpanRules } from '../../src/model/span-rules.ts';
import type { DurationMs, EpochMs } from '../../src/model/time.ts';
import type { ServiceView } from '../../src/model/views.ts';
import { Judging } from '../../src/service/judging.ts';
import { Pipeline } from '../../src/service/pipeline.ts';
import { savedPods } from '../../src/service/saved-pods.ts';
import { Stages, type StagesOptions } from '../../src/service/stages.ts';
import type { JournalEntry } from '../../src/store/journal.ts';
import { MemoryStore } from '../../src/store/memory-store.ts';
import type { Store } from '../../src/store/store.ts';
import type { RunningTelemetry } from '../../src/telemetry/create-telemetry.ts';
import { MemoryTelemetry } from '../support/memory-telemetry.ts';
import { objective, policies } from '../support/policies.ts';
import { type Arrival, WORLD_START, type World } from './world.ts';

export type ScenarioConfig = StagesOptions['config'];

const TICK_MS = 500;
const CHECKPOINT_MS = 5000;

/** The process file's defaults. */
const DEFAULTS = processSchema.parse({});
export const DEFAULT_SPAN_RULES: SpanRules = {
  ...DEFAULTS.spans,
  instanceBy: ['k8s.pod.name', 'service.instance.id'],
  exclude: new Map(),
  events: new Map(),
  statusTreatment: new Map(),
  maxSkewMs: DEFAULTS.spans.maxSkew,
  maxAgeMs: DEFAULTS.spans.maxAge,
  maxDurationMs: DEFAULTS.spans.maxDuration,
};

/** Default policies with a sink, no warm-up and the documented least number of requests and freshness, unless `change` says otherwise. */
export function scenarioConfig(change: Parameters<typeof policies>[0] = {}, spans: Partial<SpanRules> = {}): ScenarioConfig {
  const all = policies({ ...change, canary: { minRequests: 200, freshnessMs: 30_000, sinks: ['deploy-system'], ...change.canary } });
  return {
    histogram: { digits: DEFAULTS.histogram.digits, highestUs: DEFAULTS.histogram.highest * 1000 },
    series: DEFAULTS.series,
    spans: { ...DEFAULT_SPAN_RULES, events: eventRulesOf(all), ...spans },
    policies: all,
  };
}

export const AVAILABILITY = objective({ service: 'checkout', target: 0.99 });

class ScenarioTelemetry extends MemoryTelemetry implements RunningTelemetry {
  span<T>(_name: string, _attributes: object, act: () => T): T {
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

export class Live {
  readonly telemetry = new ScenarioTelemetry();
  readonly store: Store;
  /** Handed to delivery, in order: what the deploy system would get. */
  readonly signals: Signal[] = [];
  /** Takes what is journalled, as delivery would. */
  deliver: (entries: readonly JournalEntry[]) => void = () => {};
  config: ScenarioConfig;
  /** A run that breaks is held, which a scenario might take for its own: it fails instead, unless it is about that. */
  mayBreak = false;
  stages: Stages;
  #judging: Judging;
  #pipeline: Pipeline;
  #now: EpochMs = WORLD_START;
  #nextTick: EpochMs = WORLD_START;
  #nextCheckpoint: EpochMs = WORLD_START;
  #lives = 0;

  constructor(config: ScenarioConfig, store: Store = new MemoryStore()) {
    this.config = config;
    this.store = store;
    this.stages = this.#born();
    this.#judging = this.#judgingOf(this.stages);
    this.#pipeline = this.#pipelineOf(this.stages);
  }

  get now(): EpochMs {
    return this.#now;
  }

  get engine() {
    return this.stages.engine;
  }

  /** Lets the world go on until `second`, with the service's timers. */
  play(world: World, second: number): void {
    for (const { at, bytes } of world.until(second)) this.arrive({ at, bytes });
    this.idle(WORLD_START + second * 1000);
  }

  arrive({ at, bytes }: Arrival): void {
    this.idle(at);
    this.#pipeline.consume('protobuf', bytes);
  }

  /** Only time passes. */
  idle(until: EpochMs): void {
    for (; this.#nextTick <= until; this.#nextTick += TICK_MS) {
      this.#now = this.#nextTick;
      this.#pipeline.tick();
      if (this.#now < this.#nextCheckpoint) continue;
      this.#judging.checkpoint();
      this.#nextCheckpoint += CHECKPOINT_MS;
    }
    this.#now = Math.max(this.#now, until);
    const fault = this.telemetry.lines.find(({ message }) => message === 'an analysis run broke and ended');
    if (fault !== undefined && !this.mayBreak) throw new Error(JSON.stringify(fault.fields));
  }

  /** As POST /v1/rollouts: v1 against v2 of checkout unless told otherwise. */
  start(request: Partial<RolloutRequest> = {}) {
    const outcome = this.engine.startRollout(
      {
        id: 'r1',
        service: 'checkout',
        baseline: { 'service.version': 'v1' },
        canary: { 'service.version': 'v2' },
        generation: 1,
        ...request,
      },
      this.#now,
    );
    this.#judging.checkpoint();
    return outcome;
  }

  run(id = 'r1'): AnalysisRun {
    const run = this.engine.rollouts.find(id);
    if (run === undefined) throw new RangeError(`there is no run ${id}`);
    return run.view();
  }

  /** Signals of one run that reached delivery. */
  signalsOf(id = 'r1'): Signal[] {
    return this.signals.filter(({ rolloutId }) => rolloutId === id);
  }

  service(name: string, windowMs: DurationMs = 600_000): ServiceView {
    const view = this.engine.views.status(windowMs, this.#now, name).services[0];
    if (view === undefined) throw new RangeError(`nothing is known of ${name}`);
    return view;
  }

  /** The process dies at once and another one starts from what the store has, `downMs` later. */
  crash(downMs: DurationMs = 0): void {
    this.#now += downMs;
    while (this.#nextTick <= this.#now) this.#nextTick += TICK_MS;
    while (this.#nextCheckpoint <= this.#now) this.#nextCheckpoint += CHECKPOINT_MS;
    this.stages = this.#born();
    this.#judging = this.#judgingOf(this.stages);
    this.#pipeline = this.#pipelineOf(this.stages);
  }

  /** Stops in order, then starts again. */
  restart(downMs: DurationMs = 0): void {
    this.#pipeline.finish();
    this.crash(downMs);
  }

  #born(): Stages {
    const state = this.#savedState();
    const life = this.#lives++;
    return new Stages({
      config: this.config,
      source: 'local',
      epoch: `life-${life}`,
      hashSeed: life,
      ...(state.at !== null && { saved: { state, now: this.#now } }),
    });
  }

  /** As the service itself reads it back: slots counted from the last checkpoint. */
  #savedState(): SavedState {
    const state = this.store.load({});
    if (state.at === null) return state;
    const atSec = Math.floor(state.at / 1000);
    return { ...state, slots: LEVEL_SECONDS.flatMap((level) => this.store.slots(level, atSec - 900 - 2 * level, Number.MAX_SAFE_INTEGER)) };
  }

  get #clock() {
    return { now: () => this.#now, monotonicMs: () => this.#now - WORLD_START };
  }

  #pipelineOf({ ingest }: Stages): Pipeline {
    return new Pipeline({ ingest, judging: this.#judging, telemetry: this.telemetry, clock: this.#clock });
  }

  #judgingOf(stages: Stages): Judging {
    return new Judging({
      engine: stages.engine,
      store: this.store,
      telemetry: this.telemetry,
      clock: this.#clock,
      notes: () => savedPods(stages),
      address: (signal) => signal,
      deliver: (entries) => {
        this.signals.push(...entries.map(({ signal }) => signal));
        this.deliver(entries);
      },
    });
  }
}
