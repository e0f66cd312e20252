/** Which services a PromQL query can be about, as far as its selectors say. */
import { parseQuery } from '../../api/prometheus/parse-query.ts';
import { QueryError } from '../../api/prometheus/query-error.ts';
import type { Matcher } from '../../api/prometheus/query-tree.ts';

/**
 * `any`: some selector names no single service. `none`: nothing is selected, or the query is wrong, so anybody can answer. A service is named by `service`, or
 * by `service_name` together with `service_namespace`.
 */
export function servicesNamed(query: string): readonly string[] | 'any' | 'none' {
  let tree: unknown;
  try {
    tree = parseQuery(query);
  } catch (error) {
    if (error instanceof QueryError) return 'none';
    throw error;
  }
  const services = new Set<string>();
  for (const matchers of selectorsOf(tree)) {
    const service = serviceOf(matchers);
    if (service === null) return 'any';
    services.add(service);
  }
  return services.size === 0 ? 'none' : [...services];
}

function serviceOf(matchers: readonly Matcher[]): string | null {
  const value = (name: string): string | undefined => matchers.find(({ label, op }) => label === name && op === '=')?.value;
  const [service, name, namespace] = [value('service'), value('service_name'), value('service_namespace')];
  if (service !== undefined) return service;
  if (name === undefined || namespace === undefined) return null;
  const escaped = (text: string): string => text.replaceAll('/', '%2F');
  return namespace === '' ? escaped(name) : `${escaped(namespace)}/${escaped(name)}`;
}

/** Selectors are found by what they carry, wherever in the tree they hang; a query is of bounded depth. */
function* selectorsOf(node: unknown): Generator<readonly Matcher[]> {
  if (typeof node !== 'object' || node === null) return;
  if ('matchers' in node && Array.isArray(node.matchers)) yield node.matchers as Matcher[];
  else for (const inner of Object.values(node)) yield* selectorsOf(inner);
}
