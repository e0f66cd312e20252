/** A table of text for terminal, pipe and log: aligned, fitted to a width, safe against what cells contain. */
import { displayWidth, shortened, visible } from '../model/safe-text.ts';
import { type Tone, toned } from './terminal-text.ts';

export interface Column {
  readonly header: string;
  /** Numbers stand right. */
  readonly align?: 'left' | 'right';
  /** May be cut when the table is too wide, down to `minWidth` (8). Columns without it always keep their whole content. */
  readonly shrinks?: boolean;
  readonly minWidth?: number;
}

export type Cell = string | { readonly text: string; readonly tone: Tone };

export interface TableOptions {
  /** Columns of the terminal; absent or infinite: nothing is cut. */
  readonly width?: number;
  readonly color?: boolean;
}

const GAP = '  ';
const MIN_WIDTH = 8;

/** Header and rows as lines, without trailing spaces and without a line break at the end. A missing cell is empty, one too many is left out. */
export function renderTable(columns: readonly Column[], rows: readonly (readonly Cell[])[], options: TableOptions = {}): string {
  const color = options.color === true;
  const cells = rows.map((row) => columns.map((_column, index) => safe(row[index] ?? '')));
  const widths = fitted(columns, natural(columns, cells), options.width ?? Number.POSITIVE_INFINITY);
  const header = columns.map((column): SafeCell => ({ text: visible(column.header), tone: 'dim' }));
  return [header, ...cells].map((row) => line(columns, row, widths, color)).join('\n');
}

interface SafeCell {
  readonly text: string;
  readonly tone: Tone;
}

function safe(cell: Cell): SafeCell {
  return typeof cell === 'string' ? { text: visible(cell), tone: 'plain' } : { text: visible(cell.text), tone: cell.tone };
}

function natural(columns: readonly Column[], rows: readonly (readonly SafeCell[])[]): number[] {
  return columns.map((column, index) =>
    rows.reduce((width, row) => Math.max(width, displayWidth(row[index]?.text ?? '')), displayWidth(visible(column.header))),
  );
}

/** Takes from the widest column that may shrink until all fit, or none may shrink any more. */
function fitted(columns: readonly Column[], widths: number[], available: number): number[] {
  const fittedWidths = [...widths];
  let excess = fittedWidths.reduce((sum, width) => sum + width, 0) + GAP.length * (columns.length - 1) - available;
  while (excess > 0) {
    let widest = -1;
    columns.forEach((column, index) => {
      const width = fittedWidths[index] ?? 0;
      if (column.shrinks === true && width > (column.minWidth ?? MIN_WIDTH) && width > (fittedWidths[widest] ?? 0)) widest = index;
    });
    if (widest < 0) break;
    fittedWidths[widest] = (fittedWidths[widest] ?? 0) - 1;
    excess--;
  }
  return fittedWidths;
}

function line(columns: readonly Column[], row: readonly SafeCell[], widths: readonly number[], color: boolean): string {
  const parts = columns.map((column, index) => {
    const { text, tone } = row[index] ?? { text: '', tone: 'plain' };
    const width = widths[index] ?? 0;
    const cut = shortened(text, width);
    const padding = ' '.repeat(Math.max(0, width - displayWidth(cut)));
    const styled = toned(cut, tone, color);
    if (column.align === 'right') return padding + styled;
    return index === columns.length - 1 ? styled : styled + padding;
  });
  return parts.join(GAP).trimEnd();
}
