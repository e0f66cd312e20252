/** A query after parsing: only what can be answered exactly. */
import type { DurationMs } from '../../model/time.ts';

export type MatchOp = '=' | '!=' | '=~' | '!~';

export interface Matcher {
  readonly label: string;
  readonly op: MatchOp;
  readonly value: string;
  /** Where it stands in the query. */
  readonly at: number;
}

export interface Selector {
  readonly metric: string;
  /** Without the one of the metric's name. */
  readonly matchers: readonly Matcher[];
  readonly offsetMs: DurationMs;
  readonly at: number;
}

export const AGGREGATES = ['sum', 'avg', 'min', 'max', 'count', 'group', 'topk', 'bottomk', 'quantile'] as const;
export type Aggregate = (typeof AGGREGATES)[number];

export interface Grouping {
  readonly kind: 'by' | 'without';
  readonly labels: readonly string[];
}

export const ARITHMETIC = ['+', '-', '*', '/', '%', '^'] as const;
export const COMPARISONS = ['==', '!=', '>', '<', '>=', '<='] as const;
export const SET_OPERATORS = ['and', 'or', 'unless'] as const;
export type BinaryOp = (typeof ARITHMETIC)[number] | (typeof COMPARISONS)[number] | (typeof SET_OPERATORS)[number];

export interface Matching {
  readonly kind: 'on' | 'ignoring';
  readonly labels: readonly string[];
  /** The side with several samples for one of the other, and labels it takes over. */
  readonly group: { readonly many: 'left' | 'right'; readonly include: readonly string[] } | null;
}

export type ValueType = 'scalar' | 'instant vector' | 'range vector' | 'string';

/** Arguments by type; those from `least` on may be left out. */
export interface Signature {
  readonly takes: readonly ValueType[];
  readonly least: number;
  readonly gives: 'scalar' | 'instant vector';
}

const V = 'instant vector' as const;
const S = 'scalar' as const;
const of = (takes: readonly ValueType[], gives: Signature['gives'] = V, least = takes.length): Signature => ({ takes, least, gives });

export const FUNCTIONS = {
  rate: of(['range vector']),
  irate: of(['range vector']),
  increase: of(['range vector']),
  histogram_quantile: of([S, V]),
  vector: of([S]),
  scalar: of([V], S),
  time: of([], S),
  absent: of([V]),
  abs: of([V]),
  ceil: of([V]),
  floor: of([V]),
  sqrt: of([V]),
  exp: of([V]),
  ln: of([V]),
  log2: of([V]),
  log10: of([V]),
  sgn: of([V]),
  round: of([V, S], V, 1),
  clamp: of([V, S, S]),
  clamp_min: of([V, S]),
  clamp_max: of([V, S]),
  sort: of([V]),
  sort_desc: of([V]),
} as const satisfies Readonly<Record<string, Signature>>;

export type FunctionName = keyof typeof FUNCTIONS;

/** `at` is where it begins in the query. */
export type Node =
  | { readonly kind: 'number'; readonly value: number; readonly at: number }
  | { readonly kind: 'string'; readonly value: string; readonly at: number }
  | { readonly kind: 'selector'; readonly selector: Selector; readonly at: number }
  | { readonly kind: 'range'; readonly selector: Selector; readonly rangeMs: DurationMs; readonly at: number }
  | { readonly kind: 'call'; readonly name: FunctionName; readonly args: readonly Node[]; readonly at: number }
  | {
      readonly kind: 'aggregate';
      readonly op: Aggregate;
      readonly param: Node | null;
      readonly grouping: Grouping;
      readonly of: Node;
      readonly at: number;
    }
  | {
      readonly kind: 'binary';
      readonly op: BinaryOp;
      readonly isBool: boolean;
      readonly matching: Matching;
      readonly left: Node;
      readonly right: Node;
      readonly at: number;
    }
  | { readonly kind: 'negative'; readonly of: Node; readonly at: number };

export function typeOf(node: Node): ValueType {
  switch (node.kind) {
    case 'number':
      return 'scalar';
    case 'string':
      return 'string';
    case 'selector':
    case 'aggregate':
      return 'instant vector';
    case 'range':
      return 'range vector';
    case 'call':
      return FUNCTIONS[node.name].gives;
    case 'binary':
      return typeOf(node.left) === 'scalar' && typeOf(node.right) === 'scalar' ? 'scalar' : 'instant vector';
    case 'negative':
      return typeOf(node.of);
    default:
      return node satisfies never;
  }
}

export function isArithmetic(op: BinaryOp): op is (typeof ARITHMETIC)[number] {
  return (ARITHMETIC as readonly string[]).includes(op);
}

export function isComparison(op: BinaryOp): op is (typeof COMPARISONS)[number] {
  return (COMPARISONS as readonly string[]).includes(op);
}

export function isSetOperator(op: BinaryOp): op is (typeof SET_OPERATORS)[number] {
  return (SET_OPERATORS as readonly string[]).includes(op);
}
