/** When the health of a canary counts as proven: on nearly all of its traffic, and on everything the policy calls critical. */
import type { DurationMs } from '../../model/time.ts';
import type { Check } from './check.ts';
import type { EndpointComparison } from './endpoint-comparison.ts';
import type { EndpointSettings } from './endpoint-settings.ts';

/** Health must be proven on endpoints that carry this share of the baseline's requests; the rest is listed as unproven. */
const PASS_TRAFFIC_SHARE = 0.95;

/** What a run knows when it is asked whether its canary is healthy. */
export interface HealthQuestion {
  readonly endpoints: readonly EndpointComparison[];
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
 * Nothing to prove is not proof. Each part asks for all of its proofs, so the chance that a canary beyond one of its margins from the start passes is at
 * most beta, whatever the number of checks (intersection-union test).
 */
export function isHealthProven(question: HealthQuestion): boolean {
  const { endpoints, settings, logProof, atMs } = question;
  let proven = 0;
  let all = question.uncomparedRequests;
  for (const endpoint of endpoints) {
    all += endpoint.baselineRequests;
    const asked = endpoint.checks.filter((check) => check.logSafe !== null);
    const isProven = asked.length > 0 && asked.every((check) => isCheckProven(check, logProof));
    if (isProven) {
      proven += endpoint.baselineRequests;
      continue;
    }
    if (settings.of(endpoint.name).isCritical && endpoint.traffic(atMs) > 0) return false;
    const isServed = endpoint.baselineRequests > 0 && endpoint.canaryRequests > 0;
    if (isServed && asked.some((check) => check.rule.isCritical && !isCheckProven(check, logProof))) return false;
  }
  return proven > 0 && proven >= PASS_TRAFFIC_SHARE * all;
}

function isCheckProven({ logSafe }: Check, logProof: number): boolean {
  return logSafe !== null && logSafe >= logProof;
}
