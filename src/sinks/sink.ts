/** Where signals go out: one small interface for every way to reach a deploy system. */
import type { Signal, SignalAction, TargetKind } from '../model/rollout.ts';
import type { EpochMs } from '../model/time.ts';

/** A signal as it goes over the wire. What a sink sends is made of this alone, so that all attempts send the same bytes. */
export interface SinkMessage {
  /** The signal's id: what the other side recognises a repetition by. */
  readonly id: string;
  /** The usual payload as the exact bytes to send (UTF-8). */
  readonly body: string;
  readonly signal: Signal;
  /** Wall clock of the decision. */
  readonly decidedAt: EpochMs;
}

export interface Attempt {
  /** Fires when the program stops. */
  readonly abort: AbortSignal;
  /**
   * Asked again by a sink right before the first byte that has an effect leaves: connecting may have taken long, and the process may have been stopped
   * meanwhile. When false the sink sends nothing and throws RetryableError `stale`.
   */
  mayStillAct(): boolean;
}

/** `acknowledged`: the other side has taken it. `confirmed`: its effect was seen at once. `dry_run`: all was done but the effect itself. */
export type Receipt = 'acknowledged' | 'confirmed' | 'dry_run';

/** What reading back showed. `superseded`: the object has moved on to something newer, so nothing will come of it any more. */
export interface ReadBack {
  readonly state: 'confirmed' | 'not_yet' | 'superseded';
  /** What serves now, as the deploy system names it (an image, a pod-template-hash, a revision); absent when unknown. */
  readonly rolledBackTo?: string;
  /** What was seen, for people. */
  readonly detail: string;
}

export interface Sink {
  readonly name: string;
  /** What it can do something with; signals of other actions are not journalled for it. */
  readonly actions: ReadonlySet<SignalAction>;
  /** What it can act upon: signals about others are for other sinks; absent: it needs no object. */
  readonly kinds?: ReadonlySet<TargetKind>;
  /** The other side says itself, later, what became of a signal that it took; absent: false. */
  readonly awaitsOutcome?: boolean;
  /**
   * Resolves when the other side has taken the message. Throws RetryableError when trying soon may help, and PermanentError with a
   * `SinkRefusal` as its code otherwise. Settles soon after `abort` fires, and by itself within a bounded time.
   */
  deliver(message: SinkMessage, attempt: Attempt): Promise<Receipt>;
  /** Looks whether the deploy system has done what it was asked; absent where nothing can be read back. Errors as for `deliver`. */
  readBack?(message: SinkMessage, abort: AbortSignal): Promise<ReadBack>;
}

/**
 * Why trying again soon is no use. `superseded`: the other side has moved on to a newer generation, which settles the delivery. `refused`: it
 * understood and will not take it. `misdirected`: the address or the credentials are wrong, a human must look. `declined`: acting would do harm or be
 * undone (paused, owned by GitOps): it is not tried again, and a human must act.
 */
export type SinkRefusal = 'superseded' | 'refused' | 'misdirected' | 'declined';

/** What every sink that tells others, rather than acts by itself, takes. */
export const ALL_RUN_ACTIONS: ReadonlySet<SignalAction> = new Set(['rollback', 'promote', 'hold']);
