/** One breaker over all members: a rollback leaves once its place in the control topic is known, and is not beyond what is allowed. */
import type { CommonCausePolicy } from '../../model/policy.ts';
import type { Signal } from '../../model/rollout.ts';
import type { EpochMs } from '../../model/time.ts';
import type { Telemetry } from '../../telemetry/telemetry.ts';
import type { ControlFact, ControlForgotten, ControlRecord } from './control-record.ts';

export interface PermitParts {
  readonly log: { append(fact: ControlFact): Promise<number>; forget(keys: readonly string[]): Promise<void>; isLive(): boolean };
  readonly member: string;
  readonly telemetry: Telemetry;
  /** As the policies have them now. */
  limits(): { readonly maxRollbacksPerHour: number; readonly commonCause: CommonCausePolicy };
  /** The wall clock. */
  now(): EpochMs;
}

/** `wait`: not known yet, ask again soon. `held`: the breaker is open over all members, or many services turned bad at once. */
export type Permit = 'yes' | 'wait' | 'held';

export class RollbackPermits {
  readonly #parts: PermitParts;

  constructor(parts: PermitParts) {
    this.#parts = parts;
  }

  /** To be given every record of the control topic. */
  take(_record: ControlRecord | ControlForgotten): void {}

  /** Asks for a place in the topic when there is none yet; a place that was not good enough is asked for again once it would be. Other signals than rollbacks always may. */
  mayLeave(signal: Pick<Signal, 'id' | 'service' | 'rolloutId' | 'action'>): Permit {
    return signal.action === 'rollback' && this.#parts.member !== '' ? 'wait' : 'yes';
  }

  /** The same, as soon as it is known; `wait` when that takes longer than a few seconds. */
  async asked(signal: Pick<Signal, 'id' | 'service' | 'rolloutId' | 'action'>): Promise<Permit> {
    return this.mayLeave(signal);
  }

  /** Harm of a canary was proven here. Never throws: what cannot be told now is told again. */
  async harmProven(_rolloutId: string, _service: string): Promise<void> {}

  /** Somebody has looked. Throws RetryableError when it could not be written. */
  async reset(_by: string): Promise<void> {}

  /** Rollbacks that count now, over all members. */
  rollbacksLastHour(): number {
    return 0;
  }
}
