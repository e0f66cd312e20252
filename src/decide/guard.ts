/** The second key of a rollback: whatever the evidence, not too often and not too many at once. */
import type { Reason } from '../model/judgement.ts';
import type { DurationMs, EpochMs } from '../model/time.ts';

const HOUR_MS = 3_600_000;

/** The longest cool-down a policy may ask for. */
const LONGEST_COOL_DOWN_MS = 7 * 24 * HOUR_MS;

/** Rollbacks of the last hour, and the last one of each service within the longest cool-down, oldest first. Plain data: saved with every checkpoint, so a crash loop cannot reset it. */
export interface GuardState {
  readonly rollbacks: readonly { readonly service: string; readonly at: EpochMs }[];
}

export const EMPTY_GUARD: GuardState = { rollbacks: [] };

export interface GuardLimits {
  /** After a rollback of a service, no other of it for this long. */
  readonly coolDownMs: DurationMs;
  /** Across all services; beyond it something shared is wrong and a person must look. */
  readonly maxRollbacksPerHour: number;
}

/** Why a rollback of `service` at `at` must not be sent, or null when it may. */
export function guardObjection(state: GuardState, service: string, at: EpochMs, limits: GuardLimits): Reason | null {
  if (state.rollbacks.some((past) => past.service === service && at - past.at < limits.coolDownMs)) return 'cool_down';
  const lastHour = state.rollbacks.filter((past) => at - past.at < HOUR_MS).length;
  return lastHour >= limits.maxRollbacksPerHour ? 'breaker_open' : null;
}

/** The state after a rollback; forgets what neither limit can see any more, whichever service's policy asks. */
export function guardAfterRollback(state: GuardState, service: string, at: EpochMs): GuardState {
  const kept = state.rollbacks.filter((past) => at - past.at < (past.service === service ? HOUR_MS : LONGEST_COOL_DOWN_MS));
  return { rollbacks: [...kept, { service, at }] };
}
