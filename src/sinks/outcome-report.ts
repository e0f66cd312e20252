/** What a deploy system says became of a signal that it took, for sinks that wait to be told. */
import type { DeliveryState, SignalAction } from '../model/rollout.ts';
import { visible } from '../model/safe-text.ts';
import type { JournalEntry, SignalJournal } from '../store/journal.ts';
import { isReported } from './confirmation.ts';
import type { Turn } from './held-delivery.ts';
import type { Sink } from './sink.ts';

export interface OutcomeReport {
  readonly signalId: string;
  /** Null: every sink that waits to be told. */
  readonly sink: string | null;
  readonly outcome: 'done' | 'not_done';
  readonly by: string;
  /** May be empty. */
  readonly detail: string;
}

export type Reported =
  | { readonly kind: 'kept' | 'unknown' | 'not_awaited' | 'not_journalled' }
  /** It ended otherwise. */
  | { readonly kind: 'over'; readonly state: DeliveryState };

const MAX_CHARS = 500;

/** In the others something may remain to be told to people, and nothing to be reported. */
const OPEN_STATES: ReadonlySet<DeliveryState> = new Set(['pending', 'sent', 'acknowledged']);

/** The open deliveries that a report is about; none when it was said before. */
export function meantBy(
  report: OutcomeReport,
  { journal, sinks }: { readonly journal: SignalJournal; readonly sinks: ReadonlyMap<string, Sink> },
): readonly JournalEntry[] | Reported {
  const entries = journal.of(report.signalId).filter((entry) => report.sink === null || entry.sink === report.sink);
  if (entries.length === 0) return { kind: 'unknown' };
  const awaited = entries.filter(({ sink, signal }) => isReported(sinks.get(sink), signal.action satisfies SignalAction));
  if (awaited.length === 0) return { kind: 'not_awaited' };
  const state = stateAfter(report);
  const open = awaited.filter((entry) => entry.isOpen && OPEN_STATES.has(entry.state));
  const other = awaited.find((entry) => !open.includes(entry) && entry.state !== state);
  return open.length === 0 && other !== undefined ? { kind: 'over', state: other.state } : open;
}

export function turnOf(report: OutcomeReport): Turn {
  return report.outcome === 'done'
    ? { state: 'confirmed', isOpen: false, seen: { state: 'confirmed', detail: reportText(report) } }
    : { state: 'escalated', isOpen: true };
}

/** `ana: revision 6 serves`, safe to show. */
export function reportText({ by, detail }: OutcomeReport): string {
  return visible(detail === '' ? by : `${by}: ${detail}`).slice(0, MAX_CHARS);
}

function stateAfter({ outcome }: OutcomeReport): DeliveryState {
  return outcome === 'done' ? 'confirmed' : 'escalated';
}
