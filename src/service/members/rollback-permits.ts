/** One breaker over all members: a rollback leaves once its place in the control topic is known, and is not beyond what is allowed. */
import {
  EMPTY_GUARD,
  type GuardState,
  guardAfterHarm,
  guardAfterReset,
  guardAfterRollback,
  guardObjection,
  rollbacksLastHour,
} from '../../decide/guard.ts';
import type { Reason } from '../../model/judgement.ts';
import type { CommonCausePolicy } from '../../model/policy.ts';
import type { Signal } from '../../model/rollout.ts';
import type { DurationMs, EpochMs } from '../../model/time.ts';
import type { Telemetry } from '../../telemetry/telemetry.ts';
import { type ControlFact, type ControlRecord, keyOf } from './control-record.ts';

/** What could not be written is tried again after this long; what was held, once it would be let through, likewise. */
const AGAIN_MS: DurationMs = 2_000;
/** Whoever waits for a permit is told to look again after this long. */
const ASKED_MS: DurationMs = 3_000;
/** Facts that no limit can see any more are taken away. */
const KEPT_MS: DurationMs = 24 * 3_600_000;
const FORGET_EVERY_MS: DurationMs = 3_600_000;
const MAX_FORGOTTEN = 100;

export interface PermitParts {
  readonly log: { append(fact: ControlFact): Promise<number>; forget(keys: readonly string[]): Promise<void> };
  readonly member: string;
  readonly telemetry: Telemetry;
  /** As the policies have them now; the same on all members. */
  limits(): { readonly maxRollbacksPerHour: number; readonly commonCause: CommonCausePolicy };
  /** The wall clock. */
  now(): EpochMs;
  monotonicMs(): DurationMs;
}

/** `wait`: not known yet, ask again soon. `held`: the breaker is open over all members, or many services turned bad at once. */
export type Permit = 'yes' | 'wait' | 'held';

export type PermitSignal = Pick<Signal, 'id' | 'service' | 'action' | 'evidenceAt'>;

interface Place {
  readonly at: EpochMs;
  /** Why it may not leave; null: it may, and that stays so. */
  readonly objection: Reason | null;
}

/**
 * Every member reads the same facts in the same order and comes to the same answer: of rollbacks within an hour only so many are let through as the
 * policies allow one member, the first in the topic first. One that was held is written anew, at the end, once it would be let through: after an hour,
 * or when somebody has reset the breaker.
 */
export class RollbackPermits {
  readonly #parts: PermitParts;
  #guard: GuardState = EMPTY_GUARD;
  readonly #places = new Map<string, Place>();
  /** Keys of facts that are old in the end, by their time. */
  readonly #facts = new Map<string, EpochMs>();
  /** Signals that are being written, or were in vain until then. */
  readonly #tries = new Map<string, { isWriting: boolean; notBefore: DurationMs }>();
  #waiting: (() => void)[] = [];
  #forgetAt: DurationMs;

  constructor(parts: PermitParts) {
    this.#parts = parts;
    this.#forgetAt = parts.monotonicMs() + FORGET_EVERY_MS;
  }

