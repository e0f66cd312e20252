/** Reads a selector: the name of a metric and what its labels must be. */
import type { SyntaxNode } from '@lezer/common';
import { stringLiteral } from './literals.ts';
import { parseError } from './query-error.ts';
import type { Matcher, MatchOp, Selector } from './query-tree.ts';

const OPS: Readonly<Record<string, MatchOp>> = { EqlSingle: '=', Neq: '!=', EqlRegex: '=~', NeqRegex: '!~' };
const NAME = '__name__';

/** `children` without comments. Throws a QueryError. */
export function selectorOf(node: SyntaxNode, children: readonly SyntaxNode[], offsetMs: number, query: string): Selector {
  const names: string[] = [];
  const matchers: Matcher[] = [];
  for (const child of children) {
    if (child.name === 'LabelMatchers') {
      for (let one = child.firstChild; one !== null; one = one.nextSibling) {
        if (one.name === 'LineComment') continue;
        if (one.name === 'QuotedLabelName') names.push(textOf(one, query));
        else matchers.push(matcherOf(one, query));
      }
    } else names.push(query.slice(child.from, child.to));
  }
  for (const { label, op, value, at } of matchers) {
    if (label !== NAME) continue;
    if (op !== '=') throw parseError(query, at, `${NAME} takes = only in Slipstream`);
    names.push(value);
  }
  const [metric] = names;
  if (metric === undefined) throw parseError(query, node.from, 'a selector must name its metric in Slipstream');
  if (names.length > 1)
    throw parseError(query, node.from, `metric name must not be set twice: ${names.map((name) => JSON.stringify(name)).join(' or ')}`);
  return { metric, matchers: matchers.filter(({ label }) => label !== NAME), offsetMs, at: node.from };
}

/** What a string literal says. */
export function textOf(node: SyntaxNode, query: string): string {
  const text = stringLiteral(query.slice(node.from, node.to));
  if (text === null) throw parseError(query, node.from, 'the string has an escape that PromQL does not know');
  return text;
}

function matcherOf(node: SyntaxNode, query: string): Matcher {
  let label = '';
  let op: MatchOp = '=';
  let value = '';
  for (let part = node.firstChild; part !== null; part = part.nextSibling) {
    if (part.name === 'LabelName') label = query.slice(part.from, part.to);
    else if (part.name === 'QuotedLabelName') label = textOf(part, query);
    else if (part.name === 'MatchOp') op = OPS[part.firstChild?.name ?? ''] ?? op;
    else if (part.name === 'StringLiteral') value = textOf(part, query);
  }
  return { label, op, value, at: node.from };
}
