/** When the health of a canary counts as proven: on nearly all of its traffic, and on everything the policy calls critical. */
import type { DurationMs } from '../../model/time.ts';
import type { CheckRule } from './check-rule.ts';
import type { EndpointComparison } from './endpoint-comparison.ts';
import type { EndpointSettings } from './endpoint-settings.ts';

/** Health must be proven on endpoints that carry this share of the baseline's requests; the rest is listed as unproven. */
const PASS_TRAFFIC_SHARE = 0.95;

/** What a run knows when it is asked whether its canary is healthy. */
export interface HealthQuestion {
  readonly endpoints: readonly EndpointComparison[];
  readonly rules: readonly CheckRule[];
  readonly settings: EndpointSettings;
  /** ln(1/beta): what a safe process must once have reached. */
  readonly logProof: number;
  /** Requests of the baseline that cannot be compared, since their endpoints are not told apart. */
  readonly uncomparedRequests: number;
  /** Of the run, as for `EndpointComparison.traffic`. */
  readonly atMs: DurationMs;
}

/**
 * True when
 * - endpoints that carry 95 % of the baseline's requests are proven, each in every check that is judged, and
 * - so is every critical endpoint the baseline has, also one that the canary has not served yet, and
 * - so is every critical check on every endpoint that both releases have served, however few their requests.
 *
 * Nothing to prove is not proof. Of an endpoint that carries more than 5 % of the requests or is critical all proofs are asked for, so the chance that a canary
 * that is beyond a margin there from the start passes is at most beta, whatever the number of checks (intersection-union test). Endpoints that are neither
 * are promoted with the others.
 */
export function isHealthProven(question: HealthQuestion): boolean {
  const { endpoints, logProof } = question;
  let proven = 0;
  let all = question.uncomparedRequests;
  for (const endpoint of endpoints) {
    all += endpoint.baselineRequests;
    if (isEndpointProven(endpoint, logProof)) proven += endpoint.baselineRequests;
  }
  return proven > 0 && proven >= PASS_TRAFFIC_SHARE * all && isCriticalProven(question);
}

/** The second and third of these, which also a run that ends without proof must have before it may be promoted. */
export function isCriticalProven({ endpoints, rules, settings, logProof, atMs }: HealthQuestion): boolean {
  const hasCriticalCheck = rules.some((rule) => rule.isCritical);
  if (!hasCriticalCheck && !settings.hasCritical) return true;
  if (hasCriticalCheck && !endpoints.some(isServedByBoth)) return false;
  return endpoints.every((endpoint) => {
    if (settings.of(endpoint.name).isCritical && endpoint.traffic(atMs) > 0) return isEndpointProven(endpoint, logProof);
    return !isServedByBoth(endpoint) || endpoint.checks.every((check) => !check.rule.isCritical || check.isNotInDoubt(logProof));
  });
}

function isServedByBoth({ baselineRequests, canaryRequests }: EndpointComparison): boolean {
  return baselineRequests > 0 && canaryRequests > 0;
}

function isEndpointProven({ checks }: EndpointComparison, logProof: number): boolean {
  return checks.some(({ logSafe }) => logSafe !== null) && checks.every((check) => check.isNotInDoubt(logProof));
}
