/** Reads PromQL: the grammar is the one Prometheus publishes, and what of it cannot be answered exactly is refused by name and place. */
import type { SyntaxNode } from '@lezer/common';
import { parser } from '@prometheus-io/lezer-promql';
import { durationLiteral, numberLiteral } from './literals.ts';
import { parseError, QueryError } from './query-error.ts';
import {
  AGGREGATES,
  type Aggregate,
  type BinaryOp,
  FUNCTIONS,
  type FunctionName,
  type Grouping,
  isComparison,
  isSetOperator,
  type Matching,
  type Node,
  type Selector,
  type Signature,
  typeOf,
} from './query-tree.ts';
import { selectorOf, textOf } from './read-selector.ts';

const MAX_LENGTH = 8192;
const MAX_NODES = 500;
const MAX_DEPTH = 50;

const BINARY: Readonly<Record<string, BinaryOp>> = {
  ...{ Add: '+', Sub: '-', Mul: '*', Div: '/', Mod: '%', Pow: '^' },
  ...{ Eql: '==', EqlC: '==', EqlSingle: '==', Neq: '!=', Gtr: '>', Lss: '<', Gte: '>=', Lte: '<=' },
  ...{ And: 'and', Or: 'or', Unless: 'unless' },
};

/** Throws a QueryError of `bad_data`. */
export function parseQuery(query: string): Node {
  if (query.trim() === '') throw parseError(query, 0, 'no expression found in input');
  if (query.length > MAX_LENGTH) throw new QueryError('bad_data', `invalid parameter "query": it is longer than ${MAX_LENGTH} characters`);
  const top = parser.parse(query).topNode;
  let nodes = 0;
  let wrongAt = -1;
  top.cursor().iterate((node) => {
    nodes++;
    if (node.type.isError && wrongAt < 0) wrongAt = node.from;
  });
  if (wrongAt >= 0) throw parseError(query, wrongAt, syntaxMessage(query, wrongAt));
  const expression = childrenOf(top)[0];
  if (expression === undefined) throw parseError(query, 0, 'no expression found in input');
  if (nodes > MAX_NODES * 10) throw parseError(query, 0, `the query has more than ${MAX_NODES * 10} parts`);
  const reader = new Reader(query);
  const tree = reader.read(expression, 0);
  const type = typeOf(tree);
  if (type === 'range vector' || type === 'string') throw parseError(query, tree.at, `invalid expression type "${type}" for a query`);
  return tree;
}

function syntaxMessage(query: string, at: number): string {
  const called = /([a-zA-Z_][a-zA-Z0-9_]*)\s*$/.exec(query.slice(0, at));
  if (query[at] === '(' && called !== null) return `unknown function with name "${called[1]}"`;
  const rest = query.slice(at).trimStart();
  if (rest === '') return 'unexpected end of input';
  return `unexpected ${JSON.stringify(/^(\w+|.)/u.exec(rest)?.[0] ?? rest.slice(0, 1))}`;
}

/** Parts that mean something: comments may stand anywhere. */
function childrenOf(node: SyntaxNode): SyntaxNode[] {
  const children: SyntaxNode[] = [];
  for (let child = node.firstChild; child !== null; child = child.nextSibling) if (child.name !== 'LineComment') children.push(child);
  return children;
}

class Reader {
  readonly #query: string;
  #nodes = 0;

  constructor(query: string) {
    this.#query = query;
  }

