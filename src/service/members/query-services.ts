/** Which service a PromQL query is about, as far as its selectors say. */
import { parseQuery } from '../../api/prometheus/parse-query.ts';
import { QueryError } from '../../api/prometheus/query-error.ts';
import type { Selector } from '../../api/prometheus/query-tree.ts';

/**
 * `any`: some selector names no single service, or they name several. `none`: nothing is selected, or the query is wrong, so anybody can answer. `matching`: a
 * name without its namespace, which several services may have; `match` means the series of all of them.
 */
export type QuerySubject =
  | { readonly kind: 'any' }
  | { readonly kind: 'none' }
  | { readonly kind: 'service'; readonly service: string }
  | { readonly kind: 'matching'; readonly match: string };

export function querySubject(query: string): QuerySubject {
  let selectors: readonly Selector[];
  try {
    selectors = [...selectorsOf(parseQuery(query))];
  } catch (error) {
    if (error instanceof QueryError) return { kind: 'none' };
    throw error;
  }
  const subjects = selectors.map(subjectOf);
  const [first] = subjects;
  if (first === undefined) return { kind: 'none' };
  if (first === null || subjects.some((other) => other?.name !== first.name || other.namespace !== first.namespace)) return { kind: 'any' };
  const { name, namespace, match } = first;
  if (namespace === undefined) return { kind: 'matching', match };
  const escaped = (text: string): string => text.replaceAll('/', '%2F');
  return { kind: 'service', service: namespace === '' ? escaped(name) : `${escaped(namespace)}/${escaped(name)}` };
}

interface Subject {
  readonly name: string;
  readonly namespace: string | undefined;
  readonly match: string;
}

function subjectOf({ metric, matchers }: Selector): Subject | null {
  const named = matchers.find(({ label, op }) => (label === 'service' || label === 'service_name') && op === '=');
  if (named === undefined) return null;
  const namespace = matchers.find(({ label, op }) => label === 'service_namespace' && op === '=')?.value;
  return { name: named.value, namespace, match: `${metric}{${named.label}=${JSON.stringify(named.value)}}` };
}

/** Selectors are found by what they carry, wherever in the tree they hang; a query is of bounded depth. */
function* selectorsOf(node: unknown): Generator<Selector> {
  if (typeof node !== 'object' || node === null) return;
  if ('matchers' in node && Array.isArray(node.matchers) && 'metric' in node) yield node as unknown as Selector;
  else for (const inner of Object.values(node)) yield* selectorsOf(inner);
}
