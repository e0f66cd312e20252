/** Shows every objective as metrics, so that it can be watched and alerted on where other metrics are. */

import { coverageAt } from '../engine/covered.ts';
import type { Engine } from '../engine.ts';
import { allowedBad, budgetLeft } from '../model/error-budget.ts';
import { spanText } from '../model/slo-text.ts';
import type { AlertView } from '../model/slo-views.ts';
import type { EpochMs } from '../model/time.ts';
import type { MetricName } from '../telemetry/metric-table.ts';
import type { Labels, Telemetry } from '../telemetry/telemetry.ts';

const SEVERITIES = ['page', 'ticket'] as const;

type SetGauge = (metric: MetricName, value: number, labels: Labels) => void;

/** Remembers what it has shown: what is no longer to be shown is taken away, and what did not change is not set again, which is most of it. */
export class ObjectiveMetrics {
  readonly #telemetry: Telemetry;
  readonly #shown = new Map<string, Shown>();
  #round = 0;

  constructor(telemetry: Telemetry) {
    this.#telemetry = telemetry;
  }

  /** Sets the gauges of all objectives that there are; those of an objective that is gone, or has no data any more, go. */
  show(engine: Engine, now: EpochMs): void {
    const round = ++this.#round;
    showObjectives(engine, now, (metric, value, labels) => {
      const key = keyOf(metric, labels);
      const known = this.#shown.get(key);
      if (known?.value !== value) this.#telemetry.set(metric, value, labels);
      if (known === undefined) this.#shown.set(key, { metric, labels, value, round });
      else {
        known.value = value;
        known.round = round;
      }
    });
    for (const [key, { metric, labels, round: last }] of this.#shown) {
      if (last === round) continue;
      this.#shown.delete(key);
      this.#telemetry.unset(metric, labels);
    }
  }
}

interface Shown {
  readonly metric: MetricName;
  readonly labels: Labels;
  value: number;
  /** In which it was last set. */
  round: number;
}

/** Labels of a metric are written in one order here. */
function keyOf(metric: MetricName, labels: Labels): string {
  let key: string = metric;
  for (const label in labels) key += `\n${labels[label]}`;
  return key;
}

/**
 * One without a valid event in its window has no SLI and no budget: no data is neither good nor bad. Windows are those of the declared tiers.
 */
function showObjectives(engine: Engine, now: EpochMs, set: SetGauge): void {
  const { objectives: feed, alerts, window } = engine;
  const covered = coverageAt(now, { feed, window });
  for (const objective of feed.all()) {
    const labels = { service: objective.service, objective: objective.id };
    const newestAt = window.newestAt(objective.service);
    set('objective_target_ratio', objective.target, labels);
    showAlert(alerts.book.view(objective.id), labels, set);
    const { heardMinutes, minutes } = covered(objective);
    if (minutes > 0) set('objective_coverage_ratio', heardMinutes / minutes, labels);
    const { valid, bad } = feed.total(objective, newestAt);
    if (valid <= 0) continue;
    set('objective_sli_ratio', (valid - bad) / valid, labels);
    set('objective_budget_remaining_ratio', budgetLeft(bad, allowedBad(objective.target, valid)), labels);
  }
}

/** What the tiers read last: while frozen, what they read before. */
function showAlert({ severity, isFrozen, tiers }: AlertView, labels: Labels, set: SetGauge): void {
  for (const one of SEVERITIES) set('objective_alert_firing', severity === one ? 1 : 0, { ...labels, severity: one });
  set('objective_alert_frozen', isFrozen ? 1 : 0, labels);
  for (const { tier, longBurn, shortBurn } of tiers) {
    set('objective_burn_rate', longBurn, { ...labels, window: spanText(tier.longMs) });
    set('objective_burn_rate', shortBurn, { ...labels, window: spanText(tier.shortMs) });
    for (const windowMs of [tier.longMs, tier.shortMs]) {
      set('objective_burn_threshold', tier.burnRate, { ...labels, severity: tier.severity, window: spanText(windowMs) });
    }
  }
}
