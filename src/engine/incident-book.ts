/** Episodes of burning by objective: the one that goes on, and those that are over, newest first and bounded. */
import { burnEnd, burnStart, stepEdges } from '../evaluate/slo/incident.ts';
import { allowedBad, withoutDirt } from '../model/error-budget.ts';
import type { Objective, Severity } from '../model/objective.ts';
import type { IncidentView, TierReading, WindowCounts } from '../model/slo-views.ts';
import type { DurationMs, EpochMs } from '../model/time.ts';
import type { CountsOf } from './counts-of.ts';

/** Kept of one objective, and of all together. */
const MAX_OF_ONE = 50;
const MAX_IN_ALL = 5_000;
const FINEST_MS: DurationMs = 10_000;
const MAX_RELEASES = 5;
/** What is older takes no spans any more: a service that is heard is at most 2 min behind, and grace is 1 min. */
const SETTLED_MS: DurationMs = 240_000;
/** Edges at a multiple of this stay exact for three days. */
const SETTLED_STEP_MS: DurationMs = 600_000;

/** What an alert's state means for its objective's incident: the state changed, or goes on, at `to`, a multiple of 10 s. */
export interface IncidentStep {
  readonly objective: Objective;
  readonly severity: Severity | null;
  readonly readings: readonly TierReading[];
  readonly at: EpochMs;
  readonly to: EpochMs;
}

/** One that goes on. Its bad events up to `settledTo` are added up while they can be told to 10 s. Plain data: goes through JSON unchanged. */
export interface OpenIncident {
  readonly view: IncidentView;
  readonly settledTo: EpochMs;
  readonly settledBad: number;
}

/**
 * An incident is what a tier fired for. Burning that no tier fired for is none, so `detectedAt` is always there. It begins where the counts began to burn,
 * at most a long window of the tier before and never within the one before it, and ends where they stopped, both of which the alert says later.
 */
export class IncidentBook {
  readonly #open = new Map<string, OpenIncident>();
  readonly #ended = new Map<string, IncidentView[]>();
  #size = 0;
  #dropped = 0;
  #isChanged = false;

  note(counts: CountsOf, step: IncidentStep): void {
    const { objective, severity, to } = step;
    const open = this.#open.get(objective.id);
    if (open === undefined) {
      if (severity !== null) this.#open.set(objective.id, this.#begun(counts, step, severity));
      return;
    }
    if (severity === null) {
      this.#open.delete(objective.id);
      this.#keep(ended(counts, objective, open, to));
      return;
    }
    const worst = open.view.severity === 'page' ? 'page' : severity;
    this.#open.set(objective.id, grown(counts, objective, { ...open, view: { ...open.view, severity: worst } }, to));
  }

  /** Newest first, the one that goes on before all others. */
  of(objective: string): readonly IncidentView[] {
    const open = this.#open.get(objective)?.view;
    const ended = this.#ended.get(objective) ?? [];
    return open === undefined ? [...ended] : [open, ...ended];
  }

  /** Incidents that were let go because there were too many. */
  get dropped(): number {
    return this.#dropped;
  }

