/** What the deploy gate goes by: plain facts about one service, gathered elsewhere. */
import type { GateOverride, LoadTestResult } from '../model/gate-view.ts';
import type { InputDoubt } from '../model/judgement.ts';
import type { GatePolicy } from '../model/objective.ts';
import type { Decision, RunState } from '../model/rollout.ts';
import type { AlertView, IncidentView, TrendView } from '../model/slo-views.ts';
import type { DurationMs, EpochMs } from '../model/time.ts';

/** One objective over its window. */
export interface GateObjective {
  readonly id: string;
  /** How people call it within the service: `availability`, `latency of POST /checkout`. */
  readonly label: string;
  /** Sums of weights when spans are sampled. */
  readonly bad: number;
  /** What the budget allows, not rounded. */
  readonly allowedBad: number;
  /** 1 - bad / allowedBad: signed; null without valid events. */
  readonly budgetRemaining: number | null;
  /** Fewer bad events than this refuse nothing, as they alert nobody. */
  readonly minBad: number;
  readonly alert: AlertView;
  /** The incident that has spent most within the window; null: none. */
  readonly worstIncident: IncidentView | null;
}

/** A rollout whose run is not over. */
export interface GateRun {
  readonly id: string;
  readonly state: RunState;
  readonly decision: Decision;
  readonly startedAt: EpochMs;
}

export interface GateFacts {
  readonly service: string;
  readonly now: EpochMs;
  readonly policy: GatePolicy;
  readonly objectives: readonly GateObjective[];
  readonly runs: readonly GateRun[];
  /** The last rollback, while the service cools down after it; null: none. */
  readonly rollback: { readonly at: EpochMs; readonly coolDownMs: DurationMs } | null;
  readonly trends: readonly TrendView[];
  /** The newest one that was handed in; null: none. */
  readonly loadTest: LoadTestResult | null;
  readonly telemetry: {
    /** Newest event time of the service; null: never heard. */
    readonly newestAt: EpochMs | null;
    /** Older than this it is stale. */
    readonly staleAfterMs: DurationMs;
    /** State was lost or the clock jumped: what is counted cannot be relied upon now. */
    readonly isStateUnknown: boolean;
    /** Spans are on their way, or some were lost a moment ago; null: neither. */
    readonly inputDoubt: InputDoubt | null;
  };
  /** In force; null: none. */
  readonly override: GateOverride | null;
}
