/** Metrics that are read when somebody asks for them: what comes and goes (runs, services) leaves nothing behind, and a histogram is told as a whole. */
import { ValueType } from '@opentelemetry/api';
import { AggregationTemporality, DataPointType, type MetricData } from '@opentelemetry/sdk-metrics';
import { METRICS, type MetricName, type MetricRow } from './metric-table.ts';
import type { Labels } from './telemetry.ts';

/** One value of a counter or a gauge. A counter's is its sum since the process started. */
export interface ScrapedValue {
  readonly metric: MetricName;
  readonly labels: Labels;
  readonly value: number;
}

/** A histogram since the process started. */
export interface ScrapedHistogram {
  readonly metric: MetricName;
  readonly labels: Labels;
  /** Upper bounds, ascending. */
  readonly bounds: readonly number[];
  /** In each bucket, not cumulative; one more than there are bounds. */
  readonly counts: ArrayLike<number>;
  readonly sum: number;
}

export type Scraped = ScrapedValue | ScrapedHistogram;
export type ScrapedSource = () => Iterable<Scraped>;

const ROWS: Readonly<Record<MetricName, MetricRow>> = METRICS;
const NO_TIME: [number, number] = [0, 0];

interface Family {
  readonly values: { readonly attributes: Labels; value: number }[];
  readonly histograms: { readonly attributes: Labels; bounds: readonly number[]; counts: number[]; sum: number }[];
  /** By their labels. */
  readonly places: Map<string, number>;
}

/**
 * Everything that sources tell now, as the SDK has it. The same labels from two sources are one: sums of what both say. What contradicts the table is left
 * out, as is the rest of a source that breaks: `misused` is told of it.
 */
export function scrapedMetrics(sources: Iterable<ScrapedSource>, prefix: string, misused: (error: unknown) => void): MetricData[] {
  const families = new Map<MetricName, Family>();
  const guarded = (act: () => void): void => {
    try {
      act();
    } catch (error) {
      misused(error);
    }
  };
  for (const source of sources) {
    guarded(() => {
      for (const scraped of source()) guarded(() => take(scraped, families));
    });
  }
  return [...families].map(([name, family]) => metricData(name, family, prefix));
}

function take(scraped: Scraped, families: Map<MetricName, Family>): void {
  const { metric, labels } = scraped;
  const row = ROWS[metric];
  if ('counts' in scraped !== (row.kind === 'histogram')) throw new TypeError(`metric ${metric} is a ${row.kind}`);
  // In the order of the table: whoever wrote them down, the same labels are the same series.
  const attributes = Object.fromEntries(row.labels.map((label) => [label, labels[label] ?? missing(metric, label)]));
  if (Object.keys(labels).length !== row.labels.length) throw new TypeError(`metric ${metric} has the labels [${row.labels.join(', ')}]`);
  let family = families.get(metric);
  if (family === undefined) {
    family = { values: [], histograms: [], places: new Map() };
    families.set(metric, family);
  }
  const { values, histograms, places } = family;
  const key = JSON.stringify(Object.values(attributes));
  const at = places.get(key);
  if ('counts' in scraped) {
    const known = at === undefined ? undefined : histograms[at];
    if (known === undefined) {
      places.set(key, histograms.length);
      histograms.push({ attributes, bounds: scraped.bounds, counts: Array.from(scraped.counts), sum: scraped.sum });
      return;
    }
    known.counts = known.counts.map((count, i) => count + (scraped.counts[i] ?? 0));
    known.sum += scraped.sum;
    return;
  }
  const known = at === undefined ? undefined : values[at];
  if (known !== undefined) {
    known.value += scraped.value;
    return;
  }
  places.set(key, values.length);
  values.push({ attributes, value: scraped.value });
}

function missing(metric: MetricName, label: string): never {
  throw new TypeError(`metric ${metric} has the label ${label}`);
}

function metricData(name: MetricName, { values, histograms }: Family, prefix: string): MetricData {
  const { help, kind } = ROWS[name];
  const descriptor = { name: `${prefix}${name}`, description: help, unit: '', valueType: ValueType.DOUBLE };
  const point = { startTime: NO_TIME, endTime: NO_TIME };
  const aggregationTemporality = AggregationTemporality.CUMULATIVE;
  const dataPoints = values.map(({ attributes, value }) => ({ ...point, attributes, value }));
  switch (kind) {
    case 'gauge':
      return { descriptor, aggregationTemporality, dataPointType: DataPointType.GAUGE, dataPoints };
    case 'counter':
      return { descriptor, aggregationTemporality, dataPointType: DataPointType.SUM, isMonotonic: true, dataPoints };
    case 'histogram': {
      const points = histograms.map(({ attributes, bounds, counts, sum }) => ({
        ...point,
        attributes,
        value: { buckets: { boundaries: [...bounds], counts }, sum, count: counts.reduce((all, count) => all + count, 0) },
      }));
      return { descriptor, aggregationTemporality, dataPointType: DataPointType.HISTOGRAM, dataPoints: points };
    }
    default:
      return kind satisfies never;
  }
}
