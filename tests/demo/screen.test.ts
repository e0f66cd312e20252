import { describe, expect, it } from 'vitest';
import { type Picture, Screen } from './screen.ts';

const ESC = '\x1b';
const picture = (headline: string): Picture => ({
  headline,
  columns: [{ header: 'A' }, { header: 'B' }],
  rows: [[{ text: 'red', tone: 'bad' }, 'last cell']],
});

function terminal(isTTY: boolean, columns = 200) {
  const written: string[] = [];
  return { write: (text: string) => void written.push(text), isTTY, columns, text: () => written.join('') };
}

describe('the screen', () => {
  it('writes no escape sequence when nobody watches', () => {
    const out = terminal(false);
    const screen = new Screen(out, {});
    screen.say(screen.paint('hello', 'bad'));
    screen.show(picture('headline'), 0);
    expect(out.text()).toContain('hello\n');
    expect(out.text()).toContain('last cell');
    expect(out.text()).not.toContain(ESC);
  });

  it('prints the table every 5 s when nobody watches, and when asked to', () => {
    const out = terminal(false);
    const screen = new Screen(out, {});
    for (const at of [0, 1000, 4999, 5000]) screen.show(picture(`at ${at}`), at);
    screen.show(picture('forced'), 5001, true);
    expect(out.text().match(/^(at \d+|forced)$/gm)).toEqual(['at 0', 'at 5000', 'forced']);
  });

  it('redraws in place on a terminal and keeps what was said above', () => {
    const out = terminal(true);
    const screen = new Screen(out, {});
    screen.show(picture('first'), 0);
    screen.say('news');
    screen.show(picture('second'), 1);
    const [, afterFirst] = out.text().split('first');
    expect(afterFirst).toContain(`${ESC}[5A${ESC}[Jnews\n`);
    expect(out.text().match(/second/g)).toHaveLength(1);
  });

  it('leaves the colours out when NO_COLOR asks for it', () => {
    const coloured = terminal(true);
    new Screen(coloured, {}).show(picture('x'), 0);
    expect(coloured.text()).toContain(`${ESC}[31m`);
    const plain = terminal(true);
    new Screen(plain, { NO_COLOR: '1' }).show(picture('x'), 0);
    expect(plain.text()).not.toContain(`${ESC}[3`);
  });

  it('never fills a line, so that none can wrap', () => {
    const out = terminal(true, 12);
    new Screen(out, { NO_COLOR: '1' }).show(picture('a very long headline'), 0);
    expect(out.text()).toContain('\na very lon…\n');
  });
});
