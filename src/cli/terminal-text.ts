/** Colour on a terminal, and when to use it. */
import { styleText } from 'node:util';

/** How a piece of text is meant; colour is only ever an addition to what the words say. */
export type Tone = 'plain' | 'good' | 'bad' | 'warning' | 'dim' | 'strong';

const STYLES = { good: 'green', bad: 'red', warning: 'yellow', dim: 'dim', strong: 'bold' } as const satisfies Record<
  Exclude<Tone, 'plain'>,
  Parameters<typeof styleText>[0]
>;

export function toned(text: string, tone: Tone, color: boolean): string {
  return !color || tone === 'plain' || text === '' ? text : styleText(STYLES[tone], text, { validateStream: false });
}

/** https://no-color.org; FORCE_COLOR as Node has it; else only a terminal gets colour. */
export function wantsColor(env: Readonly<Record<string, string | undefined>>, stream: { readonly isTTY?: boolean }): boolean {
  if ((env.NO_COLOR ?? '') !== '') return false;
  if ((env.FORCE_COLOR ?? '') !== '' && env.FORCE_COLOR !== '0') return true;
  return stream.isTTY === true && env.TERM !== 'dumb';
}
