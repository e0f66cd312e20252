/** What operators forbid for a while, and where the guard of rollbacks stands. */
import type { DurationMs, EpochMs } from './time.ts';

/** What may still leave: nothing, or holds and promotions but no rollback. */
export const OVERRIDE_MODES = ['observe', 'hold'] as const;
export type OverrideMode = (typeof OVERRIDE_MODES)[number];

/** What it is about: one service, one rollout, or everything when both are null. */
export interface OverrideScope {
  readonly service: string | null;
  readonly rollout: string | null;
}

/** No more than `mode` leaves, whatever the policies say. */
export interface ControlOverride extends OverrideScope {
  readonly mode: OverrideMode;
  readonly by: string;
  readonly reason: string;
  readonly at: EpochMs;
  /** Null: until somebody ends it. */
  readonly until: EpochMs | null;
}

/** An override as the audit trail keeps it, whether in force or long over. */
export interface ControlOverrideRecord extends ControlOverride {
  /** When it was ended before its time, by another override of the same or on request; null: it was not. */
  readonly endedAt: EpochMs | null;
  readonly endedBy: string | null;
}

/** Somebody looked and let rollbacks leave again. */
export interface BreakerReset {
  readonly by: string;
  readonly reason: string;
  readonly at: EpochMs;
}

/** Why rollbacks are held now, other than by operators. */
export interface BreakerView {
  /** Those that count, and how many may be. */
  readonly rollbacksLastHour: number;
  readonly maxRollbacksPerHour: number;
  readonly isOpen: boolean;
  /** Services that cool down, the one that ends first first. */
  readonly coolDowns: readonly { readonly service: string; readonly since: EpochMs; readonly until: EpochMs }[];
  /** Null: none now. */
  readonly commonCause: { readonly since: EpochMs; readonly until: EpochMs } | null;
  /** As configured. */
  readonly commonCausePolicy: { readonly services: number; readonly withinMs: DurationMs };
  /** Newest first, at most 50. */
  readonly resets: readonly BreakerReset[];
}
