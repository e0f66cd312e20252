/** Refuses objectives that cannot live together, and warns of those that are hardly what somebody wants. */
import { patternsOverlap } from '../model/endpoint-pattern.ts';
import type { Objective } from '../model/objective.ts';
import { MAX_EVENT_RULES } from '../model/span-rules.ts';
import type { Critic, Say, YamlPath } from './problem.ts';

/** Counters of a series; see `SeriesInfo.thresholdsNs`. */
const MAX_LIMITS = 8;
const HOUR_MS = 3_600_000;

export interface Placed {
  readonly objective: Objective;
  readonly path: YamlPath;
}

export function lintObjectives(placed: readonly Placed[], { refuse, warn }: Critic): void {
  refuseDuplicates(placed, refuse);
  refuseManyLimits(placed, refuse);
  refuseManyRules(placed, refuse);
  warnOfDoubts(placed, warn);
}

function refuseDuplicates(placed: readonly Placed[], refuse: Say): void {
  const ids = new Set<string>();
  for (const { objective, path } of placed) {
    if (ids.has(objective.id)) {
      const where = objective.endpoint === null ? objective.service : `\`${objective.endpoint}\``;
      refuse(path, { message: `${where} has another objective named \`${objective.name}\``, expected: 'a `name` of its own' });
    }
    ids.add(objective.id);
  }
}

/** Objectives that can be evaluated, but are hardly what somebody wants. */
function warnOfDoubts(placed: readonly Placed[], warn: Say): void {
  const budgets = new Map<string, string>();
  for (const { objective, path } of placed) {
    const { sli, target, endpoint, name, windowMs, budgeting } = objective;
    if (windowMs < HOUR_MS)
      warn(path, {
        message: `\`${name}\` looks back less than an hour, so a handful of requests decides it`,
        expected: 'a window of days',
      });
    if (target > 0.999_995)
      warn(path, {
        message: `\`${name}\` allows fewer than 5 bad requests in a million`,
        expected: 'a target that your traffic can prove',
      });
    if (budgeting.kind === 'timeslices' && budgeting.ratio !== 'mean' && windowMs * (1 - target) < budgeting.sliceMs)
      warn(path, {
        message: `\`${name}\` allows less than one bad slice in its window, so the first one breaks it`,
        expected: 'shorter slices, a longer window or a lower target',
      });
    if (sli.kind !== 'availability' && sli.kind !== 'errorRate' && sli.kind !== 'events') continue;
    const key = JSON.stringify([endpoint, target, sli.kind === 'events' ? sli.rule.key : '', budgeting, windowMs, objective.calendar]);
    const twin = budgets.get(key);
    if (twin !== undefined)
      warn(path, {
        message: `\`${name}\` and \`${twin}\` count the same failures against the same budget`,
        expected: 'one of them, or a `bad` of its own',
      });
    budgets.set(key, name);
  }
}

/** Counts, for each pattern, the limits of the service and of all patterns that share an endpoint with it. */
function refuseManyLimits(placed: readonly Placed[], refuse: Say): void {
  const latencies = placed.filter(({ objective }) => objective.sli.kind === 'latency');
  const all = new Set(latencies.map(({ objective }) => (objective.sli.kind === 'latency' ? objective.sli.thresholdNs : 0)));
  if (all.size <= MAX_LIMITS) return;
  const patterns = new Set(latencies.map(({ objective }) => objective.endpoint));
  for (const pattern of patterns) {
    const limits = new Set<number>();
    for (const { objective, path } of latencies) {
      if (objective.sli.kind !== 'latency' || limits.has(objective.sli.thresholdNs)) continue;
      if (!sharesEndpoint(pattern, objective.endpoint)) continue;
      limits.add(objective.sli.thresholdNs);
      if (limits.size <= MAX_LIMITS) continue;
      const where = pattern === null ? 'the service' : `\`${pattern}\``;
      refuse(path, {
        message: `more than ${MAX_LIMITS} different latency limits for ${where}`,
        expected: `at most ${MAX_LIMITS} on one endpoint, those of the service included`,
      });
      return;
    }
  }
}

function sharesEndpoint(pattern: string | null, other: string | null): boolean {
  if (other === null) return true;
  return pattern !== null && patternsOverlap(pattern, other);
}

function refuseManyRules(placed: readonly Placed[], refuse: Say): void {
  const keys = new Set<string>();
  for (const { objective, path } of placed) {
    if (objective.sli.kind !== 'events' || keys.has(objective.sli.rule.key)) continue;
    keys.add(objective.sli.rule.key);
    if (keys.size <= MAX_EVENT_RULES) continue;
    refuse(path, {
      message: `more than ${MAX_EVENT_RULES} different definitions of bad in ${objective.service}`,
      expected: `at most ${MAX_EVENT_RULES} of \`bad\` and \`where\`; the same one may be used often`,
    });
    return;
  }
}
