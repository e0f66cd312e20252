/** What can be asked of the engine; nothing is changed by it. */
import type { StoredSlot } from '../model/checkpoint.ts';
import type { BreakerView } from '../model/control-view.ts';
import type { GateView } from '../model/gate-view.ts';
import type { InputDoubt } from '../model/judgement.ts';
import type { CanaryPolicy, Policies } from '../model/policy.ts';
import type { SloReport } from '../model/slo-views.ts';
import type { DurationMs, EpochMs } from '../model/time.ts';
import type { LatencyQuery, LatencyView, OutlookQuery, OutlookView, StatusView } from '../model/views.ts';
import type { WhatIfQuery, WhatIfView } from '../model/what-if.ts';
import type { SlidingWindow } from '../window/sliding-window.ts';
import type { AlertWatch } from './alert-watch.ts';
import type { ControlDesk } from './control-desk.ts';
import type { GateBook } from './gate-book.ts';
import { gateView } from './gate-view.ts';
import { latencyView } from './latency-view.ts';
import { longWindow, type StoredPiece } from './long-window.ts';
import { MetricView } from './metric-view.ts';
import type { ObjectiveFeed } from './objective-feed.ts';
import { outlookView } from './outlook-view.ts';
import type { Rollouts } from './rollouts.ts';
import type { SeriesBook } from './series-book.ts';
import { type SloQuery, sloReport } from './slo-report.ts';
import type { TrendBook } from './trend-book.ts';
import { whatIf } from './what-if.ts';
import { statusView } from './whole-status.ts';

/** The engine as views see it. */
export interface ViewGround {
  readonly window: SlidingWindow;
  readonly objectives: ObjectiveFeed;
  readonly rollouts: Rollouts;
  readonly gateBook: GateBook;
  readonly controls: ControlDesk;
  readonly alerts: AlertWatch;
  readonly trends: TrendBook;
  readonly series: SeriesBook;
  /** Those in force now. */
  readonly policies: Policies;
  /** State was lost, or the clock is not trusted. */
  isStateUnknown(now: EpochMs): boolean;
  /** Of the counts that there are now. */
  inputDoubt(): InputDoubt | null;
}

/** How canaries of a service are judged; services that nobody named have the fallback. */
export function canaryPolicyOf({ services, fallback }: Policies, service: string): CanaryPolicy {
  return services.get(service)?.canary ?? fallback.canary;
}

export class EngineViews {
  readonly #ground: ViewGround;

  constructor(ground: ViewGround) {
    this.#ground = ground;
  }

  /** What `status` needs from the store to look back over `windowMs`. */
  storedPieces(windowMs: DurationMs): readonly StoredPiece[] {
    return longWindow(windowMs, this.#ground.window.newestSlot).pieces;
  }

  /** All services, or `only` one. `stored` are the slots of `storedPieces`; without them a long window shows what is in memory. */
  status(windowMs: DurationMs, now: EpochMs, only?: string, stored: readonly StoredSlot[] = []): StatusView {
    const { window, objectives, rollouts, policies, series } = this.#ground;
    return statusView({ windowMs, now, only }, { window, objectives, rollouts, policies, series, stored });
  }

  /** Latencies of one endpoint, or null when the service has no such; `stored` as for `status`. */
  latency(query: LatencyQuery, stored: readonly StoredSlot[] = []): LatencyView | null {
    return latencyView(query, this.#ground.series.of(query.service), this.#ground.window, stored);
  }

  /** What a canary of a service could show; null without recent traffic. */
  outlook(query: OutlookQuery): OutlookView | null {
    const { service } = query;
    const [series, firstAt] = [this.#ground.series.of(service), this.#ground.series.firstAtOf(service)];
    return outlookView(query, { series, firstAt, policy: canaryPolicyOf(this.#ground.policies, service), window: this.#ground.window });
  }

  /** An objective that was never declared; null when the service has no endpoint that is meant; `stored` as for `status`. */
  whatIf(query: WhatIfQuery, stored: readonly StoredSlot[] = []): WhatIfView | null {
    const [series, firstAt] = [this.#ground.series.of(query.service), this.#ground.series.firstAtOf(query.service)];
    return whatIf(query, series, { window: this.#ground.window, stored, firstAt });
  }

  /** How objectives stand at `now`, the wall clock; the worst first. */
  sloReport(now: EpochMs, only: SloQuery = { service: null, objective: null }): SloReport {
    const { objectives: feed, rollouts, window, trends, alerts, policies } = this.#ground;
    return sloReport(now, only, { policies, feed, alerts: alerts.book, trends, rollouts, window });
  }

  /** What queries of metrics are answered from, at `now`, the wall clock. */
  metrics(now: EpochMs): MetricView {
    const { series, policies } = this.#ground;
    return new MetricView(now, this.#ground, series, policies);
  }

  /** Whether a deploy of the service may go out at `now`, the wall clock. */
  gate(service: string, now: EpochMs): GateView {
    const { window, rollouts, objectives: feed, gateBook: book, trends, policies, controls, alerts } = this.#ground;
    const isStateUnknown = this.#ground.isStateUnknown(now);
    const [inputDoubt, { guard }] = [this.#ground.inputDoubt(), controls];
    const state = { isStateUnknown, inputDoubt };
    return gateView(service, now, { policies, guard, book, window, rollouts, feed, alerts: alerts.book, trends, ...state });
  }

  /** Why rollbacks are held at `now`, the wall clock, other than by operators. */
  breaker(now: EpochMs): BreakerView {
    return this.#ground.controls.breaker(now, this.#ground.policies);
  }
}
