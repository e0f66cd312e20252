import { describe, expect, it } from 'vitest';
import type { Row } from './live-table.ts';
import { Screen } from './screen.ts';

const ESC = '\x1b';
const ROWS: Row[] = [
  {
    cells: Array.from({ length: 10 }, (_, index) => ({ text: `cell${index}`, tone: index === 0 ? ('bad' as const) : ('plain' as const) })),
  },
];

function terminal(isTTY: boolean, columns = 200) {
  const written: string[] = [];
  return { write: (text: string) => void written.push(text), isTTY, columns, text: () => written.join('') };
}

describe('the screen', () => {
  it('writes no escape sequence when nobody watches', () => {
    const out = terminal(false);
    const screen = new Screen(out, {});
    screen.say(screen.paint('hello', 'bad'));
    screen.show('headline', ROWS, 0);
    expect(out.text()).toContain('hello\n');
    expect(out.text()).toContain('cell9');
    expect(out.text()).not.toContain(ESC);
  });

  it('prints the table every 5 s when nobody watches, and when asked to', () => {
    const out = terminal(false);
    const screen = new Screen(out, {});
    for (const at of [0, 1000, 4999, 5000]) screen.show(`at ${at}`, ROWS, at);
    screen.show('forced', ROWS, 5001, true);
    expect(out.text().match(/^(at \d+|forced)$/gm)).toEqual(['at 0', 'at 5000', 'forced']);
  });

  it('redraws in place on a terminal and keeps what was said above', () => {
    const out = terminal(true);
    const screen = new Screen(out, {});
    screen.show('first', ROWS, 0);
    screen.say('news');
    screen.show('second', ROWS, 1);
    const [, afterFirst] = out.text().split('first');
    expect(afterFirst).toContain(`${ESC}[5A${ESC}[Jnews\n`);
    expect(out.text().match(/second/g)).toHaveLength(1);
  });

  it('leaves the colours out when NO_COLOR asks for it', () => {
    const coloured = terminal(true);
    new Screen(coloured, {}).show('x', ROWS, 0);
    expect(coloured.text()).toContain(`${ESC}[31;1m`);
    const plain = terminal(true);
    new Screen(plain, { NO_COLOR: '1' }).show('x', ROWS, 0);
    expect(plain.text()).not.toContain(`${ESC}[3`);
  });

  it('cuts lines to the width of the terminal without counting colours', () => {
    const out = terminal(true, 12);
    new Screen(out, {}).show('a very long headline', ROWS, 0);
    expect(out.text()).toContain('\na very long \n');
    expect(out.text()).toContain(`${ESC}[31;1mcell0  ${ESC}[0m`);
  });
});
