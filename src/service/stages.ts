/** Builds the two stages from configuration and saved state, alike for the live service and for a replay. */
import type { Config } from '../config/config.ts';
import { Engine } from '../engine.ts';
import { Ingest } from '../ingest.ts';
import type { SavedState } from '../model/checkpoint.ts';
import { HistogramLayout } from '../model/histogram-layout.ts';
import { objectiveApplies, thresholdsFor } from '../model/objective-binding.ts';
import type { Policies, ServicePolicy } from '../model/policy.ts';
import type { SeriesInfo } from '../model/series.ts';
import type { EpochMs } from '../model/time.ts';

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
  #policies: Policies;

  constructor(options: StagesOptions) {
    const { config, saved } = options;
    this.#policies = config.policies;
    const layout = new HistogramLayout(config.histogram.digits, config.histogram.highestUs);
    this.engine = new Engine(config.policies, layout);
    this.ingest = new Ingest({
      rules: config.spans,
      layout,
      source: options.source,
      epoch: options.epoch,
      ...(saved !== undefined && { known: saved.state.series, notes: saved.state.notes }),
      series: {
        ...config.series,
        nameBytes: config.spans.limits.nameBytes,
        hashSeed: options.hashSeed,
        maxSeriesOf: (service) => this.#policies.services.get(service)?.maxSeries ?? this.#policies.fallback.maxSeries,
        thresholdsOf: (service, endpoint) => thresholdsFor(this.#policies.services.get(service), endpoint),
        isReserved: (service, endpoint, release) => this.#isReserved(service, endpoint, release),
      },
    });
    if (saved !== undefined) this.engine.restore(saved.state, saved.now);
  }

  /** Takes new policies and span rules. Series of services whose latency limits changed start anew, so that their counters are exact. */
  reconfigure(config: Pick<Config, 'spans' | 'policies'>): void {
    const before = this.#policies;
    this.#policies = config.policies;
    for (const service of new Set([...before.services.keys(), ...config.policies.services.keys()])) {
      const [old, next] = [before.services.get(service), config.policies.services.get(service)];
      if (latencyLimits(old) !== latencyLimits(next)) this.ingest.table.retire(service);
    }
    this.ingest.reconfigure(config.spans);
    this.engine.reconfigure(config.policies);
  }

  /** What an objective names, and what a run in flight compares, keeps its place in a flood of names. */
  #isReserved(service: string, endpoint: string, release: SeriesInfo['release']): boolean {
    const named = this.#policies.services
      .get(service)
      ?.objectives.some((objective) => objective.endpoint !== null && objectiveApplies(objective, endpoint));
    return named === true || (this.engine.isUnderAnalysis({ service, release }) && this.engine.hasEndpoint(service, endpoint));
  }
}

function latencyLimits(policy: ServicePolicy | undefined): string {
  return JSON.stringify(
    (policy?.objectives ?? []).flatMap(({ sli, endpoint }) => (sli.kind === 'latency' ? [[endpoint, sli.thresholdNs]] : [])),
  );
}
