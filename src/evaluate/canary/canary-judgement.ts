/** What a comparison says when it is asked, and what is saved of it. */
import type { Judgement, Outcome, Reason, TrailPoint } from '../../model/judgement.ts';
import type { Outlook } from '../../model/outlook.ts';
import type { DurationMs } from '../../model/time.ts';
import type { EndpointState } from './endpoint-comparison.ts';
import type { GuardsState } from './guards.ts';
import { judgements, unprovenChecks } from './judgements.ts';
import type { MutedState } from './muted.ts';
import type { Overflow } from './overflow.ts';
import type { PodPresenceState } from './pod-presence.ts';
import type { PoolState } from './pool.ts';
import type { PortfolioState } from './portfolio.ts';
import type { RunHistoryState } from './run-history.ts';
import { runOutlook } from './run-outlook.ts';
import type { RunTimeState } from './run-time.ts';
import type { DecisiveCheck, Standing } from './standing.ts';

export interface CanaryJudgement {
  readonly outcome: Outcome;
  readonly reason: Reason;
  /** ln of the portfolio's wealth, and the limit ln(1/alpha) at which it proves harm. */
  readonly logWealth: number;
  readonly logLimit: number;
  /** The check with the largest share of the wealth; null before any has bet. */
  readonly decidedBy: string | null;
  /** One per endpoint and metric, made when first read: read it before the comparison is fed on. */
  readonly judgements: readonly Judgement[];
  /** Requests since the run began. */
  readonly canaryRequests: number;
  readonly baselineRequests: number;
  /** Event time since the run began. */
  readonly elapsedMs: DurationMs;
  /** Checks whose health is not proven. */
  readonly unproven: readonly string[];
  /** Everything the policy calls critical is proven healthy; true where it calls nothing so. */
  readonly isCriticalProven: boolean;
  /** ln of the wealth over time, oldest first, at most 128 points; made when first read. */
  readonly trail: readonly TrailPoint[];
  /** What can still be found, and how soon, while nothing is proven; else empty. The least certain first, at most 100; made when first read. */
  readonly outlook: readonly Outlook[];
  /** The baseline itself fails more than the canary may: whatever the cause is, it is not this release alone. */
  readonly isSharedFailure: boolean;
}

/** What is told in detail is worked out when it is first read. */
export function withDetails(
  spoken: Omit<CanaryJudgement, 'judgements' | 'unproven' | 'trail' | 'outlook'>,
  standing: Standing,
): CanaryJudgement {
  let listed: readonly Judgement[] | undefined;
  let unproven: readonly string[] | undefined;
  let trail: readonly TrailPoint[] | undefined;
  let outlook: readonly Outlook[] | undefined;
  return {
    ...spoken,
    get judgements() {
      listed ??= judgements(standing);
      return listed;
    },
    get unproven() {
      unproven ??= unprovenChecks(standing);
      return unproven;
    },
    get trail() {
      trail ??= standing.history.runTrail(standing.time.nextSlot, spoken.logWealth);
      return trail;
    },
    get outlook() {
      outlook ??= spoken.outcome === 'inconclusive' ? runOutlook(standing) : [];
      return outlook;
    },
  };
}

export interface CanaryComparisonState {
  readonly version: 2;
  /** Number of buckets of the layout. */
  readonly buckets: number;
  readonly time: RunTimeState;
  /** The check that proved harm. */
  readonly proven: DecisiveCheck | null;
  readonly guards: GuardsState;
  readonly presence: PodPresenceState;
  readonly overflow: Overflow;
  readonly muted: MutedState;
  readonly portfolio: PortfolioState;
  readonly pool: PoolState;
  readonly endpoints: readonly EndpointState[];
  readonly history: RunHistoryState;
  /** Endpoints that cannot be judged at their traffic. */
  readonly hopeless: readonly string[];
}
