/** Answers the API's questions about signals from the journal, and takes what deploy systems say became of them. */
import type { ApiHandlers, SignalView } from '../api/handlers.ts';
import type { Delivery } from '../sinks/delivery.ts';
import type { JournalEntry, SignalJournal } from '../store/journal.ts';
import { NOT_DURABLE } from './not-durable.ts';

export interface SignalHandlerParts {
  readonly store: { readonly journal: SignalJournal };
  readonly delivery: Pick<Delivery, 'report'>;
}

export function signalHandlers({ store, delivery }: SignalHandlerParts): Pick<ApiHandlers, 'signals' | 'signal' | 'reportOutcome'> {
  return {
    signals: (limit) => store.journal.entries(limit).map(signalView),
    signal: (id) => store.journal.of(id).map(signalView),
    reportOutcome(said) {
      const reported = delivery.report(said);
      switch (reported.kind) {
        case 'over':
          return { outcome: 'over', state: reported.state };
        case 'not_journalled':
          return NOT_DURABLE;
        case 'kept':
        case 'unknown':
        case 'not_awaited':
          return { outcome: reported.kind };
        default:
          return reported satisfies never;
      }
    },
  };
}

function signalView(entry: JournalEntry): SignalView {
  const { id, rolloutId, generation, service, action, reason, summary, target, link, notAfter } = entry.signal;
  const { sink, state, isOpen, attempts, lastError, escalatedAt, decidedAt } = entry;
  const of = { id, rolloutId, generation, service, action, reason, summary, target, link, notAfter };
  return { ...of, sink, state, isOpen, attempts, lastError, escalatedAt, decidedAt };
}