  /** To be given every record of the control topic, in its order. */
  take(record: ControlRecord): void {
    switch (record.kind) {
      case 'rollback':
        this.#takeRollback(record);
        break;
      case 'harm':
        this.#facts.set(keyOf(record), record.at);
        this.#guard = guardAfterHarm(this.#guard, record.service, record.at, this.#parts.limits().commonCause);
        break;
      case 'reset':
        this.#guard = guardAfterReset(this.#guard);
        break;
      case 'cleared':
        // What was let through has left, and counts on; what was held asks again.
        this.#facts.clear();
        for (const [id, { objection }] of this.#places) if (objection !== null) this.#places.delete(id);
        break;
      case 'owner':
        return;
      default:
        record satisfies never;
    }
    for (const look of this.#waiting.splice(0)) look();
  }

  /** Asks for a place in the topic when there is none yet, or for another one once that would do. Signals that roll nothing back always may leave. */
  mayLeave(signal: PermitSignal): Permit {
    if (signal.action !== 'rollback') return 'yes';
    this.#forgetOld();
    const place = this.#places.get(signal.id);
    if (place === undefined) this.#write(signal);
    else if (place.objection !== null && this.#objection(signal.service, this.#parts.now(), signal.evidenceAt) === null)
      this.#write(signal);
    if (place === undefined) return 'wait';
    return place.objection === null ? 'yes' : 'held';
  }

  /** The same, as soon as it is known; `wait` when that takes longer than a few seconds. */
  async asked(signal: PermitSignal): Promise<Permit> {
    const until = this.#parts.monotonicMs() + ASKED_MS;
    for (;;) {
      const permit = this.mayLeave(signal);
      const leftMs = until - this.#parts.monotonicMs();
      if (permit !== 'wait' || leftMs <= 0) return permit;
      const { promise, resolve } = Promise.withResolvers<void>();
      const timer = setTimeout(resolve, leftMs);
      this.#waiting.push(resolve);
      await promise;
      clearTimeout(timer);
      this.#waiting = this.#waiting.filter((other) => other !== resolve);
    }
  }

  /** Harm of a canary was proven here at `at`, event time, and leads to no rollback of ours. Never throws. */
  async harmProven(rolloutId: string, service: string, at: EpochMs = this.#parts.now()): Promise<void> {
    try {
      await this.#parts.log.append({ kind: 'harm', rolloutId, service, at });
    } catch (error) {
      this.#parts.telemetry.log.warn({ rollout: rolloutId, service, error: String(error) }, 'other members do not know of a proven harm');
    }
  }

  /** Somebody has looked: rollbacks of the past count no more, and a common cause is over. RetryableError when it could not be written. */
  async reset(by: string): Promise<void> {
    await this.#parts.log.append({ kind: 'reset', by, at: this.#parts.now() });
  }

  /** Rollbacks that count now, over all members. */
  rollbacksLastHour(): number {
    return rollbacksLastHour(this.#guard, this.#parts.now());
  }

  #takeRollback(record: Extract<ControlRecord, { kind: 'rollback' }>): void {
    const { signalId, service, at, provenAt, member } = record;
    this.#facts.set(keyOf(record), at);
    // One that was let through may have left already: it keeps its place.
    if (this.#places.get(signalId)?.objection === null) return;
    const objection = this.#objection(service, at, provenAt);
    this.#places.set(signalId, { at, objection });
    this.#guard = guardAfterHarm(this.#guard, service, provenAt, this.#parts.limits().commonCause);
    if (objection === null) this.#guard = guardAfterRollback(this.#guard, service, at);
    if (member !== this.#parts.member) return;
    const { telemetry } = this.#parts;
    telemetry.add('rollback_permits_total', 1, { result: objection === null ? 'given' : 'held' });
    if (objection !== null) telemetry.log.warn({ signal: signalId, service, objection }, 'a rollback is held by what other members know');
  }

  /** Cool-downs are left out: services are with one member each, which knows them. */
  #objection(service: string, at: EpochMs, provenAt: EpochMs): Reason | null {
    return guardObjection(this.#guard, service, at, { ...this.#parts.limits(), coolDownMs: 0 }, provenAt);
  }

  #write({ id, service, evidenceAt }: PermitSignal): void {
    const { log, member, now, monotonicMs, telemetry } = this.#parts;
    const known = this.#tries.get(id);
    if (known !== undefined && (known.isWriting || monotonicMs() < known.notBefore)) return;
    const notBefore = monotonicMs() + AGAIN_MS;
    this.#tries.set(id, { isWriting: true, notBefore });
    log
      .append({ kind: 'rollback', signalId: id, service, member, at: now(), provenAt: evidenceAt })
      .catch((error) => {
        telemetry.add('rollback_permits_total', 1, { result: 'failed' });
        telemetry.log.warn({ signal: id, service, error: String(error) }, 'a rollback waits: the control topic does not take it');
      })
      .finally(() => {
        this.#tries.set(id, { isWriting: false, notBefore });
        for (const look of this.#waiting.splice(0)) look();
      });
  }

  #forgetOld(): void {
    const { log, now, monotonicMs } = this.#parts;
    if (monotonicMs() < this.#forgetAt) return;
    this.#forgetAt = monotonicMs() + FORGET_EVERY_MS;
    const before = now() - KEPT_MS;
    for (const [id, { at }] of this.#places) {
      if (at >= before) continue;
      this.#places.delete(id);
      this.#tries.delete(id);
    }
    const old = [...this.#facts].filter(([, at]) => at < before).slice(0, MAX_FORGOTTEN);
    for (const [key] of old) this.#facts.delete(key);
    void log.forget(old.map(([key]) => key));
  }
}
