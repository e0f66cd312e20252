/** Where the story is told: lines that stay, and on a terminal a table below them that is redrawn in place. */
import { stripVTControlCharacters } from 'node:util';
import { type Cell, type Column, renderTable } from '../../src/cli/table.ts';
import { type Tone, toned, wantsColor } from '../../src/cli/terminal-text.ts';
import { displayWidth, shortened } from '../../src/model/safe-text.ts';

/** Without a terminal the table is printed this often. */
const PRINT_EVERY_MS = 5000;

export interface Terminal {
  write(text: string): unknown;
  readonly isTTY?: boolean;
  readonly columns?: number;
}

export interface Picture {
  readonly headline: string;
  readonly columns: readonly Column[];
  readonly rows: readonly (readonly Cell[])[];
}

export class Screen {
  readonly #out: Terminal;
  readonly #isLive: boolean;
  readonly #hasColour: boolean;
  #drawn: readonly string[] = [];
  #lastPrintMs = Number.NEGATIVE_INFINITY;

  constructor(out: Terminal, env: NodeJS.ProcessEnv) {
    this.#out = out;
    this.#isLive = out.isTTY === true && env.TERM !== 'dumb';
    this.#hasColour = wantsColor(env, out);
  }

  /** `text` in the colour of its meaning, where there are colours. */
  paint(text: string, tone: Tone): string {
    return toned(text, tone, this.#hasColour);
  }

  /** Says something that stays. */
  say(text: string): void {
    const below = this.#drawn;
    this.#erase();
    this.#out.write(`${text}\n`);
    this.#draw(below);
  }

  /** Columns a line may take: without end where nobody watches. One is left free, because a full line wraps on some terminals. */
  get width(): number {
    return this.#isLive ? (this.#out.columns ?? 80) - 1 : Number.POSITIVE_INFINITY;
  }

  /** Shows the table as it is now; without a terminal only every few seconds, unless `isForced`. */
  show(picture: Picture, nowMs: number, isForced = false): void {
    if (!this.#isLive && !isForced && nowMs - this.#lastPrintMs < PRINT_EVERY_MS) return;
    this.#lastPrintMs = nowMs;
    const table = renderTable(picture.columns, picture.rows, { width: this.width, color: this.#hasColour });
    const lines = ['', this.paint(picture.headline, 'strong'), ...table.split('\n'), ''];
    this.#erase();
    this.#draw(lines.map((line) => fitted(line, this.width)));
  }

  /** Leaves the last table where it is: nothing is redrawn any more. */
  settle(): void {
    this.#drawn = [];
  }

  #draw(lines: readonly string[]): void {
    for (const line of lines) this.#out.write(`${line}\n`);
    if (this.#isLive) this.#drawn = lines;
  }

  #erase(): void {
    if (this.#drawn.length > 0) this.#out.write(`\x1b[${this.#drawn.length}A\x1b[J`);
    this.#drawn = [];
  }
}

/** A line that does not wrap, which would spoil the count of lines to erase; one that is too long loses its colours with its end. */
function fitted(line: string, width: number): string {
  const bare = stripVTControlCharacters(line);
  return displayWidth(bare) <= width ? line : shortened(bare, width);
}
