/** A topic of spans that is read unevenly, and a process that judges in the time of its slowest partition: the parts of the real one, without a broker. */
import { SourceBook } from '../../src/engine/source-book.ts';
import { Engine } from '../../src/engine.ts';
import { PartitionedIngest } from '../../src/ingest/partitioned-ingest.ts';
import { HistogramLayout } from '../../src/model/histogram-layout.ts';
import type { AnalysisRun, Signal } from '../../src/model/rollout.ts';
import type { SlotDeltas } from '../../src/model/slot-deltas.ts';
import type { ProgressReport } from '../../src/model/source-progress.ts';
import type { EpochMs } from '../../src/model/time.ts';
import { Judging } from '../../src/service/judging.ts';
import { restored } from '../../src/service/restored-state.ts';
import { SeriesRules } from '../../src/service/series-rules.ts';
import { MemoryStore } from '../../src/store/memory-store.ts';
import type { RunningTelemetry } from '../../src/telemetry/create-telemetry.ts';
import { MemoryTelemetry } from '../support/memory-telemetry.ts';
import type { ScenarioConfig } from './live.ts';
import { type Arrival, WORLD_START } from './world.ts';

export const WAIT_MS = 120_000;
const POSITIONS_NOTE = 'positions';

class Telemetry extends MemoryTelemetry implements RunningTelemetry {
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

/** One life of the process. */
interface Life {
  readonly engine: Engine;
  readonly ingest: PartitionedIngest;
  readonly sources: SourceBook;
  readonly judging: Judging;
}

export class Partitions {
  readonly signals: Signal[] = [];
  readonly telemetry = new Telemetry();
  now: EpochMs = WORLD_START;
  readonly #config: ScenarioConfig;
  readonly #store = new MemoryStore();
  readonly #log: readonly (readonly Arrival[])[];
  #positions: number[];
  #life: Life;
  #lives = 0;

  /** Records of each partition, in order of arrival. */
  constructor(config: ScenarioConfig, log: readonly (readonly Arrival[])[]) {
    this.#config = config;
    this.#log = log;
    this.#positions = log.map(() => 0);
    this.#life = this.#born();
  }

  get engine(): Engine {
    return this.#life.engine;
  }

  get sources(): SourceBook {
    return this.#life.sources;
  }

  /** Where judging is. */
  get time(): EpochMs {
    return this.#life.judging.now();
  }

  run(id = 'r1'): AnalysisRun {
    const run = this.engine.rollouts.find(id);
    if (run === undefined) throw new RangeError(`there is no run ${id}`);
    return run.view();
  }

  /** Reads what arrived at each partition by its own time, which is that of no record to come; null leaves the partition alone. */
  read(until: readonly (EpochMs | null)[]): void {
    const { ingest, judging, sources } = this.#life;
    const flushes: SlotDeltas[] = [];
    const progress: ProgressReport['progress'][number][] = [];
    for (const [i, end] of until.entries()) {
      if (end === null) continue;
      const records = this.#log[i] ?? [];
      const partition = ingest.partition(`t/${i}`);
      let position = this.#positions[i] ?? 0;
      for (; position < records.length && (records[position] as Arrival).at < end; position++) {
        const { at, bytes } = records[position] as Arrival;
        partition.consume('protobuf', bytes, at);
      }
      this.#positions[i] = position;
      if (partition.pending > 0) flushes.push(partition.flush({ source: `t/${i}`, epoch: 'log', sequence: position }));
      progress.push({ source: `t/${i}`, completeUntilMs: Math.min(end, this.now), isClosed: false });
    }
    judging.merge(flushes);
    sources.report({ member: 'm', progress, expected: this.#log.map((_, i) => `t/${i}`), gaps: [] }, this.now);
    judging.turn([]);
  }

  checkpoint(extent: 'bounded' | 'whole' = 'bounded'): void {
    this.#life.judging.checkpoint(extent);
  }

  /** The process dies, and another goes on from what was saved. */
  crash(): void {
    this.#life = this.#born();
  }

  #born(): Life {
    const config = this.#config;
    const life = this.#lives++;
    const { built, notes } = restored({
      store: this.#store,
      now: this.now,
      telemetry: this.telemetry,
      policy: config.policies.fallback.canary,
      build: (saved) => {
        const layout = new HistogramLayout(config.histogram.digits, config.histogram.highestUs);
        const engine = new Engine(config.policies, layout);
        if (saved.at !== null) engine.restore(saved, this.now, 'exact');
        const rules = new SeriesRules({ config, hashSeed: life, isCompared: () => false });
        const ingest = new PartitionedIngest({ rules: config.spans, layout, known: saved.series, notes: saved.notes, series: rules.table });
        return { engine, ingest };
      },
    });
    const positions = notes.find(({ key }) => key === POSITIONS_NOTE);
    this.#positions = positions === undefined ? this.#log.map(() => 0) : (JSON.parse(positions.json) as number[]);
    const sources = new SourceBook({ waitMs: WAIT_MS });
    sources.restore(notes);
    const judging = new Judging({
      engine: built.engine,
      store: this.#store,
      telemetry: this.telemetry,
      clock: { now: () => this.now, monotonicMs: () => this.now - WORLD_START },
      sources,
      address: (signal) => signal,
      deliver: (entries) => this.signals.push(...entries.map(({ signal }) => signal)),
      notes: () => {
        const services = new Set([...built.engine.rollouts.active()].map(({ rollout }) => rollout.service));
        const pods = built.ingest.unsavedPods(services);
        return [...sources.snapshot(), ...(pods === null ? [] : [pods]), { key: POSITIONS_NOTE, json: JSON.stringify(this.#positions) }];
      },
    });
    return { ...built, sources, judging };
  }
}
