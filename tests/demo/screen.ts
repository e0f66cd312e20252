/** Where the story is told: lines that stay, and on a terminal a table below them that is redrawn in place. */
import { stripVTControlCharacters } from 'node:util';
import { COLUMNS, type Row, type Tone } from './live-table.ts';

const ESC = '\x1b';
const SEQUENCE = new RegExp(`(${ESC}\\[[\\d;]*m)`);

/** Without a terminal the table is printed this often. */
const PRINT_EVERY_MS = 5000;

const COLOURS: Readonly<Record<Tone, string>> = { plain: '', dim: '2', good: '32', bad: '31;1', unsure: '33', strong: '1' };

export interface Terminal {
  write(text: string): unknown;
  readonly isTTY?: boolean | undefined;
  readonly columns?: number | undefined;
}

export class Screen {
  readonly #out: Terminal;
  readonly #isLive: boolean;
  readonly #hasColour: boolean;
  #drawnLines = 0;
  #lastPrintMs = Number.NEGATIVE_INFINITY;
  #last: string[] = [];

  constructor(out: Terminal, env: NodeJS.ProcessEnv) {
    this.#out = out;
    this.#isLive = out.isTTY === true && env.TERM !== 'dumb';
    this.#hasColour = this.#isLive && (env.NO_COLOR ?? '') === '';
  }

  paint(text: string, tone: Tone): string {
    return this.#hasColour && COLOURS[tone] !== '' && text !== '' ? `${ESC}[${COLOURS[tone]}m${text}${ESC}[0m` : text;
  }

  /** Says something that stays. */
  say(text: string): void {
    this.#erase();
    this.#out.write(`${text}\n`);
    if (this.#isLive) this.#draw(this.#last);
  }

  /** Shows the table as it is now; without a terminal only every few seconds, unless `isForced`. */
  show(headline: string, rows: readonly Row[], nowMs: number, isForced = false): void {
    if (!this.#isLive && !isForced && nowMs - this.#lastPrintMs < PRINT_EVERY_MS) return;
    this.#lastPrintMs = nowMs;
    const lines = ['', headline, ...this.#table(rows), ''];
    this.#erase();
    this.#draw(lines);
    this.#last = lines;
  }

  /** Leaves the last table where it is: nothing is redrawn any more. */
  settle(): void {
    this.#drawnLines = 0;
    this.#last = [];
  }

  #table(rows: readonly Row[]): string[] {
    const widths = COLUMNS.map(({ title }, index) => Math.max(title.length, ...rows.map(({ cells }) => cells[index]?.text.length ?? 0)));
    const line = (cells: readonly { readonly text: string; readonly tone: Tone }[]): string =>
      cells
        .map(({ text, tone }, index) => {
          const padded = COLUMNS[index]?.right ? text.padStart(widths[index] ?? 0) : text.padEnd(widths[index] ?? 0);
          return this.paint(padded, tone);
        })
        .join('  ');
    return [line(COLUMNS.map(({ title }) => ({ text: title, tone: 'dim' }))), ...rows.map(({ cells }) => line(cells))];
  }

  #draw(lines: readonly string[]): void {
    for (const line of lines) this.#out.write(`${this.#isLive ? cut(line, this.#out.columns ?? 80) : line.trimEnd()}\n`);
    this.#drawnLines = lines.length;
  }

  #erase(): void {
    if (this.#isLive && this.#drawnLines > 0) this.#out.write(`${ESC}[${this.#drawnLines}A\x1b[J`);
    this.#drawnLines = 0;
  }
}

/** Cuts a line to the terminal's width, so that it cannot wrap and spoil the count of lines; escape sequences take no room. */
function cut(line: string, columns: number): string {
  if (stripVTControlCharacters(line).length <= columns) return line;
  let room = columns;
  let kept = '';
  for (const part of line.split(SEQUENCE)) {
    if (part.startsWith(`${ESC}[`)) kept += part;
    else {
      kept += part.slice(0, room);
      room -= Math.min(room, part.length);
    }
  }
  return kept;
}
