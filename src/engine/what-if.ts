/** Answers "what if we promised …?": an objective that was never declared, over the past that is stored. */
import type { StoredSlot } from '../model/checkpoint.ts';
import { allowedBad, budgetLeft } from '../model/error-budget.ts';
import type { SeriesInfo } from '../model/series.ts';
import { type EpochMs, endOfSlot, SLOT_MS } from '../model/time.ts';
import type { Interval, WhatIfQuery, WhatIfView } from '../model/what-if.ts';
import type { SlidingWindow } from '../window/sliding-window.ts';
import { longWindow } from './long-window.ts';
import { seriesMeant } from './series-meant.ts';

const NS_PER_US = 1000;
const US_PER_MS = 1000;
const TEN_SECONDS_MS = 10_000;

interface Past {
  readonly window: SlidingWindow;
  /** Slots of `longWindow`'s pieces for the query's window, oldest first. */
  readonly stored: readonly StoredSlot[];
  /** Start of the service's first slot; -Infinity when it is older than this process. */
  readonly firstAt: EpochMs;
}

/** Null when no endpoint of the service is meant. `series` are all of the service. */
export function whatIf(query: WhatIfQuery, series: readonly SeriesInfo[], { window, stored, firstAt }: Past): WhatIfView | null {
  const { service, endpoint, sli, target, text, windowMs } = query;
  const ids = seriesMeant(query, { of: () => series });
  const newestAt = window.newestAt(service);
  if (ids.length === 0 || newestAt === null) return null;
  const to = endOfSlot(newestAt);
  const { pieces, memoryFromMs } = longWindow(windowMs, window.newestSlot);
  // Memory holds 10 s slots where it is not younger: a whole number of them is counted.
  const memoryFrom = Math.max(Math.floor((to - windowMs) / TEN_SECONDS_MS) * TEN_SECONDS_MS, memoryFromMs);
  const from = Math.min(memoryFrom, (pieces[0]?.fromSec ?? Number.POSITIVE_INFINITY) * SLOT_MS);
  const older = window.olderBlocks(stored);
  const counts = window.counts(ids, memoryFrom, to, older);
  const read =
    sli.kind === 'latency'
      ? slowerThan(sli.thresholdNs, window, window.distribution(ids, memoryFrom, to, 'all', older))
      : { basis: 'counts' as const, valid: counts.requests, bad: exactly(counts.failed), bucket: null };
  const first = older.findIndex((block) => window.counts(ids, 0, 0, [block]).spans > 0);
  const firstStored = stored[first];
  const dataFrom = firstStored === undefined ? Math.max(memoryFrom, firstAt) : firstStored.startSec * SLOT_MS;
  return {
    service,
    endpoint,
    target,
    text,
    windowMs,
    from,
    to,
    dataFrom: counts.spans === 0 ? null : dataFrom,
    ...read,
    isSampled: counts.spans !== counts.requests,
    ...budgetOf(target, read.valid, read.bad),
  };
}

/**
 * Spans above a limit, as far as buckets tell. A bucket holds whole microseconds, fractions dropped: its longest span may take just less than the
 * first microsecond of the next.
 */
function slowerThan(thresholdNs: number, { layout }: SlidingWindow, distribution: ReturnType<SlidingWindow['distribution']>) {
  const index = layout.index(Math.min(thresholdNs / NS_PER_US, layout.highestUs));
  const [lowUs, endUs] = [layout.lowestUs(index), layout.lowestUs(index + 1)];
  // Spans beyond the highest value are in its bucket too.
  const isOpen = index === layout.index(layout.highestUs);
  let doubtful = 0;
  let slower = 0;
  for (const bucket of distribution.buckets()) {
    if (bucket.lowUs > lowUs) slower += bucket.count;
    else if (bucket.lowUs === lowUs) doubtful = bucket.count;
  }
  const isWhollyGood = !isOpen && thresholdNs >= endUs * NS_PER_US - 1;
  const isInDoubt = doubtful > 0 && !isWhollyGood;
  return {
    basis: 'histograms' as const,
    valid: distribution.total,
    bad: { least: slower, most: slower + (isInDoubt ? doubtful : 0) },
    bucket: isInDoubt ? { lowMs: lowUs / US_PER_MS, highMs: isOpen ? null : (endUs - 1) / US_PER_MS, count: doubtful } : null,
  };
}

function budgetOf(target: number, valid: number, bad: Interval): Pick<WhatIfView, 'allowedBad' | 'sli' | 'budgetRemaining' | 'outcome'> {
  const allowed = allowedBad(target, valid);
  if (valid <= 0) return { allowedBad: allowed, sli: null, budgetRemaining: null, outcome: 'no_data' };
  return {
    allowedBad: allowed,
    sli: { least: (valid - bad.most) / valid, most: (valid - bad.least) / valid },
    budgetRemaining: { least: budgetLeft(bad.most, allowed), most: budgetLeft(bad.least, allowed) },
    outcome: bad.most <= allowed ? 'met' : bad.least > allowed ? 'breached' : 'undecided',
  };
}

function exactly(count: number): Interval {
  return { least: count, most: count };
}
