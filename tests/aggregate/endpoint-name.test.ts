import { fc, it as property } from '@fast-check/vitest';
import { describe, expect, it } from 'vitest';
import { endpointBytes, endpointText, wholeCharacters } from '../../src/aggregate/endpoint-name.ts';

const bytes = (...values: number[]) => Uint8Array.from(values);
const utf8 = (text: string) => new TextEncoder().encode(text);

describe('endpointText', () => {
  it.each([
    ['plain text as it is', utf8('GET /checkout/{id}'), 'GET /checkout/{id}'],
    ['characters beyond ASCII as they are', utf8('GET /süß/🛒'), 'GET /süß/🛒'],
    ['a byte order mark as it is', bytes(0xef, 0xbb, 0xbf, 0x61), '\ufeffa'],
    ['a lonely continuation byte as an escape', bytes(0x61, 0x80, 0x62), 'a\\x80b'],
    ['a character cut short as escapes', bytes(0x61, 0xe2, 0x82), 'a\\xe2\\x82'],
    ['an overlong encoding as escapes', bytes(0xc0, 0xaf), '\\xc0\\xaf'],
    ['a surrogate as escapes', bytes(0xed, 0xa0, 0x80), '\\xed\\xa0\\x80'],
    ['text that looks like an escape so that it stays different', utf8('a\\x80b'), 'a\\x5cx80b'],
    ['other backslashes as they are', utf8('a\\d\\\\'), 'a\\d\\\\'],
    ['nothing as nothing', bytes(), ''],
  ])('shows %s', (_, name, text) => {
    expect(endpointText(name, name.length)).toBe(text);
    expect([...endpointBytes(text)]).toEqual([...name]);
  });

  const hostile = fc.array(fc.oneof(fc.integer({ min: 0, max: 255 }), fc.constantFrom(0x5c, 0x78, 0x38, 0xe2, 0x82, 0xac)), {
    maxLength: 20,
  });
  property.prop({ values: hostile })('can be turned back into the same bytes, so no two names look the same', ({ values }) => {
    const name = Uint8Array.from(values);
    expect([...endpointBytes(endpointText(name, name.length))]).toEqual(values);
  });
});

describe('wholeCharacters', () => {
  it.each([
    ['abc', 5, 3],
    ['abcdef', 4, 4],
    ['abc€', 4, 3],
    ['abc€', 5, 3],
    ['abc€', 6, 6],
    ['ab🛒d', 5, 2],
    ['ab🛒d', 6, 6],
  ])('cuts %s to at most %i bytes at %i', (text, limit, length) => {
    const name = utf8(text);
    expect(wholeCharacters(name, name.length, limit)).toBe(length);
  });

  it('cuts in the middle where there are no characters', () => {
    expect(wholeCharacters(new Uint8Array(20).fill(0x80), 20, 10)).toBe(10);
  });
});
