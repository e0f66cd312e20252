/** Tables of text: aligned, fitted, safe. */
import { stripVTControlCharacters } from 'node:util';
import { fc, test } from '@fast-check/vitest';
import { describe, expect, it } from 'vitest';
import { type Column, renderTable } from '../../src/cli/table.ts';
import { wantsColor } from '../../src/cli/terminal-text.ts';
import { displayWidth, shortened, visible } from '../../src/model/safe-text.ts';

const COLUMNS: readonly Column[] = [{ header: 'ENDPOINT', shrinks: true }, { header: 'RELEASE' }, { header: 'P99', align: 'right' }];

describe('renderTable', () => {
  it('puts text left, numbers right, and no spaces at the end of a line', () => {
    const rows = [
      ['GET /', '1', '9.5'],
      ['POST /checkout', 'canary', '1200'],
    ];
    expect(renderTable(COLUMNS, rows).split('\n')).toEqual([
      'ENDPOINT        RELEASE   P99',
      'GET /           1         9.5',
      'POST /checkout  canary   1200',
    ]);
  });

  it('cuts only what may shrink, and shows that something is missing', () => {
    const text = renderTable(COLUMNS, [['POST /checkout/with/a/long/name', 'canary', '1200']], { width: 32 });
    expect(text.split('\n')).toEqual(['ENDPOINT           RELEASE   P99', 'POST /checkout/w…  canary   1200']);
  });

  it('stays too wide rather than cut what may not shrink', () => {
    expect(renderTable(COLUMNS, [['POST /checkout', 'canary', '1200']], { width: 10 })).toContain('POST /c…  canary   1200');
  });

  it('cuts nothing without a width', () => {
    const name = 'x'.repeat(500);
    expect(renderTable(COLUMNS, [[name, '', '']])).toContain(name);
  });

  it('aligns names in scripts of double width', () => {
    const lines = renderTable(
      [{ header: 'A' }, { header: 'B' }],
      [
        ['日本', 'x'],
        ['abcd', 'y'],
        ['é', 'z'],
        ['🚀', 'w'],
      ],
    ).split('\n');
    expect(lines.slice(1)).toEqual(['日本  x', 'abcd  y', 'é     z', '🚀    w']);
  });

  it('colours only when asked to, and never by colour alone', () => {
    const rows = [[{ text: 'rollback', tone: 'bad' as const }]];
    const plain = renderTable([{ header: 'VERDICT' }], rows);
    const colored = renderTable([{ header: 'VERDICT' }], rows, { color: true });
    expect(plain).toBe('VERDICT\nrollback');
    expect(colored).toContain('\u001b[31mrollback');
    expect(stripVTControlCharacters(colored)).toBe(plain);
  });

  it('shows a missing cell as empty and leaves out one too many', () => {
    expect(renderTable([{ header: 'A' }, { header: 'B' }], [['1'], ['1', '2', '3']])).toBe('A  B\n1\n1  2');
  });

  test.prop([fc.array(fc.array(fc.string({ unit: 'binary' }), { maxLength: 3 }), { maxLength: 8 }), fc.integer({ min: 40, max: 120 })])(
    'no cell can break a line, move the cursor or go over the width',
    (rows, width) => {
      const columns: Column[] = [
        { header: 'A', shrinks: true },
        { header: 'B', shrinks: true },
        { header: 'C', shrinks: true },
      ];
      const lines = renderTable(columns, rows, { width }).split('\n');
      expect(lines).toHaveLength(rows.length + 1);
      for (const line of lines) {
        expect(line).not.toMatch(/[\p{Cc}\u2028-\u202e\u2066-\u2069]/u);
        expect(displayWidth(line)).toBeLessThanOrEqual(width);
      }
    },
  );
});

describe('visible', () => {
  it.each([
    ['\u001b[31mred', '\\u{1b}[31mred'],
    ['a\nb\tc', 'a\\u{a}b\\u{9}c'],
    ['\u009b2J', '\\u{9b}2J'],
    ['abc\u202edef', 'abc\\u{202e}def'],
    ['GET /über/日本', 'GET /über/日本'],
  ])('writes %j as %s', (text, shown) => {
    expect(visible(text)).toBe(shown);
  });
});

describe('shortened', () => {
  it.each([
    ['abcdef', 6, 'abcdef'],
    ['abcdef', 5, 'abcd…'],
    ['日本語', 5, '日本…'],
    ['日本語', 4, '日…'],
    ['abc', 1, '…'],
    ['abc', 0, ''],
  ])('%s to %d columns is %s', (text, width, shown) => {
    expect(shortened(text, width)).toBe(shown);
  });
});

describe('wantsColor', () => {
  it.each<[string, Record<string, string>, boolean, boolean]>([
    ['a terminal', {}, true, true],
    ['a pipe', {}, false, false],
    ['a terminal with NO_COLOR', { NO_COLOR: '1' }, true, false],
    ['an empty NO_COLOR, which means nothing', { NO_COLOR: '' }, true, true],
    ['a pipe with FORCE_COLOR', { FORCE_COLOR: '1' }, false, true],
    ['NO_COLOR against FORCE_COLOR', { FORCE_COLOR: '1', NO_COLOR: '1' }, true, false],
    ['a dumb terminal', { TERM: 'dumb' }, true, false],
  ])('%s', (_name, env, isTTY, colored) => {
    expect(wantsColor(env, { isTTY })).toBe(colored);
  });
});
