/** The second key of a rollback: whatever the evidence, not too often, not too many at once, and not when the cause is shared. */
import type { Reason } from '../model/judgement.ts';
import type { CommonCausePolicy } from '../model/policy.ts';
import type { DurationMs, EpochMs } from '../model/time.ts';

const HOUR_MS = 3_600_000;

/** The longest cool-down a policy may ask for. */
const LONGEST_COOL_DOWN_MS = 7 * 24 * HOUR_MS;

/** As many services as a policy may ask for before it speaks of a common cause: more need not be remembered. */
const MAX_HARMS = 100;

/** A moment of one service, in event time, so that a replay finds what the live run found. */
export interface Occurrence {
  readonly service: string;
  readonly at: EpochMs;
}

export interface PastRollback extends Occurrence {
  /** A person has looked since: it counts for the cool-down of its service, no more for the breaker. */
  readonly isForgiven?: true;
}

/** Plain data: saved with every checkpoint, so a crash loop cannot reset it. */
export interface GuardState {
  /** Of the last hour, and the last one of each service within the longest cool-down, oldest first. */
  readonly rollbacks: readonly PastRollback[];
  /** When canaries were last proven harmful, whatever came of it: at most one of a service, at most 100. */
  readonly harms: readonly Occurrence[];
  /** The last time that several services turned bad at once: the first and the last proof of harm that belong to it. */
  readonly commonCause: { readonly since: EpochMs; readonly at: EpochMs } | null;
}

export const EMPTY_GUARD: GuardState = { rollbacks: [], harms: [], commonCause: null };

export interface GuardLimits {
  /** After a rollback of a service, no other of it for this long. */
  readonly coolDownMs: DurationMs;
  /** Across all services; beyond it something shared is wrong and a person must look. */
  readonly maxRollbacksPerHour: number;
  readonly commonCause: CommonCausePolicy;
}

/**
 * Why a rollback of `service` at `at` must not be sent, or null when it may. `provenAt` is when its harm was proven, which may be long ago when something
 * else kept the rollback back until now.
 */
export function guardObjection(
  state: GuardState,
  service: string,
  at: EpochMs,
  limits: GuardLimits,
  provenAt: EpochMs = at,
): Reason | null {
  if (state.rollbacks.some((past) => past.service === service && at - past.at < limits.coolDownMs)) return 'cool_down';
  if (isOfCommonCause(guardAfterHarm(state, service, provenAt, limits.commonCause), provenAt, limits.commonCause)) return 'common_cause';
  return rollbacksLastHour(state, at) >= limits.maxRollbacksPerHour ? 'breaker_open' : null;
}

/** Rollbacks that the breaker counts at `at`. */
export function rollbacksLastHour(state: GuardState, at: EpochMs): number {
  return state.rollbacks.filter((past) => past.isForgiven !== true && at - past.at < HOUR_MS).length;
}

/** The state after a rollback; forgets what neither limit can see any more, whichever service's policy asks. */
export function guardAfterRollback(state: GuardState, service: string, at: EpochMs): GuardState {
  const kept = state.rollbacks.filter((past) => at - past.at < (past.service === service ? HOUR_MS : LONGEST_COOL_DOWN_MS));
  return { ...state, rollbacks: [...kept, { service, at }] };
}

/**
 * The state after harm of a canary was proven at `at`, whether or not it leads to a rollback. As soon as so many services were proven harmful within the
 * policy's span there is a common cause; it goes on until no harm was proven for that span. What left before it showed has left.
 */
export function guardAfterHarm(state: GuardState, service: string, at: EpochMs, policy: CommonCausePolicy): GuardState {
  const { services, withinMs } = policy;
  if (services === 0) return state;
  const newestAt = state.harms.reduce((newest, harm) => Math.max(newest, harm.at), at);
  const others = state.harms.filter((harm) => harm.service !== service);
  const harms = [...others, { service, at }].filter((harm) => newestAt - harm.at < withinMs).slice(-MAX_HARMS);
  const near = harms.filter((harm) => Math.abs(harm.at - at) < withinMs).map((harm) => harm.at);
  const goesOn = isOfCommonCause(state, at, policy);
  if (near.length < services && !goesOn) return { ...state, harms };
  const all = goesOn && state.commonCause !== null ? [at, state.commonCause.since, state.commonCause.at] : near;
  return { ...state, harms, commonCause: { since: Math.min(...all), at: Math.max(...all) } };
}

/** True when harm proven at `at` belongs to the last common cause. */
export function isOfCommonCause({ commonCause }: GuardState, at: EpochMs, { services, withinMs }: CommonCausePolicy): boolean {
  return services > 0 && commonCause !== null && at > commonCause.since - withinMs && at < commonCause.at + withinMs;
}

/** The state after a person has looked: breaker and common cause begin anew. Services go on cooling down, so that no two releases are rolled back in turns. */
export function guardAfterReset(state: GuardState): GuardState {
  return { rollbacks: state.rollbacks.map((past) => ({ ...past, isForgiven: true })), harms: [], commonCause: null };
}
