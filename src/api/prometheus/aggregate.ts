/** Aggregations: many samples become one for each set of the labels that are kept, or the few that are highest. */
import { mergedBuckets, spreadBuckets } from './buckets.ts';
import type { Aggregate, Grouping } from './query-tree.ts';
import { type BucketSample, type LabelSet, type Sample, sample } from './sample.ts';

const LE = 'le';
const NAME = '__name__';

/** Remembers what it made of labels: those of a query come again at every step. */
export class Aggregation {
  readonly #op: Aggregate;
  readonly #grouping: Grouping;
  readonly #projected = new WeakMap<LabelSet, LabelSet>();

  constructor(op: Aggregate, grouping: Grouping) {
    this.#op = op;
    this.#grouping = grouping;
  }

  /** `param` is that of topk, bottomk and quantile. */
  of(samples: readonly Sample[], param: number): Sample[] {
    const { kind, labels } = this.#grouping;
    const keepsLe = labels.includes(LE) === (kind === 'by');
    // Running sums by le add up to the running sums of the whole.
    const apart = this.#op === 'sum' && keepsLe ? samples : spreadBuckets(samples);
    const groups = new Map<string, { readonly labels: LabelSet; readonly members: Sample[] }>();
    for (const one of apart) {
      const kept = this.#kept(one.labels);
      const group = groups.get(kept.key);
      if (group === undefined) groups.set(kept.key, { labels: kept, members: [one] });
      else group.members.push(one);
    }
    return [...groups.values()].flatMap((group) => this.#reduced(group.labels, group.members, param));
  }

  #reduced(labels: LabelSet, members: readonly Sample[], param: number): Sample[] {
    const values = members.map(({ value }) => value);
    switch (this.#op) {
      case 'sum': {
        const histograms = members.map(({ histogram }) => histogram).filter((one): one is BucketSample => one !== null);
        if (histograms.length > 0) return [{ labels, value: Number.NaN, histogram: mergedBuckets(histograms) }];
        return [sample(labels, sum(values))];
      }
      case 'avg':
        return [sample(labels, sum(values) / values.length)];
      case 'min':
        return [
          sample(
            labels,
            extreme(values, (a, b) => a < b),
          ),
        ];
      case 'max':
        return [
          sample(
            labels,
            extreme(values, (a, b) => a > b),
          ),
        ];
      case 'count':
        return [sample(labels, values.length)];
      case 'group':
        return [sample(labels, 1)];
      case 'topk':
        return members.toSorted((a, b) => descending(a.value, b.value)).slice(0, wholeCount(param));
      case 'bottomk':
        return members.toSorted((a, b) => ascending(a.value, b.value)).slice(0, wholeCount(param));
      case 'quantile':
        return [sample(labels, quantile(param, values))];
      default:
        return this.#op satisfies never;
    }
  }

  #kept(labels: LabelSet): LabelSet {
    const known = this.#projected.get(labels);
    if (known !== undefined) return known;
    const { kind, labels: names } = this.#grouping;
    const kept = kind === 'by' ? labels.only(names) : labels.without([...names, NAME]);
    this.#projected.set(labels, kept);
    return kept;
  }
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

/** NaN only when there is nothing else. */
function extreme(values: readonly number[], isBetter: (a: number, b: number) => boolean): number {
  return values.reduce((best, value) => (Number.isNaN(best) || isBetter(value, best) ? value : best));
}

/** NaN comes last in either order. */
export function ascending(a: number, b: number): number {
  if (Number.isNaN(a) || Number.isNaN(b)) return Number(Number.isNaN(a)) - Number(Number.isNaN(b));
  return a - b;
}

export function descending(a: number, b: number): number {
  if (Number.isNaN(a) || Number.isNaN(b)) return Number(Number.isNaN(a)) - Number(Number.isNaN(b));
  return b - a;
}

function wholeCount(param: number): number {
  return Number.isNaN(param) ? 0 : Math.max(0, Math.min(Math.trunc(param), Number.MAX_SAFE_INTEGER));
}

/** Linear between the two nearest of the sorted values, as Prometheus has it. */
function quantile(q: number, values: readonly number[]): number {
  if (values.length === 0 || Number.isNaN(q)) return Number.NaN;
  if (q < 0) return Number.NEGATIVE_INFINITY;
  if (q > 1) return Number.POSITIVE_INFINITY;
  const sorted = values.toSorted((a, b) => -ascending(-a, -b));
  const rank = q * (sorted.length - 1);
  const low = sorted[Math.floor(rank)] as number;
  const high = sorted[Math.min(Math.floor(rank) + 1, sorted.length - 1)] as number;
  const weight = rank - Math.floor(rank);
  return low * (1 - weight) + high * weight;
}
