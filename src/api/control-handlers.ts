/** What the routes of operators ask of the running service. */
import type { BreakerView, ControlOverrideRecord, OverrideMode, OverrideScope } from '../model/control-view.ts';
import type { DurationMs, EpochMs } from '../model/time.ts';
import type { Unavailable } from './unavailable.ts';

type Eventually<T> = T | Promise<T>;

/** Somebody's wish that no more than `mode` leaves for a while. */
export interface HoldWish extends OverrideScope {
  readonly mode: OverrideMode;
  readonly by: string;
  readonly reason: string;
  /** Null: until it is ended. */
  readonly forMs: DurationMs | null;
}

/** An override as the audit trail is shown. */
export interface HoldEntry extends ControlOverrideRecord {
  readonly isInForce: boolean;
}

export interface HoldList {
  readonly now: EpochMs;
  /** Since when the kill switch file is there; null: it is not. */
  readonly killSwitchSince: EpochMs | null;
  /** Newest first. */
  readonly overrides: readonly HoldEntry[];
}

export interface BreakerReport extends BreakerView {
  readonly now: EpochMs;
}

export interface ControlHandlers {
  /** In force from now on; ends the one of the same scope that is in force. */
  holdBack(wish: HoldWish): Eventually<{ readonly outcome: 'in_force'; readonly override: HoldEntry } | Unavailable>;
  endHold(
    scope: OverrideScope,
    by: string,
  ): Eventually<{ readonly outcome: 'ended'; readonly override: HoldEntry } | { readonly outcome: 'none' } | Unavailable>;
  holds(): Eventually<HoldList>;
  breaker(): Eventually<BreakerReport>;
  /** Rollbacks of the past count no more for the breaker, and a common cause is over. */
  resetBreaker(by: string, reason: string): Eventually<{ readonly outcome: 'reset'; readonly breaker: BreakerReport } | Unavailable>;
}
