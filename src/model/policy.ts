/** What the platform team declared, after parsing: the core never sees YAML. */
import type { Exclusion, GatePolicy, Objective, TrendRule } from './objective.ts';
import type { ReleaseMatcher } from './series.ts';
import type { DurationMs } from './time.ts';

/** How much worse a canary's latency quantile may be before it counts as harm, and within which margin health must be proven. */
export interface LatencyTolerance {
  /** Harm: above max(v * (1 + ratio), v + addUs), v being the baseline's quantile. */
  readonly ratio: number;
  readonly addUs: number;
  /** PASS margin, same form. */
  readonly passRatio: number;
  readonly passAddUs: number;
}

export interface ErrorTolerance {
  /** Tolerated odds ratio, >= 1. */
  readonly oddsRatio: number;
  /** Tolerated additional error probability, [0, 1). */
  readonly addRatio: number;
  /** PASS margin as additional error probability. */
  readonly passAddRatio: number;
}

/** What is compared on every endpoint, as files name it; the severe siblings of `p50` and `errors` go with them. */
export type CheckName = 'p50' | 'p95' | 'p99' | 'errors';

export interface CheckSetting {
  /** How much of the money it gets, relative to its usual share; > 0, 1 as usual. All shares still add up to 1. */
  readonly weight: number;
  /** Promotion asks for proof of it: of a check on every endpoint that both releases serve, of an endpoint in every check, however little the traffic. */
  readonly isCritical: boolean;
  /** Not judged at all: it can neither roll back nor keep from promotion. */
  readonly isMuted: boolean;
}

/** As CheckSetting, for the endpoints that match; the first that matches counts. */
export interface EndpointSetting extends CheckSetting {
  /** A pattern as in objectives, or an exact endpoint. */
  readonly endpoint: string;
}

/** An absolute limit that the canary must keep by itself, whatever the baseline does. */
export interface Criterion {
  /** As the file has it: `p95 < 500ms`. */
  readonly text: string;
  /** A pattern or exact endpoint; null for every endpoint. Requests of all endpoints it means are taken together. */
  readonly endpoint: string | null;
  /** Share of requests that may be bad, in (0, 1): 0.05 for a p95. */
  readonly limitRatio: number;
  /** Bad means slower than this; null: bad is a failed request. */
  readonly edgeUs: number | null;
}

/** What the canary is compared with. */
export type BaselineSource =
  /** The baseline release at the same time. */
  | { readonly kind: 'concurrent' }
  /** The baseline release's own past, `shiftMs` before the run's begin; 0: the last time it had traffic of its own. */
  | { readonly kind: 'previous'; readonly shiftMs: DurationMs };

/** What may leave: nothing, holds only, or rollbacks too. */
export type PolicyMode = 'observe' | 'hold' | 'rollback';

/** How canary releases of a service are judged. Statistical parameters as in `evaluate/canary`. */
export interface CanaryPolicy {
  /** Hash of its content: part of the signal's identity. */
  readonly id: string;
  readonly mode: PolicyMode;
  /** Finds runs in the traffic itself: spans of a release that matches `canary` start one. Null: only the API starts runs. */
  readonly track: { readonly canary: ReleaseMatcher; readonly baseline: ReleaseMatcher } | null;
  /**
   * Finds runs without naming releases: a value of this tracked attribute (`service.version`, a pod-template-hash …) that was not there before
   * starts a run against the value that carried most requests. Null: off. Set together with `track`, `track` wins.
   */
  readonly trackBy: string | null;
  /** Chance of ever rolling back a healthy canary, (0, 0.5). */
  readonly alpha: number;
  /** Chance of promoting a canary that is beyond its margin from the start. */
  readonly beta: number;
  readonly warmupMs: DurationMs;
  /** A run is decided within this time or ends inconclusive. */
  readonly horizonMs: DurationMs;
  /** No promotion earlier. */
  readonly minPassMs: DurationMs;
  /** Requests of each release, in the whole run, below which nothing is concluded. */
  readonly minRequests: number;
  /** How long an incident of one pod may last and be forgiven. */
  readonly incidentWindowMs: DurationMs;
  readonly latency: { readonly p50: LatencyTolerance; readonly p95: LatencyTolerance; readonly p99: LatencyTolerance };
  readonly errors: ErrorTolerance;
  readonly checks: Readonly<Record<CheckName, CheckSetting>>;
  readonly endpoints: readonly EndpointSetting[];
  readonly criteria: readonly Criterion[];
  /** Failures of the canary alone beyond which it is harm whatever the baseline: burn rate × error budget, in (0, 0.5]; null: not asked. */
  readonly maxErrorRatio: number | null;
  /** What a canary that is proven to get less than half of its planned traffic leads to. */
  readonly onSilence: 'hold' | 'rollback';
  readonly baseline: BaselineSource;
  /** How long a promoted release is watched against the one it replaced; 0: not at all. */
  readonly bakeMs: DurationMs;
  /** `budget`: tolerances shrink with the error budget that is left. */
  readonly strictness: 'fixed' | 'budget';
  /** Newest event time older than this: stale, hold. */
  readonly freshnessMs: DurationMs;
  /** After a rollback of the service, no other for this long. */
  readonly coolDownMs: DurationMs;
  /** At the horizon without a decision. */
  readonly onInconclusive: 'hold' | 'promote';
  /** A signal older than this is not sent any more. */
  readonly signalTtlMs: DurationMs;
  /** Names of sinks. */
  readonly sinks: readonly string[];
}

/** Canaries of so many services proven harmful within such a span of event time: what they share is wrong, and no release. 0 services: never. */
export interface CommonCausePolicy {
  readonly services: number;
  readonly withinMs: DurationMs;
}

/** All that is declared for one service. */
export interface ServicePolicy {
  readonly service: string;
  readonly objectives: readonly Objective[];
  readonly exclusions: readonly Exclusion[];
  readonly trends: readonly TrendRule[];
  readonly gate: GatePolicy;
  readonly canary: CanaryPolicy | null;
  /** Series quota of the service, overflow excluded. */
  readonly maxSeries: number;
}

/** Everything the pure stages need to know, swapped as a whole on reload. */
export interface Policies {
  /** Hash of the files' content. */
  readonly revision: string;
  readonly services: ReadonlyMap<string, ServicePolicy>;
  /** For services nobody named; its objectives are empty. */
  readonly fallback: { readonly canary: CanaryPolicy; readonly gate: GatePolicy; readonly maxSeries: number };
  /** Across all services: rollbacks per hour beyond which the breaker opens. */
  readonly maxRollbacksPerHour: number;
  readonly commonCause: CommonCausePolicy;
}
