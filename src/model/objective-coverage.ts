/** Which endpoints of a service have objectives: those that spans name, and those that its interface description lists. */
import { endpointMatches } from './endpoint-pattern.ts';

export interface KnownEndpoint {
  readonly service: string;
  readonly endpoint: string;
  /** Other names it may go by. */
  readonly aliases: readonly string[];
  readonly source: 'traffic' | 'openapi';
  /** Requests that were seen; 0 for a list. */
  readonly requests: number;
}

/** What is needed of an objective. */
export interface CoveringObjective {
  readonly id: string;
  readonly service: string;
  readonly endpoint: string | null;
  readonly text: string;
}

export interface CoveredEndpoint {
  readonly service: string;
  readonly endpoint: string;
  readonly inTraffic: boolean;
  readonly inOpenApi: boolean;
  readonly requests: number;
  /** Those of its own first, then those of the service as a whole. */
  readonly objectives: readonly CoveringObjective[];
  /** `endpoint`: an objective names it; `service only`: it counts in one of the whole service; `none`: nobody promises anything of it. */
  readonly coverage: 'endpoint' | 'service only' | 'none';
}

/** The busiest first, then by name. An endpoint that traffic and list both have is one, whatever its parameters are called. */
export function objectiveCoverage(known: readonly KnownEndpoint[], objectives: readonly CoveringObjective[]): readonly CoveredEndpoint[] {
  const groups: { members: KnownEndpoint[] }[] = [];
  const byName = new Map<string, (typeof groups)[number]>();
  for (const endpoint of known) {
    const names = [endpoint.endpoint, ...endpoint.aliases].map((name) => `${endpoint.service}\n${routeShape(name)}`);
    const group = names.map((name) => byName.get(name)).find((found) => found !== undefined) ?? { members: [] };
    if (group.members.length === 0) groups.push(group);
    group.members.push(endpoint);
    for (const name of names) {
      if (!byName.has(name)) byName.set(name, group);
    }
  }
  return groups.map(({ members }) => coveredEndpoint(members, objectives)).sort(byTraffic);
}

function coveredEndpoint(members: readonly KnownEndpoint[], objectives: readonly CoveringObjective[]): CoveredEndpoint {
  const first = members.find(({ source }) => source === 'traffic') ?? (members[0] as KnownEndpoint);
  const names = members.flatMap(({ endpoint, aliases }) => [endpoint, ...aliases]);
  const ofService = objectives.filter(({ service }) => service === first.service);
  const own = ofService.filter(({ endpoint }) => endpoint !== null && names.some((name) => namesEndpoint(endpoint, name)));
  const whole = ofService.filter(({ endpoint }) => endpoint === null);
  return {
    service: first.service,
    endpoint: first.endpoint,
    inTraffic: members.some(({ source }) => source === 'traffic'),
    inOpenApi: members.some(({ source }) => source === 'openapi'),
    requests: members.reduce((sum, { requests }) => sum + requests, 0),
    objectives: [...own, ...whole],
    coverage: own.length > 0 ? 'endpoint' : whole.length > 0 ? 'service only' : 'none',
  };
}

function namesEndpoint(pattern: string, endpoint: string): boolean {
  return endpointMatches(pattern, endpoint) || endpointMatches(routeShape(pattern), routeShape(endpoint));
}

/** With parameters made alike: `/orders/{id}`, `/orders/:orderId` and `/orders/<int:id>` are all `/orders/{}`. */
export function routeShape(endpoint: string): string {
  return endpoint
    .replaceAll(/\{[^{}/]*\}/g, '{}')
    .replaceAll(/<[^<>/]*>/g, '{}')
    .replaceAll(/(?<=\/):[^/]+/g, '{}');
}

function byTraffic(a: CoveredEndpoint, b: CoveredEndpoint): number {
  if (a.requests !== b.requests) return b.requests - a.requests;
  if (a.service !== b.service) return a.service < b.service ? -1 : 1;
  return a.endpoint < b.endpoint ? -1 : a.endpoint > b.endpoint ? 1 : 0;
}
