/** Looks at each fact about a service by itself: what speaks for a deploy, what against it, and what is not known. */
import type { GateFinding, GateReason } from '../model/gate-view.ts';
import type { GateAnswer } from '../model/objective.ts';
import { reasonText } from '../model/reason-text.ts';
import type { GateFacts, GateObjective, GateRun } from './gate-facts.ts';
import {
  budgetText,
  burnText,
  incidentText,
  limitText,
  loadTestText,
  missingLoadTestText,
  rollbackText,
  runText,
  staleText,
  trendText,
} from './gate-text.ts';

/** In the order of the topics: telemetry, budgets, burning, incidents, rollouts, trends, load tests. */
export function gateFindings(facts: GateFacts): readonly GateFinding[] {
  const { objectives, policy, runs, trends } = facts;
  return [
    ...telemetryFindings(facts),
    ...objectives.flatMap((objective) => objectiveFindings(objective, facts)),
    ...runs.map((run) => runFinding(run, policy.onCanary)),
    ...rollbackFindings(facts),
    ...trends
      .filter((trend) => trend.outcome === 'too_steep')
      .map((trend) => finding('trend_steep', policy.onTrend, trend.id, trendText(trend))),
    ...loadTestFindings(facts),
  ];
}

/** Without a span there is nothing to say; a service without objectives has merely nothing to keep. */
function telemetryFindings({ service, now, telemetry, objectives }: GateFacts): GateFinding[] {
  const { newestAt, staleAfterMs, isStateUnknown, inputDoubt } = telemetry;
  const found: GateFinding[] = [];
  if (isStateUnknown) {
    const text = 'state was lost or the clock jumped: what was counted cannot be relied upon until evidence has built up again';
    found.push(finding('state_unknown', 'unknown', null, text));
  }
  if (inputDoubt !== null) found.push(finding('stale_telemetry', 'unknown', null, reasonText(inputDoubt)));
  if (objectives.length === 0)
    found.push(finding('no_objectives', 'warn', null, `${service} has no objectives: there is no budget to go by`));
  if (newestAt === null) found.push(finding('no_data', 'unknown', null, `no span of ${service} was ever heard`));
  else if (now - newestAt > staleAfterMs)
    found.push(finding('stale_telemetry', 'unknown', null, staleText(service, newestAt, now, staleAfterMs)));
  return found;
}

/** The answer is that nothing is known already. */
function isLost({ now, telemetry: { newestAt, staleAfterMs, isStateUnknown, inputDoubt } }: GateFacts): boolean {
  return isStateUnknown || inputDoubt !== null || newestAt === null || now - newestAt > staleAfterMs;
}

function objectiveFindings(objective: GateObjective, facts: GateFacts): GateFinding[] {
  const { id, label, alert, worstIncident } = objective;
  const { warnIncidentAbove, onBurn } = facts.policy;
  const found = budgetFindings(objective, facts);
  // An alert that is frozen is what it was when telemetry was lost: it still counts, and that it is frozen is said besides.
  if (alert.severity !== null) {
    const answer = alert.severity === 'page' ? onBurn : milder(onBurn, 'warn');
    found.push(finding('objective_burns', answer, id, burnText(objective)));
  }
  if (alert.isFrozen && !isLost(facts))
    found.push(finding('stale_telemetry', 'warn', id, `alerts of ${label} are frozen: they cannot tell whether it burns now`));
  if (worstIncident !== null && warnIncidentAbove !== null && worstIncident.budgetShare > warnIncidentAbove)
    found.push(finding('incident_large', 'warn', id, incidentText(label, warnIncidentAbove, worstIncident)));
  return found;
}

/**
 * A budget of exactly 0 is spent and kept: it is below `warnBelow`, not below a `refuseBelow` of 0. While only a few events are bad it warns at most: in
 * the first hours of a month, or of an objective, one would overspend what there is. One objective of several that has no data yet
 * only warns: else an objective declared for an endpoint that the deploy itself brings would close the gate to it.
 */
function budgetFindings(objective: GateObjective, { objectives, policy, telemetry }: GateFacts): GateFinding[] {
  const { id, bad, minBad, budgetRemaining } = objective;
  const text = budgetText(objective);
  if (budgetRemaining === null) {
    if (telemetry.newestAt === null) return [];
    const othersKnow = objectives.some((other) => other.budgetRemaining !== null);
    return [finding('no_data', othersKnow ? 'warn' : 'unknown', id, text)];
  }
  const reason = budgetRemaining <= 0 ? 'budget_spent' : 'budget_low';
  if (budgetRemaining < policy.refuseBelow) {
    if (bad < minBad) return [finding(reason, 'warn', id, `${text}; fewer than ${minBad} bad ones refuse nothing`)];
    return [finding(reason, 'refuse', id, `${text}; ${limitText(policy.refuseBelow, 'refuses')}`)];
  }
  if (budgetRemaining < policy.warnBelow) return [finding(reason, 'warn', id, `${text}; ${limitText(policy.warnBelow, 'warns')}`)];
  return [finding('budget_left', 'allow', id, text)];
}

/** A bake lasts long, and nobody waits for it: the next rollout ends it. */
function runFinding(run: GateRun, onCanary: GateAnswer): GateFinding {
  return finding('rollout_in_flight', run.state === 'baking' ? 'allow' : onCanary, run.id, runText(run));
}

function rollbackFindings({ rollback, policy }: GateFacts): GateFinding[] {
  if (rollback === null) return [];
  return [finding('rolled_back_lately', policy.onCanary, null, rollbackText(rollback.at, rollback.coolDownMs))];
}

/** Where no test is demanded, one that was handed in counts only when it failed; a failed one counts until a newer one is handed in. */
function loadTestFindings({ loadTest, policy, now }: GateFacts): GateFinding[] {
  const maxAgeMs = policy.loadTestMaxAgeMs;
  if (loadTest?.outcome === 'fail') return [finding('load_test_failed', 'refuse', loadTest.candidate, loadTestText(loadTest))];
  if (maxAgeMs !== null && (loadTest === null || now - loadTest.at > maxAgeMs))
    return [finding('load_test_missing', 'refuse', null, missingLoadTestText(loadTest, maxAgeMs))];
  if (loadTest === null) return [];
  const { candidate } = loadTest;
  if (loadTest.outcome === 'pass') return [finding('load_test_passed', 'allow', candidate, loadTestText(loadTest))];
  return [finding('load_test_inconclusive', maxAgeMs === null ? 'allow' : 'warn', candidate, loadTestText(loadTest))];
}

function milder(a: GateAnswer, b: GateAnswer): GateAnswer {
  const order: readonly GateAnswer[] = ['allow', 'warn', 'refuse'];
  return order.indexOf(a) <= order.indexOf(b) ? a : b;
}

function finding(reason: GateReason, answer: GateFinding['answer'], subject: string | null, text: string): GateFinding {
  return { reason, answer, subject, text };
}
