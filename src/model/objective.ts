/** What a platform team promises of a service, after parsing: SLIs, targets, windows, alert tiers and what is left out of the count. */
import type { CalendarWindow } from './calendar.ts';
import type { EventRule } from './span-rules.ts';
import type { DurationMs, EpochMs } from './time.ts';

/** What makes a request, or a slice of time, good. */
export type Sli =
  | { readonly kind: 'availability' }
  | { readonly kind: 'errorRate' }
  | { readonly kind: 'events'; readonly rule: EventRule }
  /** Good: took at most `thresholdNs`. Spans without a usable duration are not valid for it. */
  | { readonly kind: 'latency'; readonly thresholdNs: number }
  /** Of slices. Good: at least, or at most, so many requests a second. */
  | { readonly kind: 'throughput'; readonly bound: 'least' | 'most'; readonly perSecond: number }
  /** Of slices. Good: at most so many requests at once on average, by Little's law: the sum of their durations over the slice's length. */
  | { readonly kind: 'inFlight'; readonly limit: number };

export type Budgeting =
  | { readonly kind: 'occurrences' }
  /**
   * Slices of time count, not requests. `ratio`: a slice is good when at least this share of its requests is; `mean`: it is as good as the share of its
   * requests that are, so that the SLI is the mean of these shares; null for SLIs that are about slices themselves. Slices without valid requests do not
   * count, except for throughput. At least 10 s, a multiple of 10 s, and a divisor of a day.
   */
  | { readonly kind: 'timeslices'; readonly sliceMs: DurationMs; readonly ratio: number | 'mean' | null };

export type Severity = 'page' | 'ticket';

/** A burn-rate alert over two windows: it fires while the budget burns faster than `burnRate` in both. */
export interface Tier {
  readonly severity: Severity;
  readonly longMs: DurationMs;
  readonly shortMs: DurationMs;
  /** Share of the period's budget that is spent when it fires at the earliest, (0, 1]. */
  readonly budgetShare: number;
  /** budgetShare × window / longMs. */
  readonly burnRate: number;
}

export interface AlertPolicy {
  /** From the fastest to the slowest; empty: no alerts. Only tiers that can fire at all at the objective's target. */
  readonly tiers: readonly Tier[];
  /** Which definition of burn counts: (bad/valid)/budget of the window, the share of the period's budget actually spent, or both must agree. */
  readonly basis: 'rate' | 'budget' | 'both';
  /** Fewer bad events than this in the long window are no burn, however low the traffic. */
  readonly minBad: number;
}

/** A target for an SLI over a window. */
export interface Objective {
  /** `service:name` or `service:endpoint:name`; unique and stable. */
  readonly id: string;
  readonly name: string;
  readonly service: string;
  /** A pattern (`*` one segment, `**` anything) or exact endpoint; null for the whole service. */
  readonly endpoint: string | null;
  readonly sli: Sli;
  /** Ratio of good to valid, in (0, 1). */
  readonly target: number;
  /** Length of the window; of a calendar window the usual one (a month has 30 days), from which tiers are scaled. */
  readonly windowMs: DurationMs;
  /** Null: the window rolls, and ends now. Else it is the period of the calendar that holds now. */
  readonly calendar: CalendarWindow | null;
  readonly budgeting: Budgeting;
  readonly alerts: AlertPolicy;
  /** As the file has it: `latency: p95 < 500ms`. */
  readonly text: string;
}

/** Time whose requests count for no objective: neither good nor bad. */
export interface Exclusion {
  readonly name: string;
  readonly reason: string;
  /** [from, to) in ascending order, without overlap. */
  readonly intervals: readonly (readonly [from: EpochMs, to: EpochMs])[];
}

/** Something that gets worse day by day. */
export interface TrendRule {
  /** `service:trend:…`; unique and stable. */
  readonly id: string;
  readonly service: string;
  /** As in Objective. */
  readonly endpoint: string | null;
  readonly metric: 'p50' | 'p95' | 'p99' | 'errors' | 'inFlight';
  /** Growth per day that is too much: a ratio (0.05 is 5 %), of errors too. */
  readonly growthPerDay: number;
  /** How many days it must have gone on, 2 to 28. */
  readonly days: number;
  /** Of inFlight: what the service can take. The trend is too steep when it gets there within `days`; null elsewhere. */
  readonly capacity: number | null;
  /** As the file has it. */
  readonly text: string;
}

/** What a deploy of the service may need. Each is `allow`, `warn` or `refuse`. */
export interface GatePolicy {
  /** Remaining share of the tightest budget below which it warns and refuses. */
  readonly warnBelow: number;
  readonly refuseBelow: number;
  /** While an objective's page tier fires. */
  readonly onBurn: GateAnswer;
  /** While another rollout of the service is judged, or the last one was rolled back within its cool-down. */
  readonly onCanary: GateAnswer;
  /** When a trend is too steep. */
  readonly onTrend: GateAnswer;
  /** When one incident has spent more than this share of a budget within the window; null: not asked. */
  readonly warnIncidentAbove: number | null;
  /** A comparison of load tests must be there that is not older than this; null: only what was handed in counts, and only when it failed. */
  readonly loadTestMaxAgeMs: DurationMs | null;
}

export type GateAnswer = 'allow' | 'warn' | 'refuse';
