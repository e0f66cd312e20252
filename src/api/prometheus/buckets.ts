/** Histograms as samples: put together, spread over the label `le`, and read at a quantile. */
import { QueryError } from './query-error.ts';
import { type BucketSample, type LabelSet, type Sample, sample } from './sample.ts';

const LE = 'le';
/** Samples that one vector of buckets may become. */
const MAX_SPREAD = 10_000;

/** All counts in one. They must be of one metric. */
export function mergedBuckets(histograms: readonly BucketSample[]): BucketSample {
  const [first] = histograms as [BucketSample];
  if (histograms.length === 1) return first;
  const counts = new Map<number, number>();
  for (const one of histograms) {
    for (let i = 0; i < one.buckets.length; i++) {
      const bucket = one.buckets[i] as number;
      counts.set(bucket, (counts.get(bucket) ?? 0) + (one.counts[i] as number));
    }
  }
  const buckets = [...counts.keys()].sort((a, b) => a - b);
  return { ...first, buckets, counts: buckets.map((bucket) => counts.get(bucket) as number) };
}

/**
 * Samples that stand for buckets as samples with `le`, running sums as Prometheus has them. All get the same edges, those of every bucket of any of them
 * that holds something, so that sums by `le` are right. Throws a QueryError of `execution` when that is too much.
 */
export function spreadBuckets(samples: readonly Sample[]): readonly Sample[] {
  if (samples.every(({ histogram }) => histogram === null)) return samples;
  const bounds = new Set<number>([Number.POSITIVE_INFINITY]);
  for (const { histogram } of samples) {
    for (const bucket of Array.from(histogram?.buckets ?? []))
      for (const edge of edgesOf(bucket, histogram as BucketSample)) bounds.add(edge);
  }
  const count = samples.length * bounds.size;
  if (count > MAX_SPREAD) {
    throw new QueryError(
      'execution',
      `${count} buckets are asked for, and at most ${MAX_SPREAD} are told at once: put them together with sum by (le)`,
    );
  }
  const ascending = [...bounds].filter((bound) => bound > 0).sort((a, b) => a - b);
  return samples.flatMap((one) => (one.histogram === null ? [one] : spread(one.labels, one.histogram, ascending)));
}

function spread(labels: LabelSet, histogram: BucketSample, bounds: readonly number[]): Sample[] {
  const { buckets, counts } = histogram;
  let next = 0;
  let sum = 0;
  return bounds.map((bound) => {
    for (; next < buckets.length && edgesOf(buckets[next] as number, histogram)[1] <= bound; next++) sum += counts[next] as number;
    return sample(labels.with(LE, Number.isFinite(bound) ? String(bound) : '+Inf'), sum);
  });
}

function edgesOf(bucket: number, { edge, openBucket }: BucketSample): [begin: number, end: number] {
  return [edge(bucket), bucket >= openBucket ? Number.POSITIVE_INFINITY : edge(bucket + 1)];
}

/**
 * A quantile as Prometheus reads it: linear within the bucket; in the last bucket, which never ends, its begin. NaN without observations; -Inf for `q` < 0,
 * +Inf for `q` > 1. Source: Prometheus, "Query functions", histogram_quantile().
 */
export function quantileOf(q: number, histogram: BucketSample): number {
  const outside = outsideQuantile(q);
  if (outside !== null) return outside;
  const { buckets, counts } = histogram;
  let total = 0;
  for (let i = 0; i < counts.length; i++) total += counts[i] as number;
  if (!(total > 0)) return Number.NaN;
  let rank = q * total;
  for (let i = 0; i < buckets.length; i++) {
    const count = counts[i] as number;
    if (rank > count && i < buckets.length - 1) {
      rank -= count;
      continue;
    }
    const [begin, end] = edgesOf(buckets[i] as number, histogram);
    return Number.isFinite(end) ? begin + (end - begin) * Math.min(1, rank / count) : begin;
  }
  return Number.NaN;
}

/** The same of samples with `le` as they come out of arithmetic, one for each set of other labels. */
export function* quantilesByLe(q: number, samples: readonly Sample[]): Generator<Sample> {
  const groups = new Map<string, { readonly labels: LabelSet; readonly bounds: { readonly le: number; readonly count: number }[] }>();
  for (const { labels, value } of samples) {
    const text = labels.value(LE);
    const le = text === '+Inf' ? Number.POSITIVE_INFINITY : Number(text);
    if (text === '' || Number.isNaN(le)) continue;
    const rest = labels.nameless.without([LE]);
    const group = groups.get(rest.key) ?? { labels: rest, bounds: [] };
    group.bounds.push({ le, count: value });
    groups.set(rest.key, group);
  }
  for (const { labels, bounds } of groups.values()) {
    yield sample(
      labels,
      quantileOfBounds(
        q,
        bounds.sort((a, b) => a.le - b.le),
      ),
    );
  }
}

function quantileOfBounds(q: number, bounds: readonly { readonly le: number; readonly count: number }[]): number {
  const outside = outsideQuantile(q);
  if (outside !== null) return outside;
  const last = bounds.at(-1);
  if (last === undefined || last.le !== Number.POSITIVE_INFINITY || bounds.length < 2 || !(last.count > 0)) return Number.NaN;
  const rank = q * last.count;
  const at = bounds.findIndex(({ count }) => count >= rank);
  const reached = bounds[at];
  if (reached === undefined || reached.le === Number.POSITIVE_INFINITY) return bounds.at(-2)?.le ?? Number.NaN;
  const before = bounds[at - 1] ?? { le: Math.min(0, reached.le), count: 0 };
  const count = reached.count - before.count;
  return count > 0 ? before.le + ((reached.le - before.le) * (rank - before.count)) / count : reached.le;
}

function outsideQuantile(q: number): number | null {
  if (Number.isNaN(q)) return Number.NaN;
  if (q < 0) return Number.NEGATIVE_INFINITY;
  return q > 1 ? Number.POSITIVE_INFINITY : null;
}
