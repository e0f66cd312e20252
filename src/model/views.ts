/** What can be asked of the running engine: plain data for API, command line and page. */
import type { InputsView } from './inputs-view.ts';
import type { Judgement } from './judgement.ts';
import type { Outlook } from './outlook.ts';
import type { AnalysisRun } from './rollout.ts';
import type { EndpointKind } from './series.ts';
import type { DurationMs, EpochMs } from './time.ts';
import type { WatchdogView } from './watchdog-view.ts';

/** One endpoint in one release over the asked window. Latencies in ms, null when empty. */
export interface SeriesView {
  readonly endpoint: string;
  readonly kind: EndpointKind;
  readonly release: string;
  readonly releaseAttributes: Readonly<Record<string, string>>;
  readonly requests: number;
  readonly failed: number;
  /** Requests per second over the window. */
  readonly rate: number;
  /** failed / requests in [0, 1]; null when empty. */
  readonly errorRatio: number | null;
  readonly p50Ms: number | null;
  readonly p95Ms: number | null;
  readonly p99Ms: number | null;
}

/** Whose latencies are asked for, and how far back. */
export interface LatencyQuery {
  readonly service: string;
  readonly endpoint: string;
  /** Name of the release; null for all. */
  readonly release: string | null;
  readonly windowMs: DurationMs;
}

/** Latencies of one endpoint over a window, of one release or of all. */
export interface LatencyView extends LatencyQuery {
  /** Spans with a latency, and those of them that failed. */
  readonly total: number;
  readonly failed: number;
  /** Upper end of the bucket that holds each quantile; null when empty. */
  readonly quantiles: readonly { readonly q: number; readonly ms: number | null }[];
  /** Non-empty buckets, ascending; both ends belong to the bucket. */
  readonly buckets: readonly { readonly lowMs: number; readonly highMs: number; readonly count: number }[];
  /** The same as a compressed HdrHistogram V2 in base64, values in µs. */
  readonly hdr: string;
}

/** A canary that is thought of: of which service, with which share of its traffic, and how long it may take. */
export interface OutlookQuery {
  readonly service: string;
  /** In (0, 1). */
  readonly canaryShare: number;
  /** Null: as long as the policy gives a run. */
  readonly withinMs: DurationMs | null;
}

/** What such a canary could show at the traffic of the last minutes. */
export interface OutlookView extends OutlookQuery {
  readonly withinMs: DurationMs;
  /** Chance of rolling back a healthy canary that the policy allows. */
  readonly alpha: number;
  /** The release that carries most of the traffic: what the canary would be compared with. */
  readonly release: string;
  /** How long the traffic was looked at, and its spans per second, of all releases. */
  readonly seenMs: DurationMs;
  readonly rate: number;
  /** Endpoints with traffic; the busiest 200 are planned for. */
  readonly endpoints: number;
  /** The least certain first, at most 500. */
  readonly checks: readonly Outlook[];
}

export interface ObjectiveView {
  readonly id: string;
  readonly text: string;
  readonly endpoint: string | null;
  readonly windowMs: DurationMs;
  readonly judgement: Judgement;
}

export interface ServiceView {
  readonly service: string;
  /** Newest event time, the decision watermark, and the lag between them; null before the first span. */
  readonly newestAt: EpochMs | null;
  readonly watermarkAt: EpochMs | null;
  readonly lagMs: DurationMs | null;
  readonly lateSpans: number;
  readonly seriesInUse: number;
  readonly seriesQuota: number;
  readonly endpoints: readonly SeriesView[];
  readonly objectives: readonly ObjectiveView[];
}

export interface StatusView {
  readonly now: EpochMs;
  readonly policyRevision: string;
  readonly windowMs: DurationMs;
  readonly services: readonly ServiceView[];
  readonly runs: readonly AnalysisRun[];
  /** Null where whatever is sent is counted at once: nothing is waited for. */
  readonly inputs: InputsView | null;
  /** Null where no watchdog looks. */
  readonly watchdog: WatchdogView | null;
}
