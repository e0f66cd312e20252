/** What a comparison knows of itself when it is asked. */
import type { HistogramLayout } from '../../model/histogram-layout.ts';
import type { Reason } from '../../model/judgement.ts';
import type { CanaryPolicy } from '../../model/policy.ts';
import type { CheckRule } from './check-rule.ts';
import type { EndpointComparison } from './endpoint-comparison.ts';
import type { EndpointSettings } from './endpoint-settings.ts';
import type { Guards } from './guards.ts';
import type { Muted } from './muted.ts';
import type { Overflow } from './overflow.ts';
import type { Pool } from './pool.ts';
import type { RunHistory } from './run-history.ts';
import type { RunTime } from './run-time.ts';

/** A check that decides a run, and why the run then fails. */
export interface DecisiveCheck {
  readonly check: string;
  readonly reason: Reason;
}

export interface Standing {
  readonly endpoints: readonly EndpointComparison[];
  readonly rules: readonly CheckRule[];
  readonly pool: Pool;
  readonly poolShare: number;
  readonly overflow: Overflow;
  readonly muted: Muted;
  readonly settings: EndpointSettings;
  readonly guards: Guards;
  readonly history: RunHistory;
  readonly time: RunTime;
  /** The check that proved harm. */
  readonly proven: DecisiveCheck | null;
  /** Money is split. */
  readonly isOpen: boolean;
  /** Of the endpoints that are judged, since the run began. */
  readonly baselineRequests: number;
  readonly canaryRequests: number;
  readonly policy: CanaryPolicy;
  /** ln of the wealth that proves harm. */
  readonly logWealth: number;
  /** ln of all the wealth there is, of which checks have shares. */
  readonly logTotal: number;
  readonly logLimit: number;
  /** ln(1/beta). */
  readonly logProof: number;
  readonly isTooFew: boolean;
  readonly isWarmup: boolean;
  readonly isOver: boolean;
  readonly layout: HistogramLayout;
}
