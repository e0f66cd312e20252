/** A progress bar on a terminal; silent elsewhere. */

import { visible } from '../model/safe-text.ts';
import type { OutputStream } from './context.ts';

const WIDTH = 30;
/** Notes beyond this many are counted and not printed. */
const MAX_NOTES = 20;
const CLEAR_LINE = '\r\u001b[K';

export class ProgressBar {
  readonly #stream: OutputStream;
  readonly #title: string;
  #line = '';
  #notes = 0;

  constructor(stream: OutputStream, title: string) {
    this.#stream = stream;
    this.#title = title;
  }

  /** `total` null: the length is not known, only the amount is shown. */
  show(done: number, total: number | null): void {
    if (this.#stream.isTTY !== true) return;
    const amount = `${(done / 1e6).toFixed(1)} MB`;
    const share = total === null || total === 0 ? null : Math.min(1, done / total);
    const filled = Math.round((share ?? 0) * WIDTH);
    const bar = share === null ? '' : `[${'#'.repeat(filled)}${'.'.repeat(WIDTH - filled)}] ${Math.round(share * 100)} % `;
    this.#draw(`${this.#title} ${bar}${amount}`);
  }

  /** Prints a line above the bar. */
  note(text: string): void {
    if (++this.#notes > MAX_NOTES) return;
    if (this.#line !== '') this.#stream.write(CLEAR_LINE);
    this.#stream.write(`${visible(text)}\n`);
    if (this.#line !== '') this.#stream.write(this.#line);
  }

  end(): void {
    if (this.#line !== '') this.#stream.write(CLEAR_LINE);
    this.#line = '';
    if (this.#notes > MAX_NOTES) this.#stream.write(`and ${this.#notes - MAX_NOTES} more like these\n`);
  }

  #draw(line: string): void {
    this.#line = line;
    this.#stream.write(`${CLEAR_LINE}${line}`);
  }
}
