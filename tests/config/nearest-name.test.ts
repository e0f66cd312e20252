/** Typos find the name that was meant, and only that. */
import { fc, test } from '@fast-check/vitest';
import { describe, expect, it } from 'vitest';
import { editDistance, nearestName } from '../../src/config/nearest-name.ts';

describe('the nearest name', () => {
  it.each([
    ['latncy', ['latency', 'name'], 'latency'],
    ['Latency', ['latency'], 'latency'],
    ['objectvs', ['objectives', 'perEndpoint'], 'objectives'],
    ['p59', ['p50', 'p95'], 'p50'],
    ['on', ['p50', 'by'], undefined],
    ['colour', ['latency', 'window'], undefined],
    ['x'.repeat(10_000), ['latency'], undefined],
  ])('of `%s` among %j is %s', (typo, names, expected) => {
    expect(nearestName(typo, names)).toBe(expected);
  });

  const word = fc.string({ unit: fc.constantFrom('a', 'b', 'c'), maxLength: 8 });

  test.prop([word, word, word])('is nearest by a true distance', (a, b, c) => {
    expect(editDistance(a, b)).toBe(editDistance(b, a));
    expect(editDistance(a, b) === 0).toBe(a === b);
    expect(editDistance(a, c)).toBeLessThanOrEqual(editDistance(a, b) + editDistance(b, c));
  });
});
