/** Shows every objective as metrics, so that it can be watched and alerted on where other metrics are. */

import { coverageAt } from '../engine/covered.ts';
import type { Engine } from '../engine.ts';
import { allowedBad, budgetLeft } from '../model/error-budget.ts';
import { spanText } from '../model/slo-text.ts';
import type { AlertView } from '../model/slo-views.ts';
import type { EpochMs } from '../model/time.ts';
import type { Labels, Telemetry } from '../telemetry/telemetry.ts';

const SEVERITIES = ['page', 'ticket'] as const;

/**
 * Sets the gauges of all objectives. One without a valid event in its window has no SLI and no budget: no data is neither good nor bad. Windows are those of
 * the declared tiers.
 */
export function showObjectives(engine: Engine, telemetry: Telemetry, now: EpochMs): void {
  const { objectives: feed, alerts, window } = engine;
  const covered = coverageAt(now, { feed, window });
  for (const objective of feed.all()) {
    const labels = { service: objective.service, objective: objective.id };
    const newestAt = window.newestAt(objective.service);
    telemetry.set('objective_target_ratio', objective.target, labels);
    showAlert(alerts.book.view(objective.id), labels, telemetry);
    const { heardMinutes, minutes } = covered(objective);
    if (minutes > 0) telemetry.set('objective_coverage_ratio', heardMinutes / minutes, labels);
    const { valid, bad } = feed.total(objective, newestAt);
    if (valid <= 0) continue;
    telemetry.set('objective_sli_ratio', (valid - bad) / valid, labels);
    telemetry.set('objective_budget_remaining_ratio', budgetLeft(bad, allowedBad(objective.target, valid)), labels);
  }
}

/** What the tiers read last: while frozen, what they read before. */
function showAlert({ severity, isFrozen, tiers }: AlertView, labels: Labels, telemetry: Telemetry): void {
  for (const one of SEVERITIES) telemetry.set('objective_alert_firing', severity === one ? 1 : 0, { ...labels, severity: one });
  telemetry.set('objective_alert_frozen', isFrozen ? 1 : 0, labels);
  for (const { tier, longBurn, shortBurn } of tiers) {
    telemetry.set('objective_burn_rate', longBurn, { ...labels, window: spanText(tier.longMs) });
    telemetry.set('objective_burn_rate', shortBurn, { ...labels, window: spanText(tier.shortMs) });
    for (const windowMs of [tier.longMs, tier.shortMs]) {
      telemetry.set('objective_burn_threshold', tier.burnRate, { ...labels, severity: tier.severity, window: spanText(windowMs) });
    }
  }
}