  read(node: SyntaxNode, depth: number): Node {
    if (depth > MAX_DEPTH) throw this.#wrong(node, `the query is nested deeper than ${MAX_DEPTH}`);
    if (++this.#nodes > MAX_NODES) throw this.#wrong(node, `the query has more than ${MAX_NODES} parts`);
    const [first, second] = childrenOf(node);
    switch (node.name) {
      case 'ParenExpr':
        return this.read(first as SyntaxNode, depth + 1);
      case 'NumberDurationLiteral':
        return { kind: 'number', value: this.#number(node), at: node.from };
      case 'StringLiteral':
        return { kind: 'string', value: textOf(node, this.#query), at: node.from };
      case 'VectorSelector':
      case 'MatrixSelector':
        return this.#selection(node, 0);
      case 'OffsetExpr':
        return this.#offset(node);
      case 'UnaryExpr':
        return this.#unary(node, first as SyntaxNode, second as SyntaxNode, depth);
      case 'BinaryExpr':
        return this.#binary(node, depth);
      case 'FunctionCall':
        return this.#call(node, depth);
      case 'AggregateExpr':
        return this.#aggregate(node, depth);
      case 'SubqueryExpr':
        throw this.#unsupported(node, 'a subquery');
      case 'StepInvariantExpr':
        throw this.#unsupported(node, 'the modifier @');
      default:
        throw this.#unsupported(node, `${JSON.stringify(this.#text(node).slice(0, 40))} (${node.name})`);
    }
  }

  #selection(node: SyntaxNode, offsetMs: number): Node {
    if (node.name === 'VectorSelector') return { kind: 'selector', selector: this.#selector(node, offsetMs), at: node.from };
    if (node.name !== 'MatrixSelector') throw this.#unsupported(node, 'offset of anything but a selector');
    const [selector, range] = childrenOf(node);
    if (selector === undefined || selector.name !== 'VectorSelector' || range === undefined) throw this.#unsupported(node, 'this range');
    const rangeMs = this.#duration(range);
    if (rangeMs <= 0) throw this.#wrong(range, 'duration must be greater than 0');
    return { kind: 'range', selector: this.#selector(selector, offsetMs), rangeMs, at: node.from };
  }

  #selector(node: SyntaxNode, offsetMs: number): Selector {
    return selectorOf(node, childrenOf(node), offsetMs, this.#query);
  }

  #offset(node: SyntaxNode): Node {
    const [of, duration] = childrenOf(node).filter(({ name }) => name !== 'Offset');
    const text = this.#text(duration as SyntaxNode);
    const offsetMs = durationLiteral(text.replace(/^[+-]\s*/, ''));
    if (offsetMs === null) throw this.#unsupported(duration as SyntaxNode, 'a computed offset');
    return this.#selection(of as SyntaxNode, text.startsWith('-') ? -offsetMs : offsetMs);
  }

  #unary(node: SyntaxNode, op: SyntaxNode, of: SyntaxNode, depth: number): Node {
    const inner = this.read(of, depth + 1);
    const type = typeOf(inner);
    if (type === 'range vector' || type === 'string') {
      throw this.#wrong(node, `unary expression only allowed on expressions of type scalar or instant vector, got "${type}"`);
    }
    return this.#text(op) === '-' ? { kind: 'negative', of: inner, at: node.from } : inner;
  }

  #binary(node: SyntaxNode, depth: number): Node {
    const parts = childrenOf(node);
    const [leftNode, rightNode] = [parts[0] as SyntaxNode, parts.at(-1) as SyntaxNode];
    const opNode = parts[1] as SyntaxNode;
    const op = BINARY[opNode.name];
    if (op === undefined) throw this.#unsupported(opNode, `the operator ${this.#text(opNode)}`);
    const isBool = parts.some(({ name }) => name === 'BoolModifier');
    const clause = parts.find(({ name }) => name === 'MatchingModifierClause');
    const left = this.read(leftNode, depth + 1);
    const right = this.read(rightNode, depth + 1);
    const types = [typeOf(left), typeOf(right)];
    for (const [i, type] of types.entries()) {
      if (type !== 'range vector' && type !== 'string') continue;
      throw this.#wrong(i === 0 ? leftNode : rightNode, 'binary expression must contain only scalar and instant vector types');
    }
    const hasScalar = types.includes('scalar');
    if (isBool && !isComparison(op)) throw this.#wrong(node, 'bool modifier can only be used on comparison operators');
    if (isComparison(op) && !isBool && types.every((type) => type === 'scalar')) {
      throw this.#wrong(node, 'comparisons between scalars must use BOOL modifier');
    }
    if (isSetOperator(op) && hasScalar) throw this.#wrong(node, `set operator "${op}" not allowed in binary scalar expression`);
    if (clause !== undefined && hasScalar) throw this.#wrong(clause, 'vector matching only allowed between instant vectors');
    const matching = clause === undefined ? WHOLE : this.#matching(clause);
    if (matching.group !== null && isSetOperator(op)) throw this.#wrong(node, `no grouping allowed for "${op}" operation`);
    // The grammar takes the sign of a number into the number; a power binds stronger.
    if (op === '^' && left.kind === 'number' && leftNode.name === 'NumberDurationLiteral' && this.#text(leftNode).startsWith('-')) {
      const power: Node = { kind: 'binary', op, isBool, matching, left: { ...left, value: -left.value }, right, at: node.from };
      return { kind: 'negative', of: power, at: node.from };
    }
    return { kind: 'binary', op, isBool, matching, left, right, at: node.from };
  }

  #matching(clause: SyntaxNode): Matching {
    const parts = childrenOf(clause);
    const kind = parts[0]?.name === 'On' ? 'on' : 'ignoring';
    const fill = parts.find(({ name }) => !['On', 'Ignoring', 'GroupLeft', 'GroupRight', 'GroupingLabels'].includes(name));
    if (fill !== undefined) throw this.#unsupported(fill, this.#text(fill));
    const at = parts.findIndex(({ name }) => name === 'GroupLeft' || name === 'GroupRight');
    const labels = this.#labels(parts[1]);
    if (at < 0) return { kind, labels, group: null };
    const include = this.#labels(parts[at + 1]);
    return { kind, labels, group: { many: parts[at]?.name === 'GroupLeft' ? 'left' : 'right', include } };
  }

  #call(node: SyntaxNode, depth: number): Node {
    const [identifier, body] = childrenOf(node);
    const name = this.#text(identifier as SyntaxNode);
    if (!Object.hasOwn(FUNCTIONS, name)) throw this.#unsupported(node, `the function ${name}()`);
    const args = childrenOf(body as SyntaxNode).map((arg) => this.read(arg, depth + 1));
    const { takes, least }: Signature = FUNCTIONS[name as FunctionName];
    if (args.length < least || args.length > takes.length) {
      throw this.#wrong(
        node,
        `expected ${least === takes.length ? '' : 'at most '}${takes.length} argument(s) in call to "${name}", got ${args.length}`,
      );
    }
    for (const [i, arg] of args.entries()) {
      if (typeOf(arg) === takes[i]) continue;
      throw parseError(this.#query, arg.at, `expected type ${takes[i]} in call to function "${name}", got ${typeOf(arg)}`);
    }
    return { kind: 'call', name: name as FunctionName, args, at: node.from };
  }

