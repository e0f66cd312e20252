/** Gives the objectives of one service their ids, and refuses those that cannot live together. */
import { patternsOverlap } from '../model/endpoint-pattern.ts';
import type { AlertPolicy, Objective } from '../model/objective.ts';
import { googleTiers, tierObjection } from '../model/tier.ts';
import { nearestName } from './nearest-name.ts';
import type { ParsedObjective } from './objective-text.ts';
import type { Finding, YamlPath } from './problem.ts';
import type { ObjectiveEntry, ServiceDocument } from './slo-schema.ts';

/** Counters of a series; see `SeriesInfo.thresholdsNs`. */
const MAX_LIMITS = 8;

type Say = (path: YamlPath, finding: Finding) => void;

export interface Critic {
  readonly refuse: Say;
  readonly warn: Say;
}

interface Placed {
  readonly objective: Objective;
  readonly path: YamlPath;
}

/** `classes` null: unknown, so their objectives are left out. */
export function serviceObjectives(
  document: ServiceDocument,
  windowMs: number,
  classes: ReadonlyMap<string, readonly ObjectiveEntry[]> | null,
  { refuse, warn }: Critic,
): readonly Objective[] {
  const { spec } = document;
  const placed: Placed[] = [];
  const place = (entries: readonly ObjectiveEntry[], endpoint: string | null, pathOf: (index: number) => YamlPath): void => {
    for (const [index, entry] of entries.entries()) {
      const parsed = sliOf(entry);
      const name = entry.name ?? parsed.defaultName;
      const id = endpoint === null ? `${spec.service}:${name}` : `${spec.service}:${endpoint}:${name}`;
      const { sli, target, text } = parsed;
      const rest = { calendar: null, budgeting: { kind: 'occurrences' }, alerts: alertsOf(target, windowMs) } as const;
      placed.push({ objective: { id, name, service: spec.service, endpoint, sli, target, windowMs, ...rest, text }, path: pathOf(index) });
    }
  };
  place(spec.objectives ?? [], null, (index) => ['spec', 'objectives', index]);
  for (const [position, entry] of (spec.perEndpoint ?? []).entries()) {
    const path = ['spec', 'perEndpoint', position];
    if (entry.objectives !== undefined) place(entry.objectives, entry.match, (index) => [...path, 'objectives', index]);
    if (entry.class === undefined || classes === null) continue;
    const members = classes.get(entry.class);
    if (members === undefined)
      refuse([...path, 'class'], unknownName('class', entry.class, [...classes.keys()], '`classes` of `Defaults`'));
    else place(members, entry.match, () => [...path, 'class']);
  }
  refuseDuplicates(placed, refuse);
  refuseManyLimits(placed, refuse);
  warnOfDoubts(placed, warn);
  return placed.map(({ objective }) => objective);
}

/** The finding for a name that is declared elsewhere, or rather is not. */
export function unknownName(what: string, name: string, known: readonly string[], where: string): Finding {
  const suggestion = nearestName(name, known);
  const expected = known.length === 0 ? `a ${what} declared in ${where}, which has none` : `one of ${known.slice(0, 20).join(', ')}`;
  return { message: `there is no ${what} \`${name}\``, expected, suggestion };
}

/** The Workbook's tiers, as far as they can fire. */
function alertsOf(target: number, windowMs: number): AlertPolicy {
  return { tiers: googleTiers(windowMs).filter((tier) => tierObjection(tier, target) === null), basis: 'rate', minBad: 10 };
}

function sliOf(entry: ObjectiveEntry): ParsedObjective {
  const parsed = entry.latency ?? entry.availability ?? entry.errorRate;
  if (parsed === undefined) throw new RangeError('an objective without SLI passed the schema');
  return parsed;
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

const HOUR_MS = 3_600_000;

/** Objectives that can be evaluated, but are hardly what somebody wants. */
function warnOfDoubts(placed: readonly Placed[], warn: Say): void {
  const budgets = new Map<string, string>();
  for (const { objective, path } of placed) {
    const { sli, target, endpoint, name, windowMs } = objective;
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
    if (sli.kind === 'latency') continue;
    const key = JSON.stringify([endpoint, target]);
    const twin = budgets.get(key);
    if (twin !== undefined)
      warn(path, { message: `\`${name}\` and \`${twin}\` count the same failures against the same budget`, expected: 'one of them' });
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
