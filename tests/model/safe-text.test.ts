/** Lines that fit, whatever they are made of. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { displayWidth, visible, wrapped } from '../../src/model/safe-text.ts';
import { textTable } from '../../src/model/text-table.ts';

describe('wrapping', () => {
  it.each<[string, string, number, string[]]>([
    ['a line that fits', 'one two', 7, ['one two']],
    ['a line at its blanks, with the rest indented', 'one two three', 8, ['one two', '  three']],
    ['no word', 'onetwothree four', 5, ['onetwothree', '  four']],
    ['nothing that aligns', 'a    1 2 3', 8, ['a    1 2', '  3']],
    ['by columns, not characters', '界界 界界', 8, ['界界', '  界界']],
    ['nothing', '', 3, ['']],
  ])('breaks %s', (_name, text, width, lines) => {
    expect(wrapped(text, width, '  ')).toEqual(lines);
  });

  it('loses no word and keeps to the width where words allow', () => {
    const words = fc.array(fc.stringMatching(/^[a-zé界]{1,6}$/), { maxLength: 40 });
    fc.assert(
      fc.property(words, fc.integer({ min: 16, max: 60 }), (given, width) => {
        const text = given.join(' ');
        const lines = wrapped(text, width, '  ');
        expect(lines.join(' ').split(/ +/).join(' ').trim()).toBe(text);
        for (const line of lines) expect(displayWidth(line)).toBeLessThanOrEqual(width);
      }),
    );
  });
});

describe('a table', () => {
  it('is aligned, cut, and safe', () => {
    expect(
      textTable(
        ['NAME', 'N'],
        [
          ['a\u001b[2J', '1'],
          ['界', '22'],
          ['much too long', ''],
        ],
        10,
      ),
    ).toEqual(['NAME        N', 'a\\u{1b}[2J  1', '界          22', 'much too …']);
  });

  it('has its header when there are no rows', () => {
    expect(textTable(['A', 'B'], [], 10)).toEqual(['A  B']);
  });
});

it('what is visible stays as it is', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      expect(visible(visible(text))).toBe(visible(text));
    }),
  );
});
