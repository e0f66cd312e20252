/** Answers "how do we stand?": every objective with counts, budget, alert, forecast, spenders and incidents, and how each service delivers. */
import { deliveryFigures, type FinishedRun } from '../evaluate/slo/delivery-figures.ts';
import { forecast } from '../evaluate/slo/forecast.ts';
import { calendarPeriod } from '../model/calendar.ts';
import { allowedBad, budgetLeft } from '../model/error-budget.ts';
import type { Objective } from '../model/objective.ts';
import type { Policies } from '../model/policy.ts';
import { windowText } from '../model/slo-text.ts';
import type {
  Coverage,
  DeliveryFigures,
  IncidentView,
  ObjectiveReport,
  ObjectiveState,
  SloReport,
  TrendView,
  WindowCounts,
} from '../model/slo-views.ts';
import { textOrder } from '../model/text-order.ts';
import { type DurationMs, type EpochMs, endOfSlot } from '../model/time.ts';
import type { SlidingWindow } from '../window/sliding-window.ts';
import type { AlertBook } from './alert-book.ts';
import { coverageAt } from './covered.ts';
import type { ObjectiveFeed } from './objective-feed.ts';
import type { Rollouts } from './rollouts.ts';

const HOUR_MS = 3_600_000;
/** Four weeks, over which budgets are reviewed and deploys counted (SRE Workbook, appendix B). */
const DELIVERY_MS: DurationMs = 28 * 24 * HOUR_MS;

/** Which objectives are asked for; null: all. */
export interface SloQuery {
  readonly service: string | null;
  readonly objective: string | null;
}

export interface SloSources {
  readonly policies: Policies;
  readonly feed: ObjectiveFeed;
  readonly alerts: Pick<AlertBook, 'view' | 'incidents'>;
  readonly trends: { views(service: string): readonly TrendView[] };
  readonly rollouts: Pick<Rollouts, 'all'>;
  readonly window: Pick<SlidingWindow, 'newestAt'>;
}

/**
 * The report at `now`, the wall clock; the worst first. Windows end with the newest second of the service: while it is silent its budgets stay what they
 * were, neither healing nor burning.
 */
export function sloReport(now: EpochMs, { service, objective }: SloQuery, sources: SloSources): SloReport {
  const all = { ...sources, covered: coverageAt(now, sources) };
  const asked = [...sources.policies.services.values()]
    .filter((policy) => service === null || policy.service === service)
    .map((policy) => ({ ...policy, objectives: policy.objectives.filter(({ id }) => objective === null || id === objective) }))
    .filter(({ objectives, trends }) => objectives.length > 0 || (objective === null && trends.length > 0));
  return {
    now,
    policyRevision: sources.policies.revision,
    objectives: asked.flatMap(({ objectives }) => objectives.map((of) => objectiveReport(of, now, all))).sort(worstFirst),
    services: asked
      .map((policy) => ({
        service: policy.service,
        delivery: delivery(policy.service, now, sources),
        trends: sources.trends.views(policy.service),
        excludedNow: sources.feed.excludedNow(policy.service, now),
      }))
      .sort((a, b) => textOrder(a.service, b.service)),
  };
}

function objectiveReport(
  objective: Objective,
  now: EpochMs,
  { feed, alerts, window, covered }: SloSources & { readonly covered: (objective: Objective) => Coverage },
): ObjectiveReport {
  const newestAt = window.newestAt(objective.service);
  const to = newestAt === null ? now : endOfSlot(newestAt);
  const counts = newestAt === null ? { from: to - objective.windowMs, to, valid: 0, bad: 0 } : feed.total(objective, newestAt);
  const allowed = allowedBad(objective.target, counts.valid);
  const hasData = counts.valid > 0;
  const outlook = forecast({
    target: objective.target,
    now: to,
    hours: hoursOf(objective, counts, feed),
    windowMs: objective.windowMs,
    periodEndsAt: objective.calendar === null ? null : calendarPeriod(objective.calendar, to - 1).toMs,
    lastHour: feed.over(objective, to - HOUR_MS, to),
  });
  return {
    id: objective.id,
    service: objective.service,
    endpoint: objective.endpoint,
    text: objective.text,
    window: windowText(objective),
    unit: objective.budgeting.kind === 'timeslices' ? 'slices' : 'requests',
    target: objective.target,
    state: stateOf(counts.valid, counts.bad, allowed, outlook.burnRate),
    counts,
    sli: hasData ? (counts.valid - counts.bad) / counts.valid : null,
    allowedBad: allowed,
    budgetRemaining: hasData ? budgetLeft(counts.bad, allowed) : null,
    countedSince: feed.countedSince(objective),
    excluded: feed.excluded(objective, newestAt),
    alert: alerts.view(objective.id),
    forecast: outlook,
    coverage: covered(objective),
    ledger: feed.ledger(objective, newestAt),
    incidents: alerts.incidents(objective.id).filter(({ endedAt }) => endedAt === null || endedAt > counts.from),
  };
}

