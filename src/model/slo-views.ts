/** What is told about objectives: budgets with the integers behind them, alerts, forecasts, who spent what, incidents. */
import type { Severity, Tier } from './objective.ts';
import type { DurationMs, EpochMs } from './time.ts';

/** Valid and bad events over [from, to), edges as they were counted. Sums of weights when spans are sampled. */
export interface WindowCounts {
  readonly from: EpochMs;
  readonly to: EpochMs;
  readonly valid: number;
  readonly bad: number;
}

/** What one tier sees now. */
export interface TierReading {
  readonly tier: Tier;
  readonly long: WindowCounts;
  readonly short: WindowCounts;
  /** (bad/valid)/budget over each window; 0 without valid events. */
  readonly longBurn: number;
  readonly shortBurn: number;
  /** Share of the period's budget that was spent within the long window, for the budget-count definition; null while there is no period to speak of. */
  readonly longSpent: number | null;
  readonly isFiring: boolean;
  /** Which definition said so, or why it does not fire. */
  readonly why: 'rate' | 'budget' | 'both' | 'below_long' | 'below_short' | 'too_few_bad' | 'no_data';
}

export interface AlertView {
  /** What fires: the worst tier, which silences lower ones. Null: nothing. */
  readonly severity: Severity | null;
  readonly since: EpochMs | null;
  /** Telemetry is lost or unknown: the state is what it was, and neither heals nor worsens. */
  readonly isFrozen: boolean;
  readonly tiers: readonly TierReading[];
}

export interface Forecast {
  /** Burn rate of the last hour, which it supposes to go on, with the traffic of the last hour; null without traffic. */
  readonly burnRate: number | null;
  /** When the budget is spent, what leaves the window taken into account; null: not at this rate, or it is already. */
  readonly exhaustedAt: EpochMs | null;
  /** When an overspent budget is kept again if nothing more goes wrong; null: it is kept, or never within this window. */
  readonly recoveredAt: EpochMs | null;
}

/** How much of the budget requests of one endpoint in one release have spent. */
export interface LedgerRow {
  readonly endpoint: string;
  readonly release: string;
  readonly bad: number;
  /** bad / what the budget allows for all valid events of the window; null where nothing was valid. */
  readonly budgetShare: number | null;
}

export interface LedgerView {
  /** Since when it counts: the window's begin, rounded down to a full hour. */
  readonly from: EpochMs;
  readonly rows: readonly LedgerRow[];
}

/** An episode of burning. */
export interface IncidentView {
  readonly objective: string;
  /** First bad event of the episode, rounded down to the slot it is counted in. */
  readonly startedAt: EpochMs;
  /** When a tier fired; null: it never did. */
  readonly detectedAt: EpochMs | null;
  /** Null: it goes on. */
  readonly endedAt: EpochMs | null;
  readonly severity: Severity | null;
  readonly bad: number;
  /** Of the budget of the window as it was then. */
  readonly budgetShare: number;
  /** Releases that spent most, worst first. */
  readonly releases: readonly string[];
}

export interface Coverage {
  /** Minutes of the window so far in which the service was heard, of those since it was first heard or the window began. */
  readonly heardMinutes: number;
  readonly minutes: number;
}

export type ObjectiveState = 'met' | 'at_risk' | 'breached' | 'no_data';

export interface ObjectiveReport {
  readonly id: string;
  readonly service: string;
  readonly endpoint: string | null;
  readonly text: string;
  /** Such as `28d rolling` or `month in Europe/Lisbon`. */
  readonly window: string;
  readonly unit: 'requests' | 'slices';
  readonly target: number;
  /** At risk: met, and burning faster than sustainable over the last hour. */
  readonly state: ObjectiveState;
  readonly counts: WindowCounts;
  /** (valid - bad) / valid; null without valid events. */
  readonly sli: number | null;
  /** What the budget allows for `counts.valid`, not rounded. */
  readonly allowedBad: number;
  /** 1 - bad / allowedBad: signed; null without valid events. */
  readonly budgetRemaining: number | null;
  /** Since when its counts are exact and complete: before, it was not declared. Null: no data yet. */
  readonly countedSince: EpochMs | null;
  /** Valid and bad events that maintenance took out of the window. */
  readonly excluded: { readonly valid: number; readonly bad: number };
  readonly alert: AlertView;
  readonly forecast: Forecast;
  readonly coverage: Coverage;
  readonly ledger: LedgerView;
  /** Newest first, of the window. */
  readonly incidents: readonly IncidentView[];
}

/** How a service delivers and fails, over `windowMs`. Each ratio is null when there is nothing to count, each mean when there was none. */
export interface DeliveryFigures {
  readonly windowMs: DurationMs;
  readonly rollouts: number;
  readonly rolledBack: number;
  readonly changeFailRatio: number | null;
  readonly rolloutsPerDay: number;
  readonly incidents: number;
  /** Means of detection − start, and of end − start, over incidents that were detected, and that ended. */
  readonly meanTimeToDetectMs: DurationMs | null;
  readonly meanTimeToRestoreMs: DurationMs | null;
}

export interface TrendView {
  readonly id: string;
  readonly text: string;
  readonly endpoint: string | null;
  readonly outcome: 'steady' | 'too_steep' | 'too_little_data';
  /** Robust slope, as a ratio per day; null with too little data. */
  readonly growthPerDay: number | null;
  /** One value a day, oldest first, of the same hours; µs, ratio or requests at once; null for a day without enough. */
  readonly days: readonly (number | null)[];
  /** When the capacity is reached at this slope; null: not asked, or not at this slope. */
  readonly reachedAt: EpochMs | null;
}

export interface SloReport {
  readonly now: EpochMs;
  readonly policyRevision: string;
  readonly objectives: readonly ObjectiveReport[];
  readonly services: readonly {
    readonly service: string;
    readonly delivery: DeliveryFigures;
    readonly trends: readonly TrendView[];
    /** Maintenance that takes counts out now, by name. */
    readonly excludedNow: readonly string[];
  }[];
}
