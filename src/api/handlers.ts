/** What the API asks of the running service: functions, so that it needs to know neither the engine nor the store. */
import type { Reason } from '../model/judgement.ts';
import type { CanaryPolicy } from '../model/policy.ts';
import type { AnalysisRun, DeliveryState, RolloutEnd, RolloutTarget, SignalAction } from '../model/rollout.ts';
import type { ReleaseMatcher } from '../model/series.ts';
import type { SloReport } from '../model/slo-views.ts';
import type { DurationMs, EpochMs } from '../model/time.ts';
import type { LatencyQuery, LatencyView, OutlookQuery, OutlookView, StatusView } from '../model/views.ts';
import type { WhatIfQuery, WhatIfView } from '../model/what-if.ts';
import type { ControlHandlers } from './control-handlers.ts';
import type { GateHandlers } from './gate-handlers.ts';
import type { KayentaHandlers } from './kayenta/kayenta-handlers.ts';
import type { MetricHandlers } from './prometheus/metric-source.ts';
import type { ReportedOutcome, SignalOutcome } from './signal-outcome-handlers.ts';
import type { Unavailable } from './unavailable.ts';

type Eventually<T> = T | Promise<T>;

/** A deploy system's wish to have a rollout judged, checked and complete. */
export interface StartRollout {
  /** As given, else derived from service, canary and generation: the same wish has the same id. */
  readonly id: string;
  readonly service: string;
  /** `next`: the run of this id that is in flight, or a new one of at least that generation; for deploy systems that count nothing. */
  readonly generation: number | { readonly kind: 'next'; readonly atLeast: number };
  readonly origin: 'api' | 'watch';
  /** Null: nobody said. */
  readonly target: RolloutTarget | null;
  readonly baseline: ReleaseMatcher;
  readonly canary: ReleaseMatcher;
  /** When traffic began to move; null: when the first span of the canary comes or now, as the engine sees fit. */
  readonly startedAt: EpochMs | null;
  /** Null: as the service's policy has it. */
  readonly deadline: EpochMs | null;
  /** Share of the requests that the canary is meant to get from now on, (0, 1]; null: as was said before. */
  readonly canaryShare: number | null;
}

export type StartOutcome =
  | { readonly outcome: 'created'; readonly run: AnalysisRun }
  /** The same id and generation is known already: nothing was changed but the share that is planned now. */
  | { readonly outcome: 'existing'; readonly run: AnalysisRun }
  /** A newer generation of the same rollout or service is known. */
  | { readonly outcome: 'stale_generation'; readonly newest: number }
  /** The wish cannot be met: `field` names what is wrong with it. */
  | { readonly outcome: 'refused'; readonly field: string; readonly detail: string }
  | Unavailable;

export type AbortOutcome = { readonly outcome: 'over'; readonly run: AnalysisRun } | { readonly outcome: 'unknown' } | Unavailable;

/** One delivery of one signal to one sink, as journalled. */
export interface SignalView {
  readonly id: string;
  readonly rolloutId: string;
  readonly generation: number;
  readonly service: string;
  readonly action: SignalAction;
  readonly reason: Reason;
  readonly summary: string;
  readonly sink: string;
  readonly state: DeliveryState;
  readonly attempts: number;
  readonly lastError: string | null;
  readonly decidedAt: EpochMs;
  /** Not to be acted upon later. */
  readonly notAfter: EpochMs;
  /** Something remains to be done. */
  readonly isOpen: boolean;
  /** Wall clock at which people were last told that it needs them; null: never. */
  readonly escalatedAt: EpochMs | null;
  /** Null: the rollout names no object. */
  readonly target: RolloutTarget | null;
  /** Where people read why. */
  readonly link: string | null;
}

export interface Readiness {
  readonly ready: boolean;
  /** Why not, for people; empty when ready. */
  readonly reasons: readonly string[];
}

/** Which objectives are asked for; null: all. */
export interface SloQuery {
  readonly service: string | null;
  /** Its id. */
  readonly objective: string | null;
}

export interface ApiHandlers extends GateHandlers, KayentaHandlers, ControlHandlers, MetricHandlers {
  startRollout(request: StartRollout): Eventually<StartOutcome>;
  run(id: string): Eventually<AnalysisRun | null>;
  /** The policy that a run is judged by; null when it is unknown. */
  policyOf(id: string): Eventually<Pick<CanaryPolicy, 'mode' | 'minRequests'> | null>;
  /**
   * The run as those may know it who act on what they are told: a verdict that operators do not let leave now is put off, as if it were not decided, and is
   * told once they let it.
   */
  allowed(run: AnalysisRun): Eventually<AnalysisRun>;
  /** The run once its verdict is to promote or roll back or it is over, or as it stands after `waitMs` or when `abort` fires; null when it is unknown. */
  settled(id: string, waitMs: DurationMs, abort: AbortSignal): Eventually<AnalysisRun | null>;
  /** All known runs, in the order in which they were started. */
  runs(): Eventually<readonly AnalysisRun[]>;
  /** Ends a run and tells no sink. A run that is over already stays as it is and is returned. */
  abort(id: string): Eventually<AbortOutcome>;
  /** The deploy system itself ended the rollout; see `Engine.endRollout`. */
  endRollout(id: string, how: RolloutEnd): Eventually<AbortOutcome>;
  /** All services, or one. */
  status(windowMs: DurationMs, service: string | null): Eventually<StatusView>;
  /** Of one endpoint in one release, or in all (null); null when there is no such endpoint. */
  latency(query: LatencyQuery): Eventually<LatencyView | null>;
  /** What a canary of a service could show; null when the service has no recent traffic. */
  outlook(query: OutlookQuery): Eventually<OutlookView | null>;
  /** Objectives of all services or of one, or one objective; worst first. */
  slo(only: SloQuery): Eventually<SloReport>;
  /** An objective that was never declared; null when the service has no endpoint that is meant. */
  whatIf(query: WhatIfQuery): Eventually<WhatIfView | null>;
  /** Newest first, at most `limit`. */
  signals(limit: number): Eventually<readonly SignalView[]>;
  /** All deliveries of one signal; empty when it is not known. */
  signal(id: string): Eventually<readonly SignalView[]>;
  /** The deploy system says what became of a signal. Durable when it resolves; saying the same again changes nothing. */
  reportOutcome(outcome: SignalOutcome): Eventually<ReportedOutcome>;
  readiness(): Readiness;
  /** Prometheus text. */
  metrics(): Promise<string>;
  readonly version: string;
}