/** All that is in the window, in steps: hours where they leave it one by one, the whole where it ends at once. */
function hoursOf(objective: Objective, counts: WindowCounts, feed: ObjectiveFeed): WindowCounts[] {
  const { from, to } = counts;
  if (objective.calendar !== null) return [counts];
  const first = Math.ceil(from / HOUR_MS) * HOUR_MS;
  const { startMs, valid, bad } = feed.hours(objective, first, to);
  const hours = startMs.map((start, i) => ({
    from: start,
    to: Math.min(start + HOUR_MS, to),
    valid: valid[i] as number,
    bad: bad[i] as number,
  }));
  return from < first ? [feed.over(objective, from, Math.min(first, to)), ...hours] : hours;
}

/** Breached when more was bad than is allowed; at risk when the last hour burns faster than sustainable. */
export function stateOf(valid: number, bad: number, allowed: number, burnLastHour: number | null): ObjectiveState {
  if (valid <= 0) return 'no_data';
  if (bad > allowed) return 'breached';
  return (burnLastHour ?? 0) > 1 ? 'at_risk' : 'met';
}

const ORDER: Readonly<Record<ObjectiveState, number>> = { breached: 0, at_risk: 1, no_data: 2, met: 3 };

/** No data is not a flavour of healthy: it stands before what is met. */
export function worstFirst(a: ObjectiveReport, b: ObjectiveReport): number {
  return ORDER[a.state] - ORDER[b.state] || (a.budgetRemaining ?? 0) - (b.budgetRemaining ?? 0) || textOrder(a.id, b.id);
}

function delivery(service: string, now: EpochMs, { policies, alerts, rollouts }: SloSources): DeliveryFigures {
  const objectives = policies.services.get(service)?.objectives ?? [];
  return deliveryFigures({
    runs: finishedRuns(service, rollouts),
    incidents: episodes(objectives.flatMap(({ id }) => alerts.incidents(id))),
    now,
    windowMs: DELIVERY_MS,
  });
}

function* finishedRuns(service: string, rollouts: Pick<Rollouts, 'all'>): Generator<FinishedRun> {
  for (const run of rollouts.all()) {
    if (run.rollout.service !== service) continue;
    const { state, verdict } = run.view();
    yield { state, endedAt: verdict.at };
  }
}

type Episode = Pick<IncidentView, 'startedAt' | 'detectedAt' | 'endedAt'>;

/** Incidents of several objectives that overlap are one: an outage burns more than one budget. Detected when the first of them was. */
export function episodes(incidents: readonly Episode[]): Episode[] {
  const merged: Episode[] = [];
  for (const next of incidents.toSorted((a, b) => a.startedAt - b.startedAt)) {
    const last = merged.at(-1);
    if (last === undefined || (last.endedAt !== null && last.endedAt <= next.startedAt)) {
      merged.push(next);
      continue;
    }
    const detected = [last.detectedAt, next.detectedAt].filter((at) => at !== null);
    merged[merged.length - 1] = {
      startedAt: last.startedAt,
      detectedAt: detected.length === 0 ? null : Math.min(...detected),
      endedAt: last.endedAt === null || next.endedAt === null ? null : Math.max(last.endedAt, next.endedAt),
    };
  }
  return merged;
}