  #aggregate(node: SyntaxNode, depth: number): Node {
    const parts = childrenOf(node);
    const op = this.#text(parts[0] as SyntaxNode).toLowerCase();
    if (!(AGGREGATES as readonly string[]).includes(op)) throw this.#unsupported(node, `the aggregation ${op}`);
    const modifier = parts.find(({ name }) => name === 'AggregateModifier');
    const body = parts.find(({ name }) => name === 'FunctionCallBody') as SyntaxNode;
    const args = childrenOf(body).map((arg) => this.read(arg, depth + 1));
    const takesParam = op === 'topk' || op === 'bottomk' || op === 'quantile';
    if (args.length !== (takesParam ? 2 : 1)) {
      throw this.#wrong(
        node,
        `wrong number of arguments for aggregate expression provided, expected ${takesParam ? 2 : 1}, got ${args.length}`,
      );
    }
    const [param, of] = takesParam ? (args as [Node, Node]) : [null, args[0] as Node];
    if (param !== null && typeOf(param) !== 'scalar') {
      throw parseError(this.#query, param.at, `expected type scalar in aggregation parameter, got ${typeOf(param)}`);
    }
    if (typeOf(of) !== 'instant vector') {
      throw parseError(this.#query, of.at, `expected type instant vector in aggregation expression, got ${typeOf(of)}`);
    }
    return { kind: 'aggregate', op: op as Aggregate, param, grouping: this.#grouping(modifier), of, at: node.from };
  }

  #grouping(modifier: SyntaxNode | undefined): Grouping {
    if (modifier === undefined) return { kind: 'by', labels: [] };
    const [kind, labels] = childrenOf(modifier);
    return { kind: kind?.name === 'Without' ? 'without' : 'by', labels: this.#labels(labels) };
  }

  #labels(node: SyntaxNode | undefined): string[] {
    if (node?.name !== 'GroupingLabels') return [];
    return childrenOf(node).map((label) => {
      const text = this.#text(label);
      return /^["'`]/.test(text) ? textOf(label, this.#query) : text;
    });
  }

  #number(node: SyntaxNode): number {
    const value = numberLiteral(this.#text(node));
    if (value === null) throw this.#wrong(node, `not a number: ${JSON.stringify(this.#text(node).slice(0, 40))}`);
    return value;
  }

  #duration(node: SyntaxNode): number {
    const durationMs = durationLiteral(this.#text(node));
    if (durationMs === null) throw this.#unsupported(node, `the duration ${JSON.stringify(this.#text(node).slice(0, 40))}`);
    return durationMs;
  }

  #text(node: SyntaxNode): string {
    return this.#query.slice(node.from, node.to);
  }

  #wrong(node: SyntaxNode, message: string): QueryError {
    return parseError(this.#query, node.from, message);
  }

  #unsupported(node: SyntaxNode, what: string): QueryError {
    return parseError(this.#query, node.from, `${what} is not supported by Slipstream`);
  }
}

const WHOLE: Matching = { kind: 'ignoring', labels: [], group: null };
