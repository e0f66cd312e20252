/** Signals for people: a table of all, or all about one. */
import type { signalList } from '../api/schemas.ts';
import { momentText } from '../model/number-text.ts';
import { visible } from '../model/safe-text.ts';
import { type Cell, type Column, renderTable, type TableOptions } from './table.ts';
import type { Tone } from './terminal-text.ts';

export type SignalEntry = ReturnType<typeof signalList.parse>['signals'][number];

const COLUMNS: readonly Column[] = [
  { header: 'SIGNAL' },
  { header: 'SERVICE', shrinks: true },
  { header: 'ACTION' },
  { header: 'SINK', shrinks: true },
  { header: 'STATE' },
  { header: 'ATTEMPTS', align: 'right' },
  { header: 'DECIDED' },
  { header: 'ERROR', shrinks: true, minWidth: 16 },
];

const TONES: Readonly<Record<SignalEntry['state'], Tone>> = {
  pending: 'warning',
  sent: 'warning',
  acknowledged: 'plain',
  confirmed: 'good',
  superseded: 'dim',
  expired: 'bad',
  escalated: 'bad',
  dry_run: 'dim',
};

/** Nothing came of it, so a person has to act in its place. */
export function needsPerson({ state }: Pick<SignalEntry, 'state'>): boolean {
  return state === 'expired' || state === 'escalated';
}

export function signalTable(signals: readonly SignalEntry[], options: TableOptions): string {
  return signals.length === 0 ? 'No such signal.' : renderTable(COLUMNS, signals.map(rowOf), options);
}

function rowOf({ id, service, action, sink, state, attempts, decidedAt, lastError }: SignalEntry): Cell[] {
  const shown = { text: stateText(state), tone: TONES[state] };
  return [id, service, action.replaceAll('_', ' '), sink, shown, String(attempts), momentText(decidedAt), lastError ?? ''];
}

/** One signal: what it asks and why, then a line for each sink. */
export function signalPage(signals: readonly SignalEntry[], options: TableOptions): string {
  const [signal] = signals;
  if (signal === undefined) return 'No such signal.';
  const { id, rolloutId, generation, service, action, summary, target, link, decidedAt, notAfter } = signal;
  const object = target === null ? [] : [`of ${target.kind} ${target.namespace}/${target.name}, fence ${target.fence}`];
  const told = signals.filter((one) => one.escalatedAt !== null);
  return [
    `${id}: ${action.replaceAll('_', ' ')} ${service}, rollout ${rolloutId}#${generation}`,
    summary,
    ...object,
    `decided ${momentText(decidedAt)}, not to be acted upon after ${momentText(notAfter)}`,
    ...(link === null ? [] : [link]),
    ...told.map(({ sink, escalatedAt }) => `people were told of ${sink} at ${momentText(escalatedAt ?? 0)}`),
  ]
    .map(visible)
    .concat('', signalTable(signals, options))
    .join('\n');
}

function stateText(state: SignalEntry['state']): string {
  return state.replaceAll('_', ' ');
}
