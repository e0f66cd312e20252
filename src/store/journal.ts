/** The record of every signal's way to every sink: written before a signal is sent, and after each attempt. */
import type { DeliveryState, Signal } from '../model/rollout.ts';
import type { EpochMs } from '../model/time.ts';

/** One signal on its way to one sink. */
export interface JournalEntry {
  readonly signal: Signal;
  /** Wall clock of the decision. */
  readonly decidedAt: EpochMs;
  readonly sink: string;
  /** `sent` from the first attempt on until it is final: the sink may have acted on it. */
  readonly state: DeliveryState;
  /** Attempts begun, over all restarts. */
  readonly attempts: number;
  readonly lastError: string | null;
  /** Wall clock of the last change. */
  readonly updatedAt: EpochMs;
}

/** What became of one delivery. */
export interface DeliveryChange {
  readonly state: DeliveryState;
  readonly attempts: number;
  readonly lastError: string | null;
  readonly at: EpochMs;
}

export interface SignalJournal {
  /** One per (signal, sink) that is not in a final state, oldest decision first. */
  pending(): readonly JournalEntry[];
  /**
   * Durable when it returns. A delivery in a final state keeps it. Throws PermanentError for a delivery that was never journalled and
   * RetryableError when the disk refuses.
   */
  mark(signalId: string, sink: string, change: DeliveryChange): void;
  /** Newest decision first. */
  entries(limit: number): readonly JournalEntry[];
}

/** True once nothing more will be sent. */
export function isFinal(state: DeliveryState): boolean {
  return state !== 'pending' && state !== 'sent';
}

/** The entries a new signal starts with, one per sink. */
export function openEntries(signal: Signal, decidedAt: EpochMs): readonly JournalEntry[] {
  return [...new Set(signal.sinks)].map((sink) => ({
    signal,
    decidedAt,
    sink,
    state: 'pending',
    attempts: 0,
    lastError: null,
    updatedAt: decidedAt,
  }));
}
