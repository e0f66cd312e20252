/** Builds the two stages from configuration and saved state, alike for the live service and for a replay. */
import type { Config } from '../config/config.ts';
import { Engine } from '../engine.ts';
import { Ingest } from '../ingest.ts';
import type { SavedState } from '../model/checkpoint.ts';
import { HistogramLayout } from '../model/histogram-layout.ts';
import { eventRulesFor, objectiveApplies, thresholdsFor } from '../model/objective-binding.ts';
import type { Policies } from '../model/policy.ts';
import type { SeriesInfo } from '../model/series.ts';
import { type CountedRule, MAX_EVENT_RULES, type SpanRules } from '../model/span-rules.ts';
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
  #events: SpanRules['events'];
  #releaseBy: readonly string[];

  constructor(options: StagesOptions) {
    const { config, saved } = options;
    this.#policies = config.policies;
    this.#events = config.spans.events;
    this.#releaseBy = config.spans.releaseBy;
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
        rulesOf: (service, endpoint) => this.#rulesOf(service, endpoint),
        isReserved: (service, endpoint, release) => this.#isReserved(service, endpoint, release),
      },
    });
    if (saved !== undefined) this.engine.restore(saved.state, saved.now);
  }

  /** Attributes by which releases are told apart, the most telling first. */
  get releaseBy(): readonly string[] {
    return this.#releaseBy;
  }

  /** Takes new policies and span rules. Series of services whose latency limits or event rules changed start anew, so that their counters are exact. */
  reconfigure(config: Pick<Config, 'spans' | 'policies'>): void {
    const before = { policies: this.#policies, events: this.#events };
    const after = { policies: config.policies, events: config.spans.events };
    this.#policies = after.policies;
    this.#events = after.events;
    this.#releaseBy = config.spans.releaseBy;
    for (const service of new Set([...before.policies.services.keys(), ...after.policies.services.keys()])) {
      if (countersOf(service, before) !== countersOf(service, after)) this.ingest.table.retire(service);
    }
    this.ingest.reconfigure(config.spans);
    this.engine.reconfigure(config.policies);
  }

  /** A rule that spans are not held against has no counters: its objective knows nothing, rather than that all is well. */
  #rulesOf(service: string, endpoint: string): readonly CountedRule[] {
    const held = this.#events.get(service)?.slice(0, MAX_EVENT_RULES) ?? [];
    if (held.length === 0) return [];
    const bitOf = (key: string) => held.findIndex((rule) => rule.key === key);
    return eventRulesFor(this.#policies.services.get(service), endpoint)
      .map(({ key }) => ({ key, bit: bitOf(key) }))
      .filter(({ bit }) => bit >= 0);
  }

  /** What an objective names, and what a run in flight compares, keeps its place in a flood of names. */
  #isReserved(service: string, endpoint: string, release: SeriesInfo['release']): boolean {
    const named = this.#policies.services
      .get(service)
      ?.objectives.some((objective) => objective.endpoint !== null && objectiveApplies(objective, endpoint));
    return named === true || (this.engine.isUnderAnalysis({ service, release }) && this.engine.hasEndpoint(service, endpoint));
  }
}

/** What decides which counters the series of a service have, and what is counted in them. */
function countersOf(service: string, { policies, events }: { readonly policies: Policies; readonly events: SpanRules['events'] }): string {
  const limits = (policies.services.get(service)?.objectives ?? []).flatMap(({ sli, endpoint }) => {
    if (sli.kind === 'latency') return [[endpoint, sli.thresholdNs]];
    return sli.kind === 'events' ? [[endpoint, sli.rule.key]] : [];
  });
  return JSON.stringify([limits, events.get(service)?.map(({ key }) => key)]);
}
