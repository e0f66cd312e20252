/** Builds the two stages from configuration and saved state, alike for the live service and for a replay. */
import type { Config } from '../config/config.ts';
import { Engine } from '../engine.ts';
import { Ingest } from '../ingest.ts';
import type { SavedState } from '../model/checkpoint.ts';
import { HistogramLayout } from '../model/histogram-layout.ts';
import type { EpochMs } from '../model/time.ts';
import { SeriesRules } from './series-rules.ts';

export interface StagesOptions {
  readonly config: Pick<Config, 'histogram' | 'series' | 'spans' | 'policies'>;
  /** Names this process and this life of it. */
  readonly source: string;
  readonly epoch: string;
  readonly hashSeed: number;
  /** State to go on from, and the time at which it is taken up. */
  readonly saved?: { readonly state: SavedState; readonly now: EpochMs };
}

export class Stages {
  readonly engine: Engine;
  readonly ingest: Ingest;
  readonly #rules: SeriesRules;
  #releaseBy: readonly string[];

  constructor(options: StagesOptions) {
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
    this.ingest = new Ingest({
      rules: config.spans,
      layout,
      source: options.source,
      epoch: options.epoch,
      ...(saved !== undefined && { known: saved.state.series, notes: saved.state.notes }),
      series: this.#rules.table,
    });
    if (saved !== undefined) this.engine.restore(saved.state, saved.now);
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
