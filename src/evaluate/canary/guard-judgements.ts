/** What the guards say, each with its reason and the numbers behind it. */
import type { GuardEvidence, Judgement, Outcome, Reason } from '../../model/judgement.ts';
import { ALL_ENDPOINTS, checkName } from './check-name.ts';
import { GUARD_MONEY, type Guards } from './guards.ts';
import type { RatioGuard } from './ratio-guard.ts';
import type { Standing } from './standing.ts';

/** A guard that can prove harm, as one of the run's checks. */
export interface HarmGuard {
  readonly check: string;
  readonly reason: Reason;
  readonly weight: number;
  readonly logE: number;
  readonly kind: 'burn' | 'criterion';
  readonly endpoint: string;
  readonly edgeUs: number | null;
  readonly guard: RatioGuard;
}

/** Guards with money that prove harm, the budget's first, criteria as the policy has them. */
export function harmGuards(guards: Guards): readonly HarmGuard[] {
  const all: HarmGuard[] = guards.criteria.map(({ criterion, guard }) => {
    const endpoint = criterion.endpoint ?? ALL_ENDPOINTS;
    const check = checkName(`criterion ${criterion.text}`, endpoint);
    const { edgeUs } = criterion;
    return {
      check,
      reason: 'criterion_breached',
      weight: guards.criterionMoney,
      logE: guard.logE,
      kind: 'criterion',
      endpoint,
      edgeUs,
      guard,
    };
  });
  const { burn } = guards;
  if (burn === null) return all;
  const check = checkName('burn', ALL_ENDPOINTS);
  return [
    {
      check,
      reason: 'burn_proven',
      weight: GUARD_MONEY,
      logE: burn.logE,
      kind: 'burn',
      endpoint: ALL_ENDPOINTS,
      edgeUs: null,
      guard: burn,
    },
    ...all,
  ];
}

/** One judgement per guard that is on; `harmful` are the checks proven individually. */
export function guardJudgements(standing: Standing, harmful: ReadonlySet<string>): readonly Judgement[] {
  const said = harmGuards(standing.guards).map((guard): Judgement => {
    const [outcome, reason]: [Outcome, Reason] = harmful.has(guard.check)
      ? ['fail', guard.reason]
      : ['inconclusive', undecided(standing, guard.guard)];
    return { check: guard.check, outcome, reason, evidence: ratioEvidence(standing, guard) };
  });
  return standing.guards.silence.isOn ? [...said, silenceJudgement(standing)] : said;
}

/** Silence of a canary that has yet to send its first request is none while it may still be starting. */
export function isSilenceHarm({ guards, time, policy, baselineRequests }: Standing): boolean {
  return (
    policy.onSilence === 'rollback' &&
    guards.silence.isProven &&
    !time.isStarting(policy.warmupMs) &&
    baselineRequests >= policy.minRequests
  );
}

function undecided(standing: Standing, guard: RatioGuard): Reason {
  if (standing.isTooFew || guard.canary.total === 0) return standing.isWarmup ? 'warming_up' : 'too_few_samples';
  return standing.isOver ? 'horizon_reached' : 'accumulating';
}

function ratioEvidence({ logTotal, logLimit }: Standing, { kind, endpoint, edgeUs, weight, logE, guard }: HarmGuard): GuardEvidence {
  return {
    kind: 'guard',
    guard: kind,
    endpoint,
    canary: guard.canary,
    baseline: guard.baseline,
    limitRatio: guard.rules.limitRatio,
    edgeUs,
    level: guard.level,
    logE,
    logNeeded: logLimit - Math.log(weight),
    weight,
    share: weight * Math.exp(logE - logTotal),
  };
}

function silenceJudgement(standing: Standing): Judgement {
  const { isOver, logTotal } = standing;
  const { silence } = standing.guards;
  const undecided = isOver ? 'horizon_reached' : 'accumulating';
  return {
    check: checkName('silence', ALL_ENDPOINTS),
    outcome: isSilenceHarm(standing) ? 'fail' : 'inconclusive',
    reason: silence.isProven ? 'silence_proven' : undecided,
    evidence: {
      kind: 'guard',
      guard: 'silence',
      endpoint: ALL_ENDPOINTS,
      canary: silence.canary,
      baseline: silence.baseline,
      limitRatio: silence.leastShare,
      edgeUs: null,
      level: 'request',
      logE: silence.logE,
      logNeeded: silence.logProof,
      weight: GUARD_MONEY,
      share: GUARD_MONEY * Math.exp(silence.logE - logTotal),
    },
  };
}
