/** What judging waits for, as a headline and a table, and records that were set aside: nothing while all spans up to now are counted. */
import type { InputsView, LaggingSource } from '../model/inputs-view.ts';
import { lengthText, momentText } from '../model/number-text.ts';
import { reasonText } from '../model/reason-text.ts';
import { visible } from '../model/safe-text.ts';
import type { EpochMs } from '../model/time.ts';
import { type Cell, type Column, renderTable, type TableOptions } from './table.ts';
import { toned } from './terminal-text.ts';

/** Blocks to stand before all others. */
export function inputsText(
  { now, inputs }: { readonly now: EpochMs; readonly inputs: InputsView | null },
  options: TableOptions,
): readonly string[] {
  if (inputs === null) return [];
  const { lagging, doubt, quarantined } = inputs;
  const color = options.color === true;
  const blocks: string[] = [];
  if (doubt !== null || lagging.length > 0) {
    const rows = lagging.map((source) => row(source, now));
    const lines = [toned(headline(inputs), doubt === null ? 'plain' : 'warning', color)];
    if (rows.length > 0) lines.push(renderTable(COLUMNS, rows, options));
    const more = inputs.waitedFor + inputs.givenUp - rows.length;
    if (more > 0) lines.push(`and ${more} more of ${inputs.sources} sources`);
    blocks.push(lines.join('\n'));
  }
  if (quarantined.length > 0) {
    const lines = quarantined.map(
      ({ source, offset, at, reason }) => `in quarantine: ${visible(source)} offset ${offset}, of ${momentText(at)}: ${visible(reason)}`,
    );
    blocks.push(lines.map((line) => toned(line, 'warning', color)).join('\n'));
  }
  return blocks;
}

function headline({ streamTime, lagMs, doubt, sources, givenUp }: InputsView): string {
  if (streamTime === null || lagMs === null)
    return `Nothing is judged: ${sources === 0 ? 'no source of spans was heard of yet' : 'not all sources of spans were heard of yet'}.`;
  const but = givenUp === 0 ? '' : `, but for those of ${givenUp} of ${sources} sources`;
  const where = `All spans up to ${momentText(streamTime)}, ${lengthText(lagMs)} ago, are counted${but}`;
  if (doubt === null) return `${where}.`;
  return `${where}. No run promotes or rolls back${doubt === 'input_gap' ? `: ${reasonText(doubt)}` : ' before the rest is'}.`;
}

const COLUMNS: readonly Column[] = [
  { header: 'SOURCE', shrinks: true, minWidth: 16 },
  { header: 'COUNTED UP TO' },
  { header: 'BEHIND', align: 'right' },
  { header: 'STANDS STILL', align: 'right' },
  { header: 'STATE' },
];

function row({ source, completeUntil, stillSince, isWaitedFor }: LaggingSource, now: EpochMs): Cell[] {
  return [
    source,
    completeUntil === null ? 'never heard of' : momentText(completeUntil),
    completeUntil === null ? '-' : lengthText(now - completeUntil),
    stillSince === null ? '-' : lengthText(now - stillSince),
    isWaitedFor ? 'waited for' : { text: 'given up', tone: 'bad' },
  ];
}
