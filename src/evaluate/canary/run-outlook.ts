/** What a run can still find: the outlook of its checks from the traffic it has seen and the evidence it has. */
import type { Outlook } from '../../model/outlook.ts';
import type { DurationMs } from '../../model/time.ts';
import type { Check } from './check.ts';
import { type BucketScale, edgeAtOrAbove, knowsQuantile } from './edges.ts';
import type { EndpointComparison } from './endpoint-comparison.ts';
import { type EndpointForecast, isJudgeable, type LatencyTail, outlooks, type Prospect } from './outlook.ts';
import type { ReferenceHistogram } from './reference-histogram.ts';
import type { Standing } from './standing.ts';

const MOST = 100;
/** Traffic of less time says little of that to come. */
const MIN_SEEN_MS = 60_000;

/** At most 100 entries, the least certain first; none before money is split. */
export function runOutlook(standing: Standing): readonly Outlook[] {
  const prospects = standing.endpoints.flatMap((endpoint) => {
    if (endpoint.share === 0) return [];
    const forecast = forecastOf(standing, endpoint);
    return endpoint.checks.map((check): Prospect => ({ forecast, rule: check.rule, wealth: wealthOf(standing, endpoint, check) }));
  });
  return outlooks(standing.policy, prospects, MOST);
}

/** Whether the checks of an endpoint can be judged at the traffic it gets; none of them is written off before a minute was seen. */
export function judgeability(standing: Standing, endpoint: EndpointComparison): (check: Check) => boolean {
  if (endpoint.share === 0 || standing.time.watchedMs < MIN_SEEN_MS) return () => true;
  let forecast: EndpointForecast | undefined;
  return (check) => {
    // Severe checks have no margin within which anybody asks for proof.
    if (check.rule.isSevere) return true;
    forecast ??= forecastOf(standing, endpoint);
    return isJudgeable(standing.policy, forecast, check.rule, wealthOf(standing, endpoint, check).logNeeded, check.phi);
  };
}

function forecastOf({ history, guards, layout, time }: Standing, endpoint: EndpointComparison): EndpointForecast {
  const { baselineRate, canaryRate } = history.traffic.rates(endpoint.name, time.watchedMs);
  // A share that was just planned says more of the time to come than what has come so far; all of the traffic leaves nothing to compare with.
  const planned = guards.silence.planned === 1 ? null : guards.silence.planned;
  const all = baselineRate + canaryRate;
  const errors = endpoint.checks.find(({ rule }) => rule.metric === 'errors')?.baseline;
  return {
    endpoint: endpoint.name,
    baselineRate: planned === null ? baselineRate : all * (1 - planned),
    canaryRate: planned === null ? canaryRate : all * planned,
    errorRatio: errors === undefined || errors.total === 0 ? 0 : errors.bad / errors.total,
    tail: tailOf(endpoint.reference, layout, time.elapsedMs),
  };
}

function wealthOf({ guards, logLimit, time }: Standing, endpoint: EndpointComparison, check: Check) {
  const weight = guards.othersMoney * endpoint.share * check.rule.weight;
  return { logE: check.logE, logNeeded: logLimit - Math.log(weight), elapsedMs: time.watchedMs, phi: check.phi };
}

/** The reference at `atMs` of the run, as planning reads it. */
export function tailOf(reference: ReferenceHistogram, scale: BucketScale, atMs: DurationMs): LatencyTail {
  return {
    quantileUs: (q) => (knowsQuantile(reference, q, atMs) ? scale.lowestUs(reference.edge(q)) : null),
    shareAbove: (us) => reference.shareFrom(Math.min(scale.size, edgeAtOrAbove(scale, us))),
  };
}