  /** Forgets objectives that `isDeclared` does not know. */
  retain(isDeclared: (objective: string) => boolean): void {
    for (const id of this.#open.keys()) if (!isDeclared(id)) this.#open.delete(id);
    for (const [id, ended] of this.#ended) {
      if (isDeclared(id)) continue;
      this.#size -= ended.length;
      this.#ended.delete(id);
      this.#isChanged = true;
    }
  }

  get open(): readonly OpenIncident[] {
    return [...this.#open.values()];
  }

  /** Those that are over, if any of them is new or gone since the last call; else null. */
  takeEnded(): readonly IncidentView[] | null {
    if (!this.#isChanged) return null;
    this.#isChanged = false;
    return [...this.#ended.values()].flat();
  }

  /** Takes back both, in the order they were given out. */
  restore(open: readonly OpenIncident[], ended: readonly IncidentView[]): void {
    for (const incident of open) this.#open.set(incident.view.objective, incident);
    for (const incident of [...ended].reverse()) this.#keep(incident);
    this.#isChanged = false;
  }

  #begun(counts: CountsOf, { objective, readings, at, to }: IncidentStep, severity: Severity): OpenIncident {
    const firing = readings.filter(({ isFiring }) => isFiring).map(({ tier }) => tier);
    const reachMs = Math.max(0, ...firing.map(({ longMs }) => longMs));
    const before = this.#ended.get(objective.id)?.[0]?.endedAt ?? Number.NEGATIVE_INFINITY;
    const steps = stepsOf(counts, objective, Math.max(to - reachMs, before), to);
    // A tier below the sustainable burn fires for what is not above it, either.
    const burningFrom = burnStart(steps, objective.target, Math.min(1, ...firing.map(({ burnRate }) => burnRate)));
    // Where nothing fires any more and the past is lost, after a broken restart, it begins now.
    const startedAt = Number.isFinite(burningFrom) ? Math.min(Math.max(burningFrom, before), at) : at;
    const view = { objective: objective.id, startedAt, detectedAt: at, endedAt: null, severity, bad: 0, budgetShare: 0, releases: [] };
    return grown(counts, objective, { view, settledTo: startedAt, settledBad: 0 }, to);
  }

  #keep(incident: IncidentView): void {
    const list = this.#ended.get(incident.objective) ?? [];
    this.#ended.set(incident.objective, list);
    list.unshift(incident);
    this.#size++;
    this.#isChanged = true;
    if (list.length > MAX_OF_ONE) {
      list.pop();
      this.#size--;
      this.#dropped++;
    }
    if (this.#size > MAX_IN_ALL) this.#dropOldest();
  }

  #dropOldest(): void {
    let oldest: IncidentView[] | null = null;
    for (const list of this.#ended.values()) {
      if (list.length > 0 && (oldest === null || endOf(list) < endOf(oldest))) oldest = list;
    }
    const gone = oldest?.pop();
    if (gone === undefined) return;
    if (oldest?.length === 0) this.#ended.delete(gone.objective);
    this.#size--;
    this.#dropped++;
  }
}

function endOf(list: readonly IncidentView[]): EpochMs {
  return list[list.length - 1]?.endedAt ?? 0;
}

/** With what it has spent up to `to`. */
function grown(counts: CountsOf, objective: Objective, { view, settledTo, settledBad }: OpenIncident, to: EpochMs): OpenIncident {
  const edge = Math.floor((to - SETTLED_MS) / SETTLED_STEP_MS) * SETTLED_STEP_MS;
  const isMoving = edge > settledTo;
  const settled = isMoving
    ? { settledTo: edge, settledBad: settledBad + counts.over(objective, settledTo, edge).bad }
    : { settledTo, settledBad };
  const bad = settled.settledBad + counts.over(objective, settled.settledTo, to).bad;
  return { ...settled, view: { ...view, ...spent(counts, objective, view.startedAt, to, bad) } };
}

function ended(counts: CountsOf, objective: Objective, open: OpenIncident, to: EpochMs): IncidentView {
  const { startedAt } = open.view;
  const burnedTo = burnEnd(stepsOf(counts, objective, startedAt, to), objective.target);
  const endedAt = Number.isFinite(burnedTo) ? Math.max(burnedTo, startedAt) : to;
  const { settledTo, settledBad } = open;
  const bad =
    endedAt < settledTo
      ? settledBad - counts.over(objective, endedAt, settledTo).bad
      : settledBad + counts.over(objective, settledTo, endedAt).bad;
  return { ...open.view, endedAt, ...spent(counts, objective, startedAt, endedAt, bad) };
}

/** `bad` events of [from, to) as a share of what the budget allows for the window that ends at `to`, and whose they are. */
function spent(
  counts: CountsOf,
  objective: Objective,
  from: EpochMs,
  to: EpochMs,
  bad: number,
): Pick<IncidentView, 'bad' | 'budgetShare' | 'releases'> {
  const allowed = allowedBad(objective.target, counts.total(objective, to - 1).valid);
  const releases = counts.spenders(objective, from, to).slice(0, MAX_RELEASES);
  const exact = withoutDirt(bad);
  return { bad: exact, budgetShare: allowed > 0 ? exact / allowed : 0, releases };
}

function stepsOf(counts: CountsOf, objective: Objective, from: EpochMs, to: EpochMs): WindowCounts[] {
  const leastMs = objective.budgeting.kind === 'timeslices' ? Math.max(objective.budgeting.sliceMs, FINEST_MS) : FINEST_MS;
  const edges = stepEdges(from, to, leastMs);
  return edges.slice(1).map((end, i) => ({ ...counts.over(objective, edges[i] as EpochMs, end), from: edges[i] as EpochMs, to: end }));
}
