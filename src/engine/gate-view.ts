/** Gathers what the deploy gate goes by for one service, and asks it. */
import { gate } from '../decide/gate.ts';
import type { GateObjective, GateRun } from '../decide/gate-facts.ts';
import type { GuardState } from '../decide/guard.ts';
import { SILENCE_MS } from '../evaluate/slo/telemetry-health.ts';
import { allowedBad } from '../model/error-budget.ts';
import type { GateView } from '../model/gate-view.ts';
import type { ObjectiveEvidence } from '../model/judgement.ts';
import type { Policies } from '../model/policy.ts';
import type { AlertView } from '../model/slo-views.ts';
import type { DurationMs, EpochMs } from '../model/time.ts';
import type { SlidingWindow } from '../window/sliding-window.ts';
import type { GateBook } from './gate-book.ts';
import type { ObjectiveFeed } from './objective-feed.ts';
import type { Rollouts } from './rollouts.ts';

const NO_ALERT: AlertView = { severity: null, since: null, isFrozen: false, tiers: [] };

/** Where the facts are. */
export interface GateSources {
  readonly policies: Policies;
  readonly book: GateBook;
  readonly window: Pick<SlidingWindow, 'newestAt'>;
  readonly rollouts: Pick<Rollouts, 'active'>;
  readonly guard: GuardState;
  readonly isStateUnknown: boolean;
  readonly objectives: Pick<ObjectiveFeed, 'judge'>;
}

/** What the gate says of a service at `now`; of one that nobody declared or heard of, that nothing is known. */
export function gateView(service: string, now: EpochMs, sources: GateSources): GateView {
  const { policies, book, window, rollouts, guard, isStateUnknown } = sources;
  const declared = policies.services.get(service);
  const canary = declared?.canary ?? policies.fallback.canary;
  const newestAt = window.newestAt(service);
  const override = book.overrideOf(service, now);
  const { answer, findings } = gate({
    service,
    now,
    policy: declared?.gate ?? policies.fallback.gate,
    objectives: sources.objectives.judge(service, newestAt).map(gateObjective),
    runs: runsOf(service, rollouts),
    rollback: lastRollback(service, now, guard, canary.coolDownMs),
    trends: [],
    loadTest: book.loadTestsOf(service)[0] ?? null,
    // A service that is known to be heard seldom has a longer freshness.
    telemetry: { newestAt, staleAfterMs: Math.max(canary.freshnessMs, SILENCE_MS), isStateUnknown },
    override,
  });
  return { service, now, answer, findings, override };
}

function gateObjective({ objective, judgement }: ReturnType<ObjectiveFeed['judge']>[number]): GateObjective {
  const { id, name, endpoint, target } = objective;
  const { good, valid } = judgement.evidence as ObjectiveEvidence;
  return {
    id,
    label: endpoint === null ? name : `${name} of ${endpoint}`,
    bad: valid - good,
    allowedBad: allowedBad(target, valid),
    budgetRemaining: (judgement.evidence as ObjectiveEvidence).budgetRemaining,
    alert: NO_ALERT,
    worstIncident: null,
  };
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
