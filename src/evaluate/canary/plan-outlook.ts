/** What a run could find, told before it starts: from the traffic of today and the share that the canary is meant to get. */
import type { Distribution } from '../../model/distribution.ts';
import type { Outlook } from '../../model/outlook.ts';
import type { CanaryPolicy } from '../../model/policy.ts';
import { checkRules } from './check-rule.ts';
import { EndpointSettings } from './endpoint-settings.ts';
import { othersMoney } from './guards.ts';
import { type EndpointForecast, type LatencyTail, outlooks, type Prospect } from './outlook.ts';
import { Portfolio } from './portfolio.ts';

/** One endpoint's traffic of today, all of which is the baseline's. */
export interface PlannedEndpoint {
  readonly endpoint: string;
  /** Requests per second of the endpoint in all, before any goes to a canary. */
  readonly baselineRate: number;
  /** failed / requests, in [0, 1]. */
  readonly errorRatio: number;
  /** Latencies of the last minutes; what they hold decides which quantiles are known. */
  readonly latency: Pick<Distribution, 'total' | 'countAtOrBelow' | 'quantile'>;
}

export interface RunPlan {
  readonly policy: CanaryPolicy;
  readonly endpoints: readonly PlannedEndpoint[];
  /** Share of the service's requests that the canary is to get, in (0, 1). */
  readonly canaryShare: number;
}

/** Requests that must lie above a quantile before it counts as known, as in a run. */
const MIN_ABOVE = 10;
/** Over which traffic is counted when a run splits its money. */
const TRAFFIC_S = 900;

/** One entry for each endpoint and planned check that the policy does not mute, the least certain first. */
export function planOutlook({ policy, endpoints, canaryShare }: RunPlan): readonly Outlook[] {
  const rules = checkRules(policy);
  const settings = new EndpointSettings(policy.endpoints);
  const judged = endpoints.filter(({ endpoint, baselineRate }) => baselineRate > 0 && !settings.of(endpoint).isMuted);
  const candidates = judged.map(({ endpoint, baselineRate }) => ({
    weight: settings.of(endpoint).weight,
    traffic: baselineRate * TRAFFIC_S,
    share: 0,
  }));
  new Portfolio().admit(candidates);
  const prospects = judged.flatMap((planned, index) => {
    const forecast = forecastOf(planned, canaryShare);
    const money = othersMoney(policy) * (candidates[index]?.share ?? 0);
    return rules.map((rule): Prospect => {
      const logNeeded = Math.log(1 / (policy.alpha * money * rule.weight));
      return { forecast, rule, wealth: { logE: 0, logNeeded, elapsedMs: 0, phi: 1 } };
    });
  });
  return outlooks(policy, prospects, Infinity);
}

function forecastOf({ endpoint, baselineRate, errorRatio, latency }: PlannedEndpoint, canaryShare: number): EndpointForecast {
  const tail: LatencyTail = {
    quantileUs: (q) => (latency.total * (1 - q) < MIN_ABOVE - 1e-9 ? null : latency.quantile(q)),
    shareAbove: (us) => (latency.total === 0 ? 0 : 1 - latency.countAtOrBelow(us) / latency.total),
  };
  return { endpoint, baselineRate: baselineRate * (1 - canaryShare), canaryRate: baselineRate * canaryShare, errorRatio, tail };
}
