/** Builds the two stages from configuration and saved state, alike for the live service and for a replay. */
import type { SeriesTable } from '../aggregate/series-table.ts';
import type { Config } from '../config/config.ts';
import { Engine } from '../engine.ts';
import { PartitionedIngest, type PartitionedIngestOptions } from '../ingest/partitioned-ingest.ts';
import { Ingest, type IngestOptions } from '../ingest.ts';
import type { SavedState } from '../model/checkpoint.ts';
import { HistogramLayout } from '../model/histogram-layout.ts';
import type { SpanRules } from '../model/span-rules.ts';
import type { EpochMs } from '../model/time.ts';
import { SeriesRules } from './series-rules.ts';

export interface StagesOptions {
  readonly config: Pick<Config, 'histogram' | 'series' | 'spans' | 'policies'>;
  readonly hashSeed: number;
  /** State to go on from, the time at which it is taken up, and whether input goes on where it ends. */
  readonly saved?: { readonly state: SavedState; readonly now: EpochMs; readonly continuity?: 'gap' | 'exact' };
}

/** Both forms of stage A. */
interface StageA {
  readonly table: SeriesTable;
  reconfigure(rules: SpanRules): void;
}

/** What they share. */
type StageAOptions = Pick<IngestOptions, 'rules' | 'layout' | 'series' | 'known' | 'notes'>;

export class StagesOf<A extends StageA> {
  readonly engine: Engine;
  readonly ingest: A;
  readonly #rules: SeriesRules;
  #releaseBy: readonly string[];

  constructor(options: StagesOptions, stageA: (options: StageAOptions) => A) {
    const { config, saved } = options;
    this.#releaseBy = config.spans.releaseBy;
    const layout = new HistogramLayout(config.histogram.digits, config.histogram.highestUs);
    this.engine = new Engine(config.policies, layout);
    this.#rules = new SeriesRules({
      config,
      hashSeed: options.hashSeed,
      isCompared: (service, endpoint, release) =>
        this.engine.isUnderAnalysis({ service, release }) && this.engine.hasEndpoint(service, endpoint),
    });
    this.ingest = stageA({
      rules: config.spans,
      layout,
      ...(saved !== undefined && { known: saved.state.series, notes: saved.state.notes }),
      series: this.#rules.table,
    });
    if (saved !== undefined) this.engine.restore(saved.state, saved.now, saved.continuity);
  }

  /** Attributes by which releases are told apart, the most telling first. */
  get releaseBy(): readonly string[] {
    return this.#releaseBy;
  }

  /** Takes new policies and span rules; see `SeriesRules.reconfigure`. */
  reconfigure(config: Pick<Config, 'spans' | 'policies'>): void {
    this.#releaseBy = config.spans.releaseBy;
    for (const service of this.#rules.reconfigure(config)) this.ingest.table.retire(service);
    this.ingest.reconfigure(config.spans);
    this.engine.reconfigure(config.policies);
  }
}

/** Requests come from one place. */
export class Stages extends StagesOf<Ingest> {
  constructor(options: StagesOptions & Pick<IngestOptions, 'source' | 'epoch'>) {
    super(options, (shared) => new Ingest({ ...shared, source: options.source, epoch: options.epoch }));
  }
}

/** They come from several partitions, each with a place of its own up to which it is counted. */
export class PartitionedStages extends StagesOf<PartitionedIngest> {
  constructor({ pods, ...options }: StagesOptions & Pick<PartitionedIngestOptions, 'pods'>) {
    super(options, (shared) => new PartitionedIngest({ ...shared, ...(pods !== undefined && { pods }) }));
  }
}
