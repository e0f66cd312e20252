/** Answers "what do you see?": endpoints, objectives and freshness of services as plain data. */
import type { Counts, Distribution } from '../model/distribution.ts';
import type { SeriesInfo } from '../model/series.ts';
import { textOrder } from '../model/text-order.ts';
import { type DurationMs, type EpochMs, endOfSlot, SLOT_MS } from '../model/time.ts';
import type { SeriesView, ServiceView } from '../model/views.ts';
import type { SlidingWindow } from '../window/sliding-window.ts';
import type { SlotBlock } from '../window/slot-block.ts';
import type { ObjectiveFeed } from './objective-feed.ts';

/** More rows than this help nobody; the busiest are shown. */
const MAX_ROWS = 500;

export function serviceView(input: {
  readonly service: string;
  readonly series: readonly SeriesInfo[];
  readonly quota: number;
  readonly window: SlidingWindow;
  readonly objectives: ObjectiveFeed;
  readonly windowMs: DurationMs;
  readonly now: EpochMs;
  /** Start of the service's first slot; -Infinity when it is older than this process. */
  readonly firstAt: EpochMs;
  /** What the store adds to a window longer than memory, and where memory takes over. */
  readonly older: readonly SlotBlock[];
  readonly memoryFromMs: EpochMs;
}): ServiceView {
  const { service, series, window, objectives, windowMs, now, older } = input;
  const newestAt = window.newestAt(service);
  const to = newestAt === null ? now : endOfSlot(newestAt);
  const from = Math.max(to - windowMs, input.memoryFromMs);
  // The newest slot is still filling, and the service may be younger than the window: rates are over the time that has been seen.
  const seenMs = newestAt === null ? windowMs : Math.max(SLOT_MS, newestAt - Math.max(to - windowMs, input.firstAt));
  return {
    service,
    newestAt,
    // Looking must not move it; where nothing is judged it has not moved yet.
    watermarkAt: newestAt === null ? null : Math.max(window.lastWatermark(service), newestAt - window.lagMs(service)),
    lagMs: newestAt === null ? null : window.lagMs(service),
    lateSpans: series.reduce((sum, info) => sum + window.late(info.id), 0),
    seriesInUse: series.filter((info) => info.kind !== 'overflow').length,
    seriesQuota: input.quota,
    endpoints: series
      .map((info) => ({ info, counts: window.counts([info.id], from, to, older) }))
      .filter(({ counts }) => counts.spans > 0)
      .sort((a, b) => b.counts.spans - a.counts.spans)
      .slice(0, MAX_ROWS)
      .map(({ info, counts }) => seriesView(info, counts, window.distribution([info.id], from, to, 'all', older), seenMs))
      .sort((a, b) => textOrder(a.endpoint, b.endpoint) || textOrder(a.release, b.release)),
    objectives: objectives.judge(service, newestAt).map(({ objective, judgement }) => ({
      id: objective.id,
      text: objective.text,
      endpoint: objective.endpoint,
      windowMs: objective.windowMs,
      judgement,
    })),
  };
}

function seriesView(info: SeriesInfo, counts: Counts, distribution: Distribution, seenMs: DurationMs): SeriesView {
  return {
    endpoint: info.endpoint,
    kind: info.kind,
    release: info.release.name,
    releaseAttributes: Object.fromEntries(info.release.attributes),
    requests: counts.requests,
    failed: counts.failed,
    rate: counts.requests / (seenMs / 1000),
    errorRatio: counts.requests === 0 ? null : counts.failed / counts.requests,
    p50Ms: quantileMs(distribution, 0.5),
    p95Ms: quantileMs(distribution, 0.95),
    p99Ms: quantileMs(distribution, 0.99),
  };
}

function quantileMs(distribution: Distribution, q: number): number | null {
  return distribution.total === 0 ? null : distribution.quantile(q) / 1000;
}
