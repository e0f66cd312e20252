/** Waits with deliveries until the journal has them for good: what a crash would forget may take no effect. */
import type { JournalEntry, SignalJournal } from '../store/journal.ts';
import type { Telemetry } from '../telemetry/telemetry.ts';
import { failureOf } from './delivery-failure.ts';

export interface DurableEntriesParts {
  readonly journal: SignalJournal;
  readonly telemetry: Telemetry;
  /** Takes entries that are durable. */
  take(entries: readonly JournalEntry[]): void;
}

/** Hands over the deliveries of signals that were just journalled: at once where the journal is durable by itself. */
export function takeSignals(ids: readonly string[], parts: DurableEntriesParts): void {
  if (ids.length > 0) whenDurable(parts, () => parts.take(ids.flatMap((id) => parts.journal.of(id))));
}

/** Hands over all that are open now. Throws when the journal cannot be read. */
export function takePending(parts: DurableEntriesParts): void {
  const { journal, take } = parts;
  const pending = journal.pending();
  if (journal.durable() === null) {
    take(pending);
    return;
  }
  // By then some are over, and others have come that are not durable yet.
  const ids = new Set(pending.map(({ signal }) => signal.id));
  whenDurable(parts, () => take(journal.pending().filter(({ signal }) => ids.has(signal.id))));
}

function whenDurable({ journal, telemetry }: DurableEntriesParts, act: () => void): void {
  const durable = journal.durable();
  if (durable === null) act();
  else {
    durable
      .then(act)
      .catch((error: unknown) => telemetry.log.error({ journal: failureOf(error).text }, 'deliveries are left in the journal'));
  }
}
