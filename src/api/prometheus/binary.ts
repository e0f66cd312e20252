/** Operators between numbers and vectors, matched by their labels as Prometheus matches them. */
import { QueryError } from './query-error.ts';
import { type BinaryOp, isComparison, type Matching } from './query-tree.ts';
import { type LabelSet, type Sample, sample, type Value } from './sample.ts';

export interface Operator {
  readonly op: BinaryOp;
  readonly isBool: boolean;
  readonly matching: Matching;
}

/** Throws a QueryError of `execution` when labels match more than one sample where one is wanted. */
export function binaryValue(operator: Operator, left: Value, right: Value): Value {
  const { op, isBool } = operator;
  if (left.kind === 'scalar' && right.kind === 'scalar') return { kind: 'scalar', value: numberOf(op, left.value, right.value) };
  if (left.kind === 'vector' && right.kind === 'vector') return { kind: 'vector', samples: matched(operator, left.samples, right.samples) };
  const isLeft = left.kind === 'vector';
  const vector = left.kind === 'vector' ? left.samples : right.kind === 'vector' ? right.samples : [];
  const scalar = left.kind === 'scalar' ? left.value : right.kind === 'scalar' ? right.value : Number.NaN;
  const samples = vector.flatMap((one) => {
    const result = isLeft ? numberOf(op, one.value, scalar) : numberOf(op, scalar, one.value);
    if (!isComparison(op) || isBool) return [sample(one.labels.nameless, result)];
    return result === 1 ? [one] : [];
  });
  return { kind: 'vector', samples };
}

/** Comparisons give 1 and 0. */
function numberOf(op: BinaryOp, a: number, b: number): number {
  switch (op) {
    case '+':
      return a + b;
    case '-':
      return a - b;
    case '*':
      return a * b;
    case '/':
      return a / b;
    case '%':
      return a % b;
    case '^':
      return a ** b;
    case '==':
      return Number(a === b);
    case '!=':
      return Number(a !== b);
    case '>':
      return Number(a > b);
    case '<':
      return Number(a < b);
    case '>=':
      return Number(a >= b);
    case '<=':
      return Number(a <= b);
    case 'and':
    case 'or':
    case 'unless':
      return Number.NaN;
    default:
      return op satisfies never;
  }
}

function matched(operator: Operator, left: readonly Sample[], right: readonly Sample[]): Sample[] {
  const { op, matching } = operator;
  const keyOf = ({ labels }: Sample): string => signature(labels, matching).key;
  const keysOf = (samples: readonly Sample[]) => new Set(samples.map(keyOf));
  switch (op) {
    case 'and': {
      const there = keysOf(right);
      return left.filter((one) => there.has(keyOf(one)));
    }
    case 'unless': {
      const there = keysOf(right);
      return left.filter((one) => !there.has(keyOf(one)));
    }
    case 'or': {
      const there = keysOf(left);
      return [...left, ...right.filter((one) => !there.has(keyOf(one)))];
    }
    default:
      return paired(operator, left, right);
  }
}

function paired({ op, isBool, matching }: Operator, left: readonly Sample[], right: readonly Sample[]): Sample[] {
  const isManyRight = matching.group?.many === 'right';
  const [many, one] = isManyRight ? [right, left] : [left, right];
  const oneByKey = new Map<string, Sample>();
  for (const other of one) {
    const labels = signature(other.labels, matching);
    if (oneByKey.has(labels.key)) throw duplicate(labels, isManyRight ? 'left' : 'right');
    oneByKey.set(labels.key, other);
  }
  const taken = new Set<string>();
  const results: Sample[] = [];
  for (const each of many) {
    const labels = signature(each.labels, matching);
    const other = oneByKey.get(labels.key);
    if (other === undefined) continue;
    const [a, b] = isManyRight ? [other.value, each.value] : [each.value, other.value];
    const result = numberOf(op, a, b);
    const isFilter = isComparison(op) && !isBool;
    if (isFilter && result === 0) continue;
    const made = resultLabels(each, other, matching, isFilter);
    if (taken.has(matching.group === null ? labels.key : made.key)) throw duplicate(labels, isManyRight ? 'right' : 'left');
    taken.add(matching.group === null ? labels.key : made.key);
    results.push(sample(made, isFilter ? a : result));
  }
  return results;
}

function signature(labels: LabelSet, { kind, labels: names }: Matching): LabelSet {
  return kind === 'on' ? labels.only(names) : labels.without([...names, '__name__']);
}

function resultLabels(many: Sample, one: Sample, matching: Matching, keepsName: boolean): LabelSet {
  const labels = keepsName ? many.labels : many.labels.nameless;
  if (matching.group === null) return matching.kind === 'on' ? labels.only(matching.labels) : labels.without(matching.labels);
  return matching.group.include.reduce((made, name) => made.with(name, one.labels.value(name)), labels);
}

function duplicate(labels: LabelSet, side: 'left' | 'right'): QueryError {
  return new QueryError(
    'execution',
    `found duplicate series for the match group ${labels.text} on the ${side} hand-side of the operation; many-to-many matching not allowed: matching labels must be unique on one side`,
  );
}
