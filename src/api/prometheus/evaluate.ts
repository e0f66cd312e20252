/** Works out a query at one moment after the other. */
import type { EpochMs } from '../../model/time.ts';
import { Aggregation } from './aggregate.ts';
import { binaryValue } from './binary.ts';
import { quantileOf, quantilesByLe, spreadBuckets } from './buckets.ts';
import type { Leaf } from './plan-query.ts';
import { QueryError } from './query-error.ts';
import type { Node } from './query-tree.ts';
import { type LabelSet, NO_LABELS, type Sample, sample, type Value } from './sample.ts';
import { clamped, isOneByOne, mapped, rounded, sorted } from './vector-functions.ts';

/** Samples of one vector at one step. */
const MAX_VECTOR = 20_000;

export class Evaluation {
  readonly #leaves: ReadonlyMap<Node, Leaf>;
  readonly #aggregations = new Map<Node, Aggregation>();
  /** Samples that were worked on. */
  work = 0;

  constructor(leaves: ReadonlyMap<Node, Leaf>) {
    this.#leaves = leaves;
  }

  /** Samples that stand for buckets are spread over `le`. Throws a QueryError of `execution`. */
  at(node: Node, t: EpochMs): Value {
    const value = this.#value(node, t);
    return value.kind === 'scalar' ? value : { kind: 'vector', samples: this.#bounded(spreadBuckets(value.samples)) };
  }

  #value(node: Node, t: EpochMs): Value {
    switch (node.kind) {
      case 'number':
        return { kind: 'scalar', value: node.value };
      case 'selector':
        return this.#leaf(node, t);
      case 'negative': {
        const inner = this.at(node.of, t);
        if (inner.kind === 'scalar') return { kind: 'scalar', value: -inner.value };
        return { kind: 'vector', samples: inner.samples.map(({ labels, value }) => sample(labels.nameless, -value)) };
      }
      case 'binary':
        return this.#whole(binaryValue(node, this.at(node.left, t), this.at(node.right, t)));
      case 'aggregate':
        return this.#aggregate(node, t);
      case 'call':
        return this.#call(node, t);
      case 'string':
      case 'range':
        return { kind: 'vector', samples: [] };
      default:
        return node satisfies never;
    }
  }

  #call(node: Node & { readonly kind: 'call' }, t: EpochMs): Value {
    const { name, args } = node;
    const vector = (): readonly Sample[] => this.#vector(args[0] as Node, t);
    const scalar = (i: number): number => this.#scalar(args[i] as Node, t);
    const of = (samples: readonly Sample[]): Value => ({ kind: 'vector', samples });
    if (isOneByOne(name)) return of(mapped(name, vector()));
    switch (name) {
      case 'rate':
      case 'increase':
      case 'irate':
        return this.#leaf(node, t);
      case 'histogram_quantile':
        return of(this.#quantiles(scalar(0), args[1] as Node, t));
      case 'vector':
        return of([sample(NO_LABELS, scalar(0))]);
      case 'scalar': {
        const [only, ...others] = vector();
        return { kind: 'scalar', value: only === undefined || others.length > 0 ? Number.NaN : only.value };
      }
      case 'time':
        return { kind: 'scalar', value: t / 1000 };
      case 'absent':
        return of(vector().length > 0 ? [] : [sample(labelsOfAbsent(args[0] as Node), 1)]);
      case 'round':
        return of(rounded(vector(), args[1] === undefined ? 1 : scalar(1)));
      case 'clamp':
        return of(clamped(vector(), scalar(1), scalar(2)));
      case 'clamp_min':
        return of(clamped(vector(), scalar(1), Number.POSITIVE_INFINITY));
      case 'clamp_max':
        return of(clamped(vector(), Number.NEGATIVE_INFINITY, scalar(1)));
      case 'sort':
        return of(sorted(vector(), 'up'));
      case 'sort_desc':
        return of(sorted(vector(), 'down'));
      default:
        return name satisfies never;
    }
  }

  #quantiles(q: number, node: Node, t: EpochMs): Sample[] {
    const value = this.#value(node, t);
    if (value.kind === 'scalar') return [];
    const whole = value.samples.filter(({ histogram }) => histogram !== null);
    return [
      ...whole.map(({ labels, histogram }) => sample(labels.nameless, histogram === null ? Number.NaN : quantileOf(q, histogram))),
      ...quantilesByLe(
        q,
        value.samples.filter(({ histogram }) => histogram === null),
      ),
    ];
  }

  #aggregate(node: Node & { readonly kind: 'aggregate' }, t: EpochMs): Value {
    let aggregation = this.#aggregations.get(node);
    if (aggregation === undefined) {
      aggregation = new Aggregation(node.op, node.grouping);
      this.#aggregations.set(node, aggregation);
    }
    const inner = this.#value(node.of, t);
    const param = node.param === null ? Number.NaN : this.#scalar(node.param, t);
    return this.#whole({ kind: 'vector', samples: inner.kind === 'scalar' ? [] : aggregation.of(inner.samples, param) });
  }

  #leaf(node: Node, t: EpochMs): Value {
    return this.#whole({ kind: 'vector', samples: this.#leaves.get(node)?.(t) ?? [] });
  }

  #vector(node: Node, t: EpochMs): readonly Sample[] {
    const value = this.at(node, t);
    return value.kind === 'vector' ? value.samples : [];
  }

  #scalar(node: Node, t: EpochMs): number {
    const value = this.at(node, t);
    return value.kind === 'scalar' ? value.value : Number.NaN;
  }

  #whole(value: Value): Value {
    if (value.kind === 'vector') this.#bounded(value.samples);
    return value;
  }

  #bounded(samples: readonly Sample[]): readonly Sample[] {
    if (samples.length > MAX_VECTOR) {
      throw new QueryError(
        'execution',
        `a vector has ${samples.length} samples, and at most ${MAX_VECTOR} are worked on: ask for less at once`,
      );
    }
    this.work += samples.length;
    return samples;
  }
}

/** Prometheus tells what is absent by those labels that the selector names with =. */
function labelsOfAbsent(node: Node): LabelSet {
  const matchers = node.kind === 'selector' ? node.selector.matchers : [];
  return matchers.filter(({ op }) => op === '=').reduce((labels, { label, value }) => labels.with(label, value), NO_LABELS);
}
