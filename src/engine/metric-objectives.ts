/** What the gauges of objectives say at any time for which their counts are kept. */
import { burnRate } from '../evaluate/slo/burn-rate.ts';
import { allowedBad, budgetLeft } from '../model/error-budget.ts';
import type { GaugeName } from '../model/metric-table.ts';
import type { Objective } from '../model/objective.ts';
import { spanText } from '../model/slo-text.ts';
import { type EpochMs, endOfSlot } from '../model/time.ts';
import type { SlidingWindow } from '../window/sliding-window.ts';
import type { AlertBook } from './alert-book.ts';
import { coverageAt } from './covered.ts';
import type { ObjectiveFeed } from './objective-feed.ts';

const SEVERITIES = ['page', 'ticket'] as const;
/** What is known only as it is now is said of moments no further back than this. */
const NOW_MS = 60_000;

export interface GaugeSample {
  readonly name: GaugeName;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

export interface GaugeSources {
  readonly feed: ObjectiveFeed;
  readonly alerts: Pick<AlertBook, 'view'>;
  readonly window: Pick<SlidingWindow, 'newestAt'>;
}

/**
 * Samples at `at`, `now` being the wall clock. Windows end with the newest second of the service where it is older. One without a valid event in its window
 * has no SLI, no budget and no burn rate: no data is neither good nor bad.
 */
export function* objectiveSamples(at: EpochMs, now: EpochMs, { feed, alerts, window }: GaugeSources): Generator<GaugeSample> {
  const covered = coverageAt(now, { feed, window });
  for (const objective of feed.all()) {
    const labels = { service: objective.service, objective: objective.id };
    yield { name: 'slipstream_objective_target_ratio', labels, value: objective.target };
    if (at > now - NOW_MS) {
      const { heardMinutes, minutes } = covered(objective);
      if (minutes > 0) yield { name: 'slipstream_objective_coverage_ratio', labels, value: heardMinutes / minutes };
      const { severity, isFrozen } = alerts.view(objective.id);
      yield { name: 'slipstream_objective_alert_frozen', labels, value: isFrozen ? 1 : 0 };
      for (const one of SEVERITIES) {
        yield { name: 'slipstream_objective_alert_firing', labels: { ...labels, severity: one }, value: severity === one ? 1 : 0 };
      }
    }
    yield* countedSamples(objective, at, labels, { feed, window });
  }
}

function* countedSamples(
  objective: Objective,
  at: EpochMs,
  labels: Readonly<Record<string, string>>,
  { feed, window }: Pick<GaugeSources, 'feed' | 'window'>,
): Generator<GaugeSample> {
  const newestAt = window.newestAt(objective.service);
  const since = feed.countedSince(objective);
  if (newestAt === null || since === null || at < since) return;
  const until = Math.min(at, newestAt);
  const { valid, bad } = feed.total(objective, until);
  if (valid <= 0) return;
  yield { name: 'slipstream_objective_sli_ratio', labels, value: (valid - bad) / valid };
  yield { name: 'slipstream_objective_budget_remaining_ratio', labels, value: budgetLeft(bad, allowedBad(objective.target, valid)) };
  const to = endOfSlot(until);
  for (const windowMs of new Set(objective.alerts.tiers.flatMap(({ longMs, shortMs }) => [longMs, shortMs]))) {
    const counts = feed.over(objective, to - windowMs, to);
    if (counts.valid <= 0) continue;
    const burn = burnRate(counts.bad, counts.valid, objective.target);
    yield { name: 'slipstream_objective_burn_rate', labels: { ...labels, window: spanText(windowMs) }, value: burn };
  }
}
