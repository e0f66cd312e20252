/** The record of every signal's way to every sink: written before a signal is sent, and after each attempt. */
import type { DeliveryState, Signal } from '../model/rollout.ts';
import type { EpochMs } from '../model/time.ts';

/** A signal and the wall clock of its decision. */
export interface DecidedSignal {
  readonly signal: Signal;
  readonly decidedAt: EpochMs;
}

/** One signal on its way to one sink. */
export interface JournalEntry extends DecidedSignal {
  readonly sink: string;
  readonly state: DeliveryState;
  /** Something remains to be done: it is to be delivered, its effect is to be read back, or people are to be told of it, be it of its end. */
  readonly isOpen: boolean;
  /** Attempts begun, over all restarts. */
  readonly attempts: number;
  readonly lastError: string | null;
  /** Wall clock at which people were last told that it needs them; null: never. */
  readonly escalatedAt: EpochMs | null;
  /** Wall clock of the last attempt or change of state; telling people changes neither. */
  readonly updatedAt: EpochMs;
}

/** What became of one delivery. */
export interface DeliveryChange {
  readonly state: DeliveryState;
  readonly isOpen: boolean;
  readonly attempts: number;
  readonly lastError: string | null;
  readonly escalatedAt: EpochMs | null;
  readonly at: EpochMs;
}

export interface SignalJournal {
  /** One per (signal, sink) that is open, oldest decision first. */
  pending(): readonly JournalEntry[];
  /**
   * Takes up signals outside a checkpoint, one open delivery per sink, all of them or none; durable when `durable` says so. A signal whose id is known changes
   * nothing. Returns the ids that were new, in order. Throws RetryableError when the disk refuses.
   */
  append(signals: readonly DecidedSignal[]): readonly string[];
  /**
   * Durable when `durable` says so; `sent` may be lost with the machine, and then the signal is sent once more with the same id and bytes. A delivery that is not open stays as it is. Throws PermanentError for a delivery that was never journalled and
   * RetryableError when the disk refuses.
   */
  mark(signalId: string, sink: string, change: DeliveryChange): void;
  /** All deliveries of one signal, by sink, descending; empty when it is not known. */
  of(signalId: string): readonly JournalEntry[];
  /** Newest decision first. */
  entries(limit: number): readonly JournalEntry[];
  /** As `Store.durable`, of which this is a part: what must not take effect before it is kept waits for this. */
  durable(): Promise<void> | null;
}

/** The entries a new signal starts with, one per sink. */
export function openEntries(signal: Signal, decidedAt: EpochMs): readonly JournalEntry[] {
  return [...new Set(signal.sinks)].map((sink) => ({
    signal,
    decidedAt,
    sink,
    state: 'pending',
    isOpen: true,
    attempts: 0,
    lastError: null,
    escalatedAt: null,
    updatedAt: decidedAt,
  }));
}
