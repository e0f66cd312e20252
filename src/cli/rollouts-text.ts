/** Rollouts as a table, newest first. */
import type { runList } from '../api/schemas.ts';
import { momentText } from '../model/number-text.ts';
import { type Cell, type Column, renderTable, type TableOptions } from './table.ts';
import type { Tone } from './terminal-text.ts';

type RunList = ReturnType<typeof runList.parse>;
type Summary = RunList['rollouts'][number];

const COLUMNS: readonly Column[] = [
  { header: 'ROLLOUT' },
  { header: 'SERVICE', shrinks: true },
  { header: 'STARTED' },
  { header: 'STATE' },
  { header: 'VERDICT' },
  { header: 'CANARY', align: 'right' },
  { header: 'BASELINE', align: 'right' },
  { header: 'WHY', shrinks: true, minWidth: 16 },
];

const TONES: Readonly<Record<Summary['verdict']['decision'], Tone>> = {
  continue: 'plain',
  promote: 'good',
  rollback: 'bad',
  hold: 'warning',
};

/** Without any it says so; with more than are listed, how many. */
export function rolloutTable({ rollouts, total }: RunList, options: TableOptions): string {
  if (rollouts.length === 0) return 'No rollout is known.';
  const table = renderTable(COLUMNS, rollouts.map(rowOf), options);
  return total > rollouts.length ? `${table}\n\nand ${total - rollouts.length} older; --limit shows more` : table;
}

function rowOf(run: Summary): Cell[] {
  return [
    `${run.id}#${run.generation}`,
    run.service,
    momentText(run.startedAt),
    run.state.replaceAll('_', ' '),
    { text: run.verdict.decision, tone: TONES[run.verdict.decision] },
    String(run.canaryRequests),
    String(run.baselineRequests),
    run.verdict.reason.replaceAll('_', ' '),
  ];
}
