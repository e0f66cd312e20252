/** The journal of signals for as long as the process lives. */
import { PermanentError } from '../model/errors.ts';
import type { EpochMs } from '../model/time.ts';
import { type DecidedSignal, type DeliveryChange, type JournalEntry, openEntries, type SignalJournal } from './journal.ts';

interface SignalRecord {
  readonly decidedAt: EpochMs;
  /** By sink. */
  readonly deliveries: Map<string, JournalEntry>;
}

export class MemoryJournal implements SignalJournal {
  readonly #kept: number;
  readonly #signals = new Map<string, SignalRecord>();

  /** `kept`: signals without open deliveries beyond the newest so many are forgotten. */
  constructor(kept: number) {
    this.#kept = kept;
  }

  pending(): readonly JournalEntry[] {
    return this.#all()
      .filter((entry) => entry.isOpen)
      .reverse();
  }

  append(signals: readonly DecidedSignal[]): readonly string[] {
    const fresh: string[] = [];
    for (const { signal, decidedAt } of signals) {
      if (this.#signals.has(signal.id)) continue;
      this.#signals.set(signal.id, { decidedAt, deliveries: new Map(openEntries(signal, decidedAt).map((entry) => [entry.sink, entry])) });
      fresh.push(signal.id);
    }
    if (fresh.length > 0) this.#forget();
    return fresh;
  }

  mark(signalId: string, sink: string, change: DeliveryChange): void {
    const deliveries = this.#signals.get(signalId)?.deliveries;
    const entry = deliveries?.get(sink);
    if (deliveries === undefined || entry === undefined) {
      throw new PermanentError('unknown_delivery', `marking signal ${signalId} for ${sink}: it is not in the journal`);
    }
    if (!entry.isOpen) return;
    const { state, isOpen, attempts, lastError, escalatedAt, at } = change;
    deliveries.set(sink, { ...entry, state, isOpen, attempts, lastError, escalatedAt, updatedAt: at });
  }

  of(signalId: string): readonly JournalEntry[] {
    return [...(this.#signals.get(signalId)?.deliveries.values() ?? [])].sort((a, b) => descending(a.sink, b.sink));
  }

  entries(limit: number): readonly JournalEntry[] {
    return this.#all().slice(0, limit);
  }

  durable(): null {
    return null;
  }

  /** Newest decision first; ties by id and sink, descending, as the sibling on disk has it. */
  #all(): JournalEntry[] {
    return [...this.#signals.values()]
      .flatMap((record) => [...record.deliveries.values()])
      .sort((a, b) => b.decidedAt - a.decidedAt || descending(a.signal.id, b.signal.id) || descending(a.sink, b.sink));
  }

  #forget(): void {
    if (this.#signals.size <= this.#kept) return;
    const done = [...this.#signals].filter(([, record]) => [...record.deliveries.values()].every((entry) => !entry.isOpen));
    done.sort(([idA, a], [idB, b]) => b.decidedAt - a.decidedAt || descending(idA, idB));
    for (const [id] of done.slice(this.#kept)) this.#signals.delete(id);
  }
}

function descending(a: string, b: string): number {
  return a === b ? 0 : a < b ? 1 : -1;
}
