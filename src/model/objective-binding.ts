/** Which objectives count the requests of an endpoint, and the latency limits that must be counted there. */
import { endpointMatches } from './endpoint-pattern.ts';
import type { Objective } from './objective.ts';
import type { ServicePolicy } from './policy.ts';

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
