/** Which metrics a PromQL expression names, and which labels it asks of them: read from the tree of Prometheus' own grammar. */
import { parser } from '@prometheus-io/lezer-promql';

export interface NamedMetric {
  readonly metric: string;
  /** Of its matchers, and of what it is aggregated or joined by. */
  readonly labels: readonly string[];
}

/** Throws where the grammar does not understand the expression. A regular expression over `__name__` names each of its alternatives. */
export function namedMetrics(expr: string): NamedMetric[] {
  const found: { metrics: string[]; labels: string[]; from: number; to: number }[] = [];
  const groupings: { labels: string[]; from: number; to: number }[] = [];
  // What only selects, on the right of `and` and `unless`: its labels do not come out.
  const selections: { from: number; to: number }[] = [];
  parser.parse(expr).iterate({
    enter: ({ type, from, to, node }) => {
      if (type.isError) throw new Error(`not PromQL at ${from}: ${expr}`);
      if (type.name === 'VectorSelector') {
        const text = expr.slice(from, to);
        const matchers = [...text.matchAll(/(\w+)\s*(=~|!~|!=|=)\s*"([^"]*)"/g)];
        const named = /^\w+/.exec(text)?.[0];
        const alternatives = matchers.find(([, label]) => label === '__name__')?.[3]?.split('|') ?? [];
        const labels = matchers.map(([, label]) => label as string);
        found.push({ metrics: named === undefined ? alternatives : [named], labels, from, to });
      }
      if ((type.name === 'And' || type.name === 'Unless') && node.parent?.lastChild) {
        selections.push({ from: node.parent.lastChild.from, to: node.parent.lastChild.to });
      }
      if (type.name === 'GroupingLabels') {
        const over = node.parent?.parent;
        // Those of a join may be of either side, and of an aggregation hold for all that is within.
        if (over?.type.name !== 'AggregateExpr') return;
        const labels = expr
          .slice(from + 1, to - 1)
          .split(',')
          .map((label) => label.trim());
        groupings.push({ labels: labels.filter((label) => label !== ''), from: over.from, to: over.to });
      }
    },
  });
  return found.flatMap(({ metrics, labels, from, to }) => {
    const within = (range: { from: number; to: number }): boolean => range.from <= from && to <= range.to;
    const by = groupings.filter((grouping) => within(grouping) && !selections.some((part) => within(part) && grouping.from <= part.from));
    return metrics.map((metric) => ({ metric, labels: [...labels, ...by.flatMap((grouping) => grouping.labels)] }));
  });
}
