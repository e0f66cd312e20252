/** What a query needs before its first step: which series, which slots; refused here when it asks for what is not kept. */
import type { MetricRefusal, MetricScanRequest } from '../../model/metric-scan.ts';
import { METRIC_NAMES, WITHHELD_LABELS } from '../../model/metric-table.ts';
import type { SeriesInfo } from '../../model/series.ts';
import type { DurationMs, EpochMs } from '../../model/time.ts';
import { gaugeVector } from './gauge-vector.ts';
import type { GaugeValue, MetricSource } from './metric-source.ts';
import { QueryError } from './query-error.ts';
import type { Node } from './query-tree.ts';
import type { Sample } from './sample.ts';
import { type Kept, type Selection, selectSeries } from './select-series.ts';
import { type RateCall, requestOf, SlotVector } from './slot-vector.ts';

/** Gives the vector of a node at a step. */
export type Leaf = (t: EpochMs) => Sample[];

export interface Plan {
  /** Of calls of rate functions and selectors of gauges. */
  readonly leaves: ReadonlyMap<Node, Leaf>;
  readonly hasGauges: boolean;
}

export interface PlanParts {
  readonly query: string;
  readonly tree: Node;
  readonly fromMs: EpochMs;
  readonly toMs: EpochMs;
  readonly source: MetricSource;
  /** By the monotonic clock. */
  readonly deadline: DurationMs;
  warn(text: string): void;
}

interface Slots {
  readonly node: Node;
  readonly call: RateCall;
  readonly selection: Selection;
  readonly request: MetricScanRequest;
}

const NOTHING: Leaf = () => [];
const ALL: Kept = null;

/** Throws a QueryError. */
export async function planQuery(parts: PlanParts): Promise<Plan> {
  const { tree, source, deadline, warn } = parts;
  const planner = new Planner(parts, source.series());
  await planner.visit(tree, ALL);
  const { leaves, slots, hasGauges } = planner;
  const timelines = await source.scan(
    slots.map(({ request }) => request),
    deadline,
  );
  if ('kind' in timelines) throw refused(timelines);
  for (const [i, { node, call, selection }] of slots.entries()) {
    const timeline = timelines[i];
    if (timeline === undefined) continue;
    const vector = new SlotVector(call, selection, timeline, warn);
    leaves.set(node, (t) => vector.at(t));
  }
  return { leaves, hasGauges };
}

function refused({ kind, detail }: MetricRefusal): QueryError {
  switch (kind) {
    case 'too_much':
      return new QueryError('execution', detail);
    case 'timeout':
      return new QueryError('timeout', detail);
    case 'busy':
      return new QueryError('unavailable', detail);
    default:
      return kind satisfies never;
  }
}

class Planner {
  readonly leaves = new Map<Node, Leaf>();
  readonly slots: Slots[] = [];
  hasGauges = false;
  readonly #parts: PlanParts;
  readonly #series: readonly SeriesInfo[];
  readonly #gauges: (at: EpochMs) => readonly GaugeValue[];

  constructor(parts: PlanParts, series: readonly SeriesInfo[]) {
    this.#parts = parts;
    this.#series = series;
    let last: { readonly at: EpochMs; readonly values: readonly GaugeValue[] } | null = null;
    this.#gauges = (at) => {
      if (last?.at !== at) last = { at, values: parts.source.gauges(at) };
      return last.values;
    };
  }

  /** `kept`: labels that are enough for what is done with the vector, so that series that differ in others are read as one. */
  async visit(node: Node, kept: Kept): Promise<void> {
    switch (node.kind) {
      case 'number':
      case 'string':
      case 'range':
        return;
      case 'selector':
        this.#gauge(node);
        return;
      case 'negative':
        await this.visit(node.of, ALL);
        return;
      case 'binary':
        this.#checkLabels([...node.matching.labels, ...(node.matching.group?.include ?? [])]);
        await this.visit(node.left, ALL);
        await this.visit(node.right, ALL);
        return;
      case 'aggregate':
        this.#checkLabels(node.grouping.labels);
        if (node.param !== null) await this.visit(node.param, ALL);
        await this.visit(node.of, node.op === 'sum' && node.grouping.kind === 'by' ? node.grouping.labels : ALL);
        return;
      case 'call':
        if (node.name === 'rate' || node.name === 'increase' || node.name === 'irate') {
          this.#rate(node, node.name, kept);
          // All series were looked at.
          await this.#parts.source.breathe();
          if (this.#parts.source.monotonicMs() >= this.#parts.deadline)
            throw refused({ kind: 'timeout', detail: 'query timed out in expression evaluation' });
        } else for (const arg of node.args) await this.visit(arg, ALL);
        return;
      default:
        node satisfies never;
    }
  }

  #rate(node: Node & { readonly kind: 'call' }, name: RateCall['function'], kept: Kept): void {
    const [range] = node.args;
    if (range?.kind !== 'range') return;
    const { query, fromMs, toMs } = this.#parts;
    const { selector, rangeMs } = range;
    const metric = METRIC_NAMES.get(selector.metric);
    if (metric === undefined) {
      this.leaves.set(node, NOTHING);
      return;
    }
    if (metric.kind === 'gauge')
      throw new QueryError('execution', `${selector.metric} is a gauge: it has no ${name}(); ask for it without a range`);
    const { family, part } = metric;
    // Running sums over `le` are put together only where `le` stays.
    const isWhole = kept !== null && (part !== 'bucket' || kept.includes('le'));
    const meant = { selector, family, part, kept: isWhole ? kept : ALL };
    const selection = selectSeries(meant, this.#series, query);
    const call: RateCall = { function: name, rangeMs, meant };
    this.slots.push({ node, call, selection, request: requestOf(call, selection, fromMs, toMs) });
  }

  #gauge(node: Node & { readonly kind: 'selector' }): void {
    const { selector } = node;
    const metric = METRIC_NAMES.get(selector.metric);
    if (metric === undefined) this.leaves.set(node, NOTHING);
    else if (metric.kind === 'slots') {
      const name = selector.metric;
      throw new QueryError(
        'execution',
        `${name} is a counter and is kept in slots of time: ask for rate(${name}[1m]) or increase(${name}[1m])`,
      );
    } else {
      this.hasGauges = true;
      this.leaves.set(node, gaugeVector(metric.name, selector, this.#parts.query, this.#gauges));
    }
  }

  /** To group by what is not kept would look like an answer. */
  #checkLabels(labels: readonly string[]): void {
    const label = labels.find((one) => Object.hasOwn(WITHHELD_LABELS, one));
    if (label !== undefined) throw new QueryError('execution', `there is no label ${label}: ${WITHHELD_LABELS[label]}`);
  }
}
