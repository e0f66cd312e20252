/** What the configuration says of series: how many a service may have, which counters they carry, and which keep their place in a flood. */
import type { SeriesTableOptions } from '../aggregate/series-table.ts';
import type { Config } from '../config/config.ts';
import { eventRulesFor, objectiveApplies, thresholdsFor } from '../model/objective-binding.ts';
import type { Policies } from '../model/policy.ts';
import type { SeriesInfo } from '../model/series.ts';
import { type CountedRule, MAX_EVENT_RULES, type SpanRules } from '../model/span-rules.ts';

export interface SeriesRulesOptions {
  readonly config: Pick<Config, 'series' | 'spans' | 'policies'>;
  readonly hashSeed: number;
  /** A run in flight compares this endpoint of the release. */
  isCompared(service: string, endpoint: string, release: SeriesInfo['release']): boolean;
}

export class SeriesRules {
  readonly #options: SeriesRulesOptions;
  #policies: Policies;
  #events: SpanRules['events'];

  constructor(options: SeriesRulesOptions) {
    this.#options = options;
    this.#policies = options.config.policies;
    this.#events = options.config.spans.events;
  }

  /** For a series table, which asks again as the rules change. */
  get table(): SeriesTableOptions {
    const { config, hashSeed } = this.#options;
    return {
      ...config.series,
      nameBytes: config.spans.limits.nameBytes,
      hashSeed,
      maxSeriesOf: (service) => this.#policies.services.get(service)?.maxSeries ?? this.#policies.fallback.maxSeries,
      thresholdsOf: (service, endpoint) => thresholdsFor(this.#policies.services.get(service), endpoint),
      rulesOf: (service, endpoint) => this.#rulesOf(service, endpoint),
      isReserved: (service, endpoint, release) => this.#isReserved(service, endpoint, release),
    };
  }

  /** Takes new rules. Returns the services whose latency limits or event rules changed: their series start anew, so that their counters are exact. */
  reconfigure(config: Pick<Config, 'spans' | 'policies'>): readonly string[] {
    const before = { policies: this.#policies, events: this.#events };
    const after = { policies: config.policies, events: config.spans.events };
    this.#policies = after.policies;
    this.#events = after.events;
    const services = new Set([...before.policies.services.keys(), ...after.policies.services.keys()]);
    return [...services].filter((service) => countersOf(service, before) !== countersOf(service, after));
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
    return named === true || this.#options.isCompared(service, endpoint, release);
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
