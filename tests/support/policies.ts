/** Policies as the configuration would give them, for tests that start behind it. */

import { USUAL_GATE } from '../../src/config/gate-policy.ts';
import type { Objective } from '../../src/model/objective.ts';
import type { CanaryPolicy, Policies } from '../../src/model/policy.ts';
import { canaryPolicy } from '../evaluate/policy.ts';

export function objective(change: Partial<Objective> & Pick<Objective, 'service'>): Objective {
  const name = change.name ?? 'availability';
  return {
    id: `${change.service}:${change.endpoint ?? ''}:${name}`,
    name,
    endpoint: null,
    sli: { kind: 'availability' },
    target: 0.999,
    windowMs: 28 * 86_400_000,
    calendar: null,
    budgeting: { kind: 'occurrences' },
    alerts: { tiers: [], basis: 'rate', minBad: 10 },
    text: `${name}: 99.9%`,
    ...change,
  };
}

/** `canary` of the named services (and of all others) is the default policy with the changes given. */
export function policies(input: {
  readonly objectives?: readonly Objective[];
  readonly canary?: Partial<CanaryPolicy>;
  readonly maxSeries?: number;
  readonly maxRollbacksPerHour?: number;
  readonly commonCause?: Policies['commonCause'];
}): Policies {
  const canary = canaryPolicy(input.canary);
  const maxSeries = input.maxSeries ?? 500;
  const services = new Map<string, Policies['services'] extends ReadonlyMap<string, infer Policy> ? Policy : never>();
  for (const of of input.objectives ?? []) {
    const known = services.get(of.service);
    const objectives = [...(known?.objectives ?? []), of];
    services.set(of.service, { service: of.service, objectives, exclusions: [], trends: [], gate: USUAL_GATE, canary, maxSeries });
  }
  return {
    revision: 'test',
    services,
    fallback: { canary, gate: USUAL_GATE, maxSeries },
    maxRollbacksPerHour: input.maxRollbacksPerHour ?? 3,
    commonCause: input.commonCause ?? { services: 3, withinMs: 60_000 },
  };
}
