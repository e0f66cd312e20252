/** Where signals go out: one small interface for every way to reach a deploy system. */
import type { Signal } from '../model/rollout.ts';

/** A signal as it goes over the wire, the same for all attempts. */
export interface SinkMessage {
  /** The signal's id: what the other side recognises a repetition by. */
  readonly id: string;
  /** The exact bytes to send (UTF-8). */
  readonly body: string;
  readonly signal: Signal;
}

export interface Sink {
  readonly name: string;
  /**
   * Resolves when the other side has taken the message. Throws RetryableError when trying soon may help, and PermanentError with a
   * `SinkRefusal` as its code otherwise. Settles soon after `abort` fires, and by itself within a bounded time.
   */
  deliver(message: SinkMessage, abort: AbortSignal): Promise<void>;
}

/**
 * Why trying again soon is no use. `superseded`: the other side has moved on to a newer generation, which settles the delivery. `refused`: it
 * understood and will not take it. `misdirected`: the address or the credentials are wrong, a human must look.
 */
export type SinkRefusal = 'superseded' | 'refused' | 'misdirected';
