/** Finding words by bytes. */
import { describe, expect, it } from 'vitest';
import { ByteWords } from '../../src/decode/byte-words.ts';
import { MASKED_SLOTS, SEMCONV_ATTRIBUTES } from '../../src/decode/semconv-attributes.ts';

const find = (words: ByteWords, word: string): number => {
  const bytes = new TextEncoder().encode(`<${word}>`);
  return words.find(bytes, 1, bytes.length - 1);
};

describe('the attributes of the conventions', () => {
  it('each have a bit of their own', () => {
    expect(SEMCONV_ATTRIBUTES.length).toBeLessThanOrEqual(MASKED_SLOTS);
    expect(new Set(SEMCONV_ATTRIBUTES).size).toBe(SEMCONV_ATTRIBUTES.length);
  });
});

describe('a set of words', () => {
  it('finds each of its words and nothing that is nearly one', () => {
    const words = new ByteWords(SEMCONV_ATTRIBUTES);
    SEMCONV_ATTRIBUTES.forEach((word, position) => {
      expect(find(words, word)).toBe(position);
      expect(words.indexOf(word)).toBe(position);
      for (const near of [word.slice(1), `${word}x`, `x${word.slice(1)}`, word.toUpperCase()]) expect(find(words, near)).toBe(-1);
    });
  });

  it('tells words apart that share length, middle and end', () => {
    const many = Array.from({ length: 500 }, (_, i) => `key.${String(i).padStart(4, '0')}.same.tail`);
    const words = new ByteWords(many);
    expect(many.map((word) => find(words, word))).toEqual(many.map((_, i) => i));
    expect(find(words, 'key.0500.same.tail')).toBe(-1);
  });

  it('has no empty word and none beyond its limit', () => {
    const words = new ByteWords(['', 'a'.repeat(128), 'b', 'b']);
    expect(find(words, '')).toBe(-1);
    expect(find(words, 'a'.repeat(128))).toBe(-1);
    expect(find(words, 'b')).toBe(2);
  });
});
