/** What a run as a whole says: proven harm first, then what stands in the way of saying anything, then proven health. */
import type { Outcome, Reason } from '../../model/judgement.ts';
import { decisiveCheck, SILENCE } from './decisive-check.ts';
import { type HealthQuestion, isHealthProven } from './health-proof.ts';
import { isConfounded } from './recent-traffic.ts';
import type { Standing } from './standing.ts';

export function runOutcome(standing: Standing): readonly [Outcome, Reason] {
  const { proven, guards, time, overflow, canaryRequests, baselineRequests, policy, history } = standing;
  if (proven !== null) return ['fail', proven.reason];
  if (guards.silence.isProven) return ['inconclusive', SILENCE.reason];
  if (canaryRequests === 0) return ['inconclusive', overflow.canaryRequests > 0 ? 'overflow' : 'no_canary'];
  if (baselineRequests === 0) return ['inconclusive', overflow.baselineRequests > 0 ? 'overflow' : 'no_baseline'];
  if (standing.isTooFew) return ['inconclusive', 'too_few_samples'];
  if (time.isCanarySilent(canaryRequests)) return ['inconclusive', 'no_canary'];
  // A baseline that is meant to get nothing any more is not missed.
  if (guards.silence.planned !== 1 && time.isBaselineSilent(baselineRequests)) return ['inconclusive', 'no_baseline'];
  if (standing.logWealth <= 0 && time.sinceCanaryMs >= policy.minPassMs && isHealthProven(healthQuestion(standing))) {
    return isConfounded(history.traffic.mix()) ? ['inconclusive', 'confounded'] : ['pass', 'health_proven'];
  }
  if (standing.isOver) return ['inconclusive', 'horizon_reached'];
  return ['inconclusive', standing.isWarmup ? 'warming_up' : 'accumulating'];
}

/** Name of the check that decided, or weighs most; null before any has bet. */
export function decidedBy(standing: Standing): string | null {
  const { proven, guards, isOpen } = standing;
  if (proven !== null) return proven.check;
  if (guards.silence.isProven) return SILENCE.check;
  return isOpen ? (decisiveCheck(standing)?.check ?? null) : null;
}

export function healthQuestion({ endpoints, rules, settings, logProof, overflow, time }: Standing): HealthQuestion {
  return { endpoints, rules, settings, logProof, uncomparedRequests: overflow.baselineRequests, atMs: time.elapsedMs };
}
