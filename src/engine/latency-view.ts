/** Answers "how long did it take?": the latency distribution of an endpoint over any window. */
import type { StoredSlot } from '../model/checkpoint.ts';
import type { SeriesInfo } from '../model/series.ts';
import { endOfSlot } from '../model/time.ts';
import type { LatencyQuery, LatencyView } from '../model/views.ts';
import type { SlidingWindow } from '../window/sliding-window.ts';
import { hdrText } from '../window/sparse-distribution.ts';
import { longWindow } from './long-window.ts';

const QUANTILES = [0.5, 0.9, 0.95, 0.99, 0.999, 1];

/** Null when the service has no such endpoint. `stored` are the slots of `longWindow`'s pieces. */
export function latencyView(
  query: LatencyQuery,
  series: readonly SeriesInfo[],
  window: SlidingWindow,
  stored: readonly StoredSlot[],
): LatencyView | null {
  const ids = series
    .filter((info) => info.endpoint === query.endpoint && (query.release === null || info.release.name === query.release))
    .map((info) => info.id);
  if (ids.length === 0) return null;
  const { memoryFromMs } = longWindow(query.windowMs, window.newestSlot);
  const newestAt = window.newestAt(query.service) ?? 0;
  const to = endOfSlot(newestAt);
  const distribution = window.distribution(ids, Math.max(to - query.windowMs, memoryFromMs), to, 'all', window.olderBlocks(stored));
  const { total, failed } = distribution;
  return {
    ...query,
    total,
    failed,
    quantiles: QUANTILES.map((q) => ({ q, ms: total === 0 ? null : distribution.quantile(q) / 1000 })),
    buckets: [...distribution.buckets()].map(({ lowUs, highUs, count }) => ({ lowMs: lowUs / 1000, highMs: highUs / 1000, count })),
    hdr: hdrText(distribution, window.layout),
  };
}
