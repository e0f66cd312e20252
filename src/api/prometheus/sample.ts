/** What a query works on: samples with labels, some of which stand for all buckets of a histogram at once. */
import type { MetricHistogram } from '../../model/metric-scan.ts';

const NAME = '__name__';

/** Labels that have been told apart from all others by their key; without empty values. */
export class LabelSet {
  readonly labels: ReadonlyMap<string, string>;
  /** The same for the same labels, in whatever order. */
  readonly key: string;
  /** A query asks for the same ones at every step. */
  #made: Map<string, LabelSet> | null = null;

  constructor(labels: ReadonlyMap<string, string>) {
    const sorted = [...labels].filter(([, value]) => value !== '').sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
    this.labels = new Map(sorted);
    this.key = JSON.stringify(sorted);
  }

  value(name: string): string {
    return this.labels.get(name) ?? '';
  }

  only(names: readonly string[]): LabelSet {
    return this.#kept(names, true);
  }

  without(names: readonly string[]): LabelSet {
    return this.#kept(names, false);
  }

  with(name: string, value: string): LabelSet {
    return new LabelSet(new Map(this.labels).set(name, value));
  }

  get nameless(): LabelSet {
    return this.labels.has(NAME) ? this.without([NAME]) : this;
  }

  #kept(names: readonly string[], isNamed: boolean): LabelSet {
    this.#made ??= new Map();
    const key = `${isNamed}${names.join()}`;
    const before = this.#made.get(key);
    if (before !== undefined) return before;
    const made = new LabelSet(new Map([...this.labels].filter(([name]) => names.includes(name) === isNamed)));
    this.#made.set(key, made);
    return made;
  }

  /** For people: `{service="shop"}`. */
  get text(): string {
    return `{${[...this.labels].map(([name, value]) => `${name}=${JSON.stringify(value)}`).join(', ')}}`;
  }
}

export const NO_LABELS = new LabelSet(new Map());

/** Counts per second, or whatever was made of them, in buckets that begin at `edge(bucket)` and end where the next begins; the last never ends. */
export interface BucketSample extends MetricHistogram {
  edge(bucket: number): number;
  /** The last bucket of the layout, which holds all beyond its begin. */
  readonly openBucket: number;
}

export interface Sample {
  readonly labels: LabelSet;
  /** NaN of a sample that stands for buckets. */
  readonly value: number;
  readonly histogram: BucketSample | null;
}

export type Value = { readonly kind: 'scalar'; readonly value: number } | { readonly kind: 'vector'; readonly samples: readonly Sample[] };

export function sample(labels: LabelSet, value: number): Sample {
  return { labels, value, histogram: null };
}
