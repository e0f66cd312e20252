/** Episodes of burning by objective: the one that goes on, and those that are over, newest first and bounded. */
import { burnEnd, burnStart, stepEdges } from '../evaluate/slo/incident.ts';
import { allowedBad } from '../model/error-budget.ts';
import type { Objective, Severity } from '../model/objective.ts';
import type { IncidentView, TierReading, WindowCounts } from '../model/slo-views.ts';
import type { DurationMs, EpochMs } from '../model/time.ts';
import type { CountsOf } from './counts-of.ts';

/** Kept of one objective, and of all together. */
const MAX_OF_ONE = 50;
const MAX_IN_ALL = 5_000;
const FINEST_MS: DurationMs = 10_000;
const MAX_RELEASES = 5;

/** What an alert's state means for its objective's incident: the state changed, or goes on, at `to`, a multiple of 10 s. */
export interface IncidentStep {
  readonly objective: Objective;
  readonly severity: Severity | null;
  readonly readings: readonly TierReading[];
  readonly at: EpochMs;
  readonly to: EpochMs;
}

/**
 * An incident is what a tier fired for. Burning that no tier fired for is none, so `detectedAt` is always there. It begins where the counts began to burn,
 * at most a long window of the tier before and never within the one before it, and ends where they stopped, both of which the alert says later.
 */
export class IncidentBook {
  readonly #open = new Map<string, IncidentView>();
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
    const worst = open.severity === 'page' ? 'page' : severity;
    this.#open.set(objective.id, { ...open, severity: worst, ...spent(counts, objective, open.startedAt, to) });
  }

  /** Newest first, the one that goes on before all others. */
  of(objective: string): readonly IncidentView[] {
    const open = this.#open.get(objective);
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

  get open(): readonly IncidentView[] {
    return [...this.#open.values()];
  }

  /** Those that are over, if any of them is new or gone since the last call; else null. */
  takeEnded(): readonly IncidentView[] | null {
    if (!this.#isChanged) return null;
    this.#isChanged = false;
    return [...this.#ended.values()].flat();
  }

  /** Takes back both, in the order they were given out. */
  restore(open: readonly IncidentView[], ended: readonly IncidentView[]): void {
    for (const incident of open) this.#open.set(incident.objective, incident);
    for (const incident of [...ended].reverse()) this.#keep(incident);
    this.#isChanged = false;
  }

  #begun(counts: CountsOf, { objective, readings, at, to }: IncidentStep, severity: Severity): IncidentView {
    const firing = readings.filter(({ isFiring }) => isFiring).map(({ tier }) => tier);
    const reachMs = Math.max(0, ...firing.map(({ longMs }) => longMs));
    const before = this.#ended.get(objective.id)?.[0]?.endedAt ?? Number.NEGATIVE_INFINITY;
    const steps = stepsOf(counts, objective, Math.max(to - reachMs, before), to);
    // A tier below the sustainable burn fires for what is not above it, either.
    const burningFrom = burnStart(steps, objective.target, Math.min(1, ...firing.map(({ burnRate }) => burnRate)));
    const startedAt = Math.min(Math.max(burningFrom, before), at);
    return {
      objective: objective.id,
      startedAt,
      detectedAt: at,
      endedAt: null,
      severity,
      ...spent(counts, objective, startedAt, to),
    };
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

function ended(counts: CountsOf, objective: Objective, open: IncidentView, to: EpochMs): IncidentView {
  const endedAt = burnEnd(stepsOf(counts, objective, open.startedAt, to), objective.target);
  const at = Number.isFinite(endedAt) ? Math.max(endedAt, open.startedAt) : to;
  return { ...open, endedAt: at, ...spent(counts, objective, open.startedAt, at) };
}

/** Bad events of an episode up to `to`, and their share of what the budget allows for the window that ends there. */
function spent(counts: CountsOf, objective: Objective, from: EpochMs, to: EpochMs): Pick<IncidentView, 'bad' | 'budgetShare' | 'releases'> {
  const { bad } = counts.over(objective, from, to);
  const allowed = allowedBad(objective.target, counts.total(objective, to - 1).valid);
  const releases = counts.spenders?.(objective, from, to).slice(0, MAX_RELEASES) ?? [];
  return { bad, budgetShare: allowed > 0 ? bad / allowed : 0, releases };
}

function stepsOf(counts: CountsOf, objective: Objective, from: EpochMs, to: EpochMs): WindowCounts[] {
  const leastMs = objective.budgeting.kind === 'timeslices' ? Math.max(objective.budgeting.sliceMs, FINEST_MS) : FINEST_MS;
  const edges = stepEdges(from, to, leastMs);
  return edges.slice(1).map((end, i) => ({ ...counts.over(objective, edges[i] as EpochMs, end), from: edges[i] as EpochMs, to: end }));
}
