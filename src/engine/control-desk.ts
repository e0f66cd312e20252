/** What stands between a proven harm and a rollback that leaves: the guard's memory and what operators forbid, kept and restored together. */
import { mayLeave } from '../decide/ceiling.ts';
import {
  EMPTY_GUARD,
  type GuardLimits,
  type GuardState,
  guardAfterHarm,
  guardAfterReset,
  guardAfterRollback,
  guardObjection,
  isOfCommonCause,
  rollbacksLastHour,
} from '../decide/guard.ts';
import type { StoredNote } from '../model/checkpoint.ts';
import type { BreakerReset, BreakerView } from '../model/control-view.ts';
import type { Reason } from '../model/judgement.ts';
import type { Policies } from '../model/policy.ts';
import type { Signal } from '../model/rollout.ts';
import type { EpochMs } from '../model/time.ts';
import { ControlBook } from './control-book.ts';
import type { Rollouts } from './rollouts.ts';

const GUARD_NOTE = 'guard';
const CONTROLS_NOTE = 'controls';

/** `superseded`: a newer rollout has taken the place of the signal's own, or its run has said something else since. */
export type SignalStanding = 'send' | 'superseded' | 'wait';

export class ControlDesk {
  readonly book = new ControlBook();
  #guard: GuardState = EMPTY_GUARD;

  get guard(): GuardState {
    return this.#guard;
  }

  /** Why a rollback of the service at `at` is forbidden, its harm having been proven at `provenAt`; null: it is not. */
  objection(service: string, at: EpochMs, provenAt: EpochMs, limits: GuardLimits): Reason | null {
    return guardObjection(this.#guard, service, at, limits, provenAt);
  }

  /** Harm of a canary of the service was proven, whatever comes of it. */
  harmProven(service: string, at: EpochMs, policies: Pick<Policies, 'commonCause'>): void {
    this.#guard = guardAfterHarm(this.#guard, service, at, policies.commonCause);
  }

  rolledBack(service: string, at: EpochMs): void {
    this.#guard = guardAfterRollback(this.#guard, service, at);
  }

  resetBreaker(reset: BreakerReset): void {
    this.#guard = guardAfterReset(this.#guard);
    this.book.addReset(reset);
  }

  /**
   * Whether a signal that is journalled may leave at `now`, the wall clock. One that must wait leaves once nothing in force forbids it any more, unless
   * it has expired by then.
   */
  standing({ id, service, rolloutId, generation, action }: Signal, rollouts: Pick<Rollouts, 'isCurrent'>, now: EpochMs): SignalStanding {
    if (!rollouts.isCurrent(rolloutId, generation, id)) return 'superseded';
    return mayLeave(action, this.book.modeOf(service, rolloutId, now)) ? 'send' : 'wait';
  }

  /** How the guard stands at `now`, the wall clock. */
  breaker(now: EpochMs, policies: Policies): BreakerView {
    const { maxRollbacksPerHour, commonCause: commonCausePolicy, services, fallback } = policies;
    const lastHour = rollbacksLastHour(this.#guard, now);
    const last = new Map(this.#guard.rollbacks.map(({ service, at }) => [service, at]));
    const coolDowns = [...last]
      .map(([service, since]) => ({ service, since, until: since + (services.get(service)?.canary ?? fallback.canary).coolDownMs }))
      .filter(({ until }) => now < until)
      .sort((a, b) => a.until - b.until);
    const { commonCause } = this.#guard;
    const goesOn = commonCause !== null && isOfCommonCause(this.#guard, now, commonCausePolicy);
    return {
      rollbacksLastHour: lastHour,
      maxRollbacksPerHour,
      isOpen: lastHour >= maxRollbacksPerHour,
      coolDowns,
      commonCause: goesOn ? { since: commonCause.since, until: commonCause.at + commonCausePolicy.withinMs } : null,
      commonCausePolicy,
      resets: this.book.resets(),
    };
  }

  /** What a rollback changed: breaker, cool-downs and common causes. */
  guardNote(): StoredNote {
    return { key: GUARD_NOTE, json: JSON.stringify(this.#guard) };
  }

  /** What a checkpoint saves. */
  snapshot(): readonly StoredNote[] {
    const book = this.book.takeUnsaved();
    return [this.guardNote(), ...(book === null ? [] : [{ key: CONTROLS_NOTE, json: book }])];
  }

  /** A program that knew of no common cause saved none. */
  restore(notes: readonly StoredNote[]): void {
    const guard = notes.find((note) => note.key === GUARD_NOTE);
    if (guard !== undefined) this.#guard = { ...EMPTY_GUARD, ...(JSON.parse(guard.json) as Partial<GuardState>) };
    const book = notes.find((note) => note.key === CONTROLS_NOTE);
    if (book !== undefined) this.book.restore(book.json);
  }
}
