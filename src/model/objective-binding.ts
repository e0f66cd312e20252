/** Which objectives count the requests of an endpoint, and the latency limits and event rules that must be counted there. */
import { endpointMatches } from './endpoint-pattern.ts';
import type { Objective } from './objective.ts';
import type { Policies, ServicePolicy } from './policy.ts';
import { type EventRule, MAX_EVENT_RULES } from './span-rules.ts';

/** True when the objective is about the whole service or about this endpoint. */
export function objectiveApplies(objective: Objective, endpoint: string): boolean {
  return objective.endpoint === null || endpointMatches(objective.endpoint, endpoint);
}

/** Latency limits in ns of all objectives that apply, ascending and distinct; empty without a policy. The configuration keeps them to 8. */
export function thresholdsFor(policy: Pick<ServicePolicy, 'objectives'> | undefined, endpoint: string): readonly number[] {
  const limits = new Set<number>();
  for (const objective of policy?.objectives ?? []) {
    if (objective.sli.kind === 'latency' && objectiveApplies(objective, endpoint)) limits.add(objective.sli.thresholdNs);
  }
  return [...limits].sort((a, b) => a - b);
}

/** Rules of all event objectives that apply, in the order of the objectives and each once; empty without a policy. */
export function eventRulesFor(policy: Pick<ServicePolicy, 'objectives'> | undefined, endpoint: string): readonly EventRule[] {
  return distinctRules((policy?.objectives ?? []).filter((objective) => objectiveApplies(objective, endpoint)));
}

/** For `SpanRules.events`: the rules of each service that has any. The configuration keeps them to MAX_EVENT_RULES; those beyond are not counted. */
export function eventRulesOf({ services }: Pick<Policies, 'services'>): ReadonlyMap<string, readonly EventRule[]> {
  const events = new Map<string, readonly EventRule[]>();
  for (const { service, objectives } of services.values()) {
    const rules = distinctRules(objectives).slice(0, MAX_EVENT_RULES);
    if (rules.length > 0) events.set(service, rules);
  }
  return events;
}

function distinctRules(objectives: readonly Objective[]): EventRule[] {
  const rules = new Map<string, EventRule>();
  for (const { sli } of objectives) if (sli.kind === 'events' && !rules.has(sli.rule.key)) rules.set(sli.rule.key, sli.rule);
  return [...rules.values()];
}
