/** Gathers what the deploy gate goes by for one service, and asks it. */
import { gate } from '../decide/gate.ts';
import type { GateObjective, GateRun } from '../decide/gate-facts.ts';
import type { GuardState } from '../decide/guard.ts';
import { isAhead, SILENCE_MS } from '../evaluate/slo/telemetry-health.ts';
import { allowedBad, budgetLeft } from '../model/error-budget.ts';
import type { GateView } from '../model/gate-view.ts';
import type { InputDoubt } from '../model/judgement.ts';
import type { Objective } from '../model/objective.ts';
import type { Policies } from '../model/policy.ts';
import type { IncidentView, TrendView } from '../model/slo-views.ts';
import type { DurationMs, EpochMs } from '../model/time.ts';
import type { SlidingWindow } from '../window/sliding-window.ts';
import type { AlertBook } from './alert-book.ts';
import type { GateBook } from './gate-book.ts';
import type { ObjectiveFeed } from './objective-feed.ts';
import type { Rollouts } from './rollouts.ts';

/** Where the facts are. */
export interface GateSources {
  readonly policies: Policies;
  readonly book: GateBook;
  readonly window: Pick<SlidingWindow, 'newestAt'>;
  readonly rollouts: Pick<Rollouts, 'active'>;
  readonly guard: GuardState;
  readonly isStateUnknown: boolean;
  readonly inputDoubt: InputDoubt | null;
  readonly feed: Pick<ObjectiveFeed, 'total'>;
  readonly alerts: Pick<AlertBook, 'view' | 'incidents'>;
  readonly trends: { views(service: string): readonly TrendView[] };
}

/** What the gate says of a service at `now`; of one that nobody declared or heard of, that nothing is known. */
export function gateView(service: string, now: EpochMs, sources: GateSources): GateView {
  const { policies, book, window, rollouts, guard } = sources;
  const declared = policies.services.get(service);
  const canary = declared?.canary ?? policies.fallback.canary;
  const newestAt = window.newestAt(service);
  const isStateUnknown = sources.isStateUnknown || isAhead(newestAt, now);
  const override = book.overrideOf(service, now);
  const { answer, findings } = gate({
    service,
    now,
    policy: declared?.gate ?? policies.fallback.gate,
    objectives: (declared?.objectives ?? []).map((objective) => gateObjective(objective, sources)),
    runs: runsOf(service, rollouts),
    rollback: lastRollback(service, now, guard, canary.coolDownMs),
    trends: sources.trends.views(service),
    loadTest: book.loadTestsOf(service)[0] ?? null,
    // A service that is known to be heard seldom has a longer freshness.
    telemetry: { newestAt, staleAfterMs: Math.max(canary.freshnessMs, SILENCE_MS), isStateUnknown, inputDoubt: sources.inputDoubt },
    override,
  });
  return { service, now, answer, findings, override };
}

function gateObjective(objective: Objective, { window, feed, alerts }: GateSources): GateObjective {
  const { id, name, service, endpoint, target } = objective;
  const { minBad } = objective.alerts;
  const { from, valid, bad } = feed.total(objective, window.newestAt(service));
  const allowed = allowedBad(target, valid);
  return {
    id,
    label: endpoint === null ? name : `${name} of ${endpoint}`,
    bad,
    allowedBad: allowed,
    budgetRemaining: valid === 0 ? null : budgetLeft(bad, allowed),
    minBad,
    alert: alerts.view(id),
    worstIncident: worst(alerts.incidents(id).filter(({ endedAt }) => endedAt === null || endedAt > from)),
  };
}

/** That which spent most; null: none. */
function worst(incidents: readonly IncidentView[]): IncidentView | null {
  return incidents.reduce<IncidentView | null>((most, one) => (most === null || one.budgetShare > most.budgetShare ? one : most), null);
}

function runsOf(service: string, rollouts: GateSources['rollouts']): readonly GateRun[] {
  const runs: GateRun[] = [];
  for (const run of rollouts.active()) {
    if (run.rollout.service !== service) continue;
    const { rollout, state, verdict } = run.view();
    runs.push({ id: rollout.id, state, decision: verdict.decision, startedAt: rollout.startedAt });
  }
  return runs;
}

function lastRollback(service: string, now: EpochMs, guard: GuardState, coolDownMs: DurationMs) {
  const last = guard.rollbacks.findLast((past) => past.service === service);
  return last === undefined || now - last.at >= coolDownMs ? null : { at: last.at, coolDownMs };
}
