/** What there is to ask for: series by selectors, names and values of their labels, and what the metrics mean. */
import { METRIC_NAMES, type Metric } from '../../model/metric-table.ts';
import type { SeriesInfo } from '../../model/series.ts';
import type { EpochMs } from '../../model/time.ts';
import { gaugeVector } from './gauge-vector.ts';
import type { MetricSource } from './metric-source.ts';
import { parseQuery } from './parse-query.ts';
import { QueryError } from './query-error.ts';
import type { Selector } from './query-tree.ts';
import type { LabelSet } from './sample.ts';
import { selectSeries, trackedLabels } from './select-series.ts';

const NAME = '__name__';
const MAX_SELECTORS = 20;
const MAX_SERIES = 20_000;

export type KnownLabels = ReadonlyMap<string, string>;

/** Label sets of all series that any of the selectors means, with names and without `le`; of every series without a selector. Throws a QueryError. */
export async function knownSeries(matches: readonly string[], source: MetricSource, now: EpochMs): Promise<KnownLabels[]> {
  if (matches.length > MAX_SELECTORS) throw new QueryError('bad_data', `invalid parameter "match[]": more than ${MAX_SELECTORS} selectors`);
  const series = source.series();
  const asked = matches.length === 0 ? everything() : matches.map((match) => [match, selectorOf(match)] as const);
  const found = new Map<string, KnownLabels>();
  for (const [match, selector] of asked) {
    for (const set of meant(match, selector, series, source, now)) {
      found.set(set.key, set.labels);
      if (found.size > MAX_SERIES)
        throw new QueryError('execution', `more than ${MAX_SERIES} series are meant: name a metric and a service`);
    }
    // All series were looked at.
    await source.breathe();
  }
  return [...found.values()];
}

function* meant(match: string, selector: Selector, series: readonly SeriesInfo[], source: MetricSource, now: EpochMs): Generator<LabelSet> {
  const metric = METRIC_NAMES.get(selector.metric);
  if (metric === undefined) return;
  if (metric.kind === 'gauge') {
    for (const { labels } of gaugeVector(metric.name, selector, match, (at) => source.gauges(at))(now)) yield labels;
    return;
  }
  const { elements } = selectSeries({ selector, family: metric.family, part: metric.part, kept: null }, series, match);
  for (const { labels } of elements) yield labels.with(NAME, metric.name);
}

/** Names of all labels that there may be. */
export function labelNames(source: MetricSource): string[] {
  const names = new Set<string>([NAME, 'le']);
  for (const { family, kind } of METRIC_NAMES.values()) {
    for (const name of kind === 'gauge' ? family.labels : Object.keys(family.labels)) names.add(name);
    if (kind === 'slots' && family.outcome !== null) names.add(family.outcome.name);
  }
  for (const name of trackedLabels(source.series())) names.add(name);
  return [...names].sort();
}

/** Type, unit and help by the name of the family, as exporters tell it. */
export function metricMetadata(only: string | null): Record<string, { type: string; help: string; unit: string }[]> {
  const all: Record<string, { type: string; help: string; unit: string }[]> = {};
  for (const [name, metric] of METRIC_NAMES) {
    const family = familyName(name, metric);
    if (only !== null && only !== family && only !== name) continue;
    all[family] = [{ type: metric.family.kind, help: metric.family.help, unit: metric.kind === 'slots' ? metric.family.unit : '' }];
  }
  return all;
}

function familyName(name: string, metric: Metric): string {
  return metric.kind === 'slots' && metric.part !== 'total' ? name.slice(0, -metric.part.length - 1) : name;
}

function everything(): (readonly [string, Selector])[] {
  return [...METRIC_NAMES.keys()].map((metric) => [metric, { metric, matchers: [], offsetMs: 0, at: 0 }] as const);
}

function selectorOf(match: string): Selector {
  const tree = parseQuery(match);
  if (tree.kind === 'selector') return tree.selector;
  throw new QueryError('bad_data', `invalid parameter "match[]": ${JSON.stringify(match.slice(0, 100))} is no selector`);
}
