/** One delivery as it is held in memory while something remains to be done about it. */
import type { DeliveryState, Signal } from '../model/rollout.ts';
import type { DurationMs, EpochMs } from '../model/time.ts';
import type { JournalEntry } from '../store/journal.ts';
import { messageOf } from './message.ts';
import type { ReadBack, SinkMessage } from './sink.ts';

/** A turn that the journal has yet to take. */
export interface Turn {
  readonly state: Exclude<DeliveryState, 'pending' | 'sent'>;
  /** Something remains to be done after it. */
  readonly isOpen: boolean;
  /** The effect that was seen, which others are told of first. */
  readonly seen?: ReadBack;
}

export interface HeldDelivery {
  readonly key: string;
  readonly sink: string;
  readonly decidedAt: EpochMs;
  readonly message: SinkMessage;
  /** By the clock that never jumps: a jump of the wall clock ends no signal that is not delivered yet. */
  readonly expiresAt: DurationMs;
  state: DeliveryState;
  attempts: number;
  lastError: string | null;
  escalatedAt: EpochMs | null;
  updatedAt: EpochMs;
  /** People were told of it before it was submitted. */
  readonly wasTold: boolean;
  /** Failed attempts in a row since it was submitted, and how many of the last ones found the sink misdirected. */
  failures: number;
  misdirections: number;
  journalFailures: number;
  /** How often its effect was looked for since it was submitted. */
  looks: number;
  /** Another process may have had the effect already: it is looked for before anything is sent. */
  mayBeDone: boolean;
  turn: Turn | null;
  /** Nothing remains to be done; what is still in flight for it changes nothing any more. */
  isOver: boolean;
  cancelWait: (() => void) | null;
  cancelAlarm: (() => void) | null;
}

/** `now` and `monotonicMs` are the two clocks at this moment. */
export function heldDelivery(entry: JournalEntry, now: EpochMs, monotonicMs: DurationMs): HeldDelivery {
  const { signal, sink, decidedAt, state, attempts, lastError, escalatedAt, updatedAt } = entry;
  return {
    key: deliveryKey(signal.id, sink),
    sink,
    decidedAt,
    message: messageOf(signal, decidedAt),
    expiresAt: monotonicMs + signal.notAfter - now,
    state,
    attempts,
    lastError,
    escalatedAt,
    updatedAt,
    wasTold: escalatedAt !== null,
    failures: 0,
    misdirections: 0,
    journalFailures: 0,
    looks: 0,
    mayBeDone: state === 'sent',
    turn: null,
    isOver: false,
    cancelWait: null,
    cancelAlarm: null,
  };
}

export function deliveryKey(signalId: string, sink: string): string {
  return JSON.stringify([signalId, sink]);
}

/** Still to be taken by the other side. */
export function isUndelivered({ state }: HeldDelivery): boolean {
  return state === 'pending' || state === 'sent';
}

/** For log lines. */
export function described(delivery: HeldDelivery) {
  const { id, rolloutId, generation, action, reason } = delivery.message.signal;
  const { sink, attempts, lastError } = delivery;
  return { signal: id, rollout: rolloutId, generation, action, reason, sink, attempts, lastError };
}

/** A bad release is serving. */
export function isUrgent({ action }: Pick<Signal, 'action'>): boolean {
  return action === 'rollback';
}
