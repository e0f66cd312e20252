/** Answers "what could a canary of this service show?": an outlook from the traffic of the last minutes, before a run begins. */
import { type PlannedEndpoint, planOutlook } from '../evaluate/canary/plan-outlook.ts';
import type { CanaryPolicy } from '../model/policy.ts';
import type { SeriesInfo } from '../model/series.ts';
import { type EpochMs, endOfSlot, SLOT_MS } from '../model/time.ts';
import type { OutlookQuery, OutlookView } from '../model/views.ts';
import type { SlidingWindow } from '../window/sliding-window.ts';

/** As far as histograms are in memory, and as far as a run primes its reference. */
const LOOK_BACK_MS = 15 * 60_000;
/** Busiest endpoints that are planned for, and entries that are listed: more help nobody. */
const MAX_ENDPOINTS = 200;
const MAX_CHECKS = 500;

/** Null when the service had no traffic in the last 15 minutes. */
export function outlookView(
  query: OutlookQuery,
  source: {
    readonly series: readonly SeriesInfo[];
    readonly policy: CanaryPolicy;
    readonly window: SlidingWindow;
    /** Start of the service's first slot; -Infinity when it is older than this process. */
    readonly firstAt: EpochMs;
  },
): OutlookView | null {
  const { policy, window } = source;
  const series = source.series.filter((info) => info.kind !== 'overflow');
  const newestAt = window.newestAt(query.service);
  if (newestAt === null) return null;
  const to = endOfSlot(newestAt);
  const from = to - LOOK_BACK_MS;
  // The newest slot is still filling, and the service may be younger than the window.
  const seenMs = Math.max(SLOT_MS, newestAt - Math.max(from, source.firstAt));
  const spansOf = (infos: readonly SeriesInfo[]): number => window.counts(idsOf(infos), from, to).spans;
  const incumbent = busiest(
    grouped(series, (info) => info.release.name),
    spansOf,
  );
  if (incumbent === null) return null;
  const endpoints = [...grouped(series, (info) => info.endpoint)]
    .map(([endpoint, infos]) => ({ endpoint, infos, spans: spansOf(infos) }))
    .filter(({ spans }) => spans > 0)
    .sort((a, b) => b.spans - a.spans || (a.endpoint < b.endpoint ? -1 : 1));
  const planned = endpoints.slice(0, MAX_ENDPOINTS).map(({ endpoint, infos, spans }): PlannedEndpoint => {
    // What another release does now is no measure of what the next canary is compared with.
    const own = infos.filter((info) => info.release.name === incumbent);
    const ids = idsOf(spansOf(own) > 0 ? own : infos);
    const { spans: measured, failedSpans } = window.counts(ids, from, to);
    return {
      endpoint,
      // Evidence counts spans, not the requests they stand for.
      baselineRate: spans / (seenMs / 1000),
      errorRatio: failedSpans / measured,
      latency: window.distribution(ids, from, to, 'ok'),
    };
  });
  const withinMs = query.withinMs ?? policy.horizonMs;
  const checks = planOutlook({ policy: { ...policy, horizonMs: withinMs }, endpoints: planned, canaryShare: query.canaryShare });
  return {
    ...query,
    withinMs,
    alpha: policy.alpha,
    release: incumbent,
    seenMs: Math.min(seenMs, LOOK_BACK_MS),
    rate: endpoints.reduce((sum, { spans }) => sum + spans, 0) / (seenMs / 1000),
    endpoints: endpoints.length,
    checks: checks.slice(0, MAX_CHECKS),
  };
}

function idsOf(infos: readonly SeriesInfo[]): number[] {
  return infos.map((info) => info.id);
}

function grouped(series: readonly SeriesInfo[], nameOf: (info: SeriesInfo) => string): Map<string, SeriesInfo[]> {
  const groups = new Map<string, SeriesInfo[]>();
  for (const info of series) {
    const name = nameOf(info);
    const group = groups.get(name);
    if (group === undefined) groups.set(name, [info]);
    else group.push(info);
  }
  return groups;
}

/** The group with most spans, of equals the first by name; null when none has any. */
function busiest(groups: ReadonlyMap<string, readonly SeriesInfo[]>, spansOf: (infos: readonly SeriesInfo[]) => number): string | null {
  let most = 0;
  let winner: string | null = null;
  for (const [name, infos] of groups) {
    const spans = spansOf(infos);
    if (spans < most || spans === 0 || (spans === most && winner !== null && winner < name)) continue;
    most = spans;
    winner = name;
  }
  return winner;
}
