/** Answers "how long did it take?": the latency distribution of an endpoint over any window. */
import type { SeriesInfo } from '../model/series.ts';
import { type EpochMs, endOfSlot } from '../model/time.ts';
import type { LatencyQuery, LatencyView } from '../model/views.ts';
import type { SlidingWindow } from '../window/sliding-window.ts';
import type { SlotBlock } from '../window/slot-block.ts';
import { hdrText } from '../window/sparse-distribution.ts';

const QUANTILES = [0.5, 0.9, 0.95, 0.99, 0.999, 1];

/** Null when the service has no such endpoint. `older` and `memoryFromMs` as in `serviceView`. */
export function latencyView(
  query: LatencyQuery,
  series: readonly SeriesInfo[],
  source: { readonly window: SlidingWindow; readonly older: readonly SlotBlock[]; readonly memoryFromMs: EpochMs },
): LatencyView | null {
  const { window, older, memoryFromMs } = source;
  const ids = series
    .filter((info) => info.endpoint === query.endpoint && (query.release === null || info.release.name === query.release))
    .map((info) => info.id);
  if (ids.length === 0) return null;
  const newestAt = window.newestAt(query.service) ?? 0;
  const to = endOfSlot(newestAt);
  const distribution = window.distribution(ids, Math.max(to - query.windowMs, memoryFromMs), to, 'all', older);
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
