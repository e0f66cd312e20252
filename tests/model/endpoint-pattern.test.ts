/** Patterns of objectives against endpoints, with a regular expression as the oracle. */
import { fc, test } from '@fast-check/vitest';
import { describe, expect, it } from 'vitest';
import { endpointMatches, patternsOverlap } from '../../src/model/endpoint-pattern.ts';

describe('an endpoint pattern', () => {
  it.each([
    ['GET /items/{id}', 'GET /items/{id}', true],
    ['GET /items/{id}', 'GET /items/7', false],
    ['GET /items', 'get /items', false],
    ['* /items', 'POST /items', true],
    ['GET /items/*', 'GET /items/{id}', true],
    ['GET /items/*', 'GET /items/{id}/parts', false],
    ['GET /items/*/parts', 'GET /items/{id}/parts', true],
    ['GET /v*/items', 'GET /v2/items', true],
    ['GET /v*/items', 'GET /v/items', true],
    ['* orders', 'process late orders', false],
    ['GET /reports/**', 'GET /reports/daily/1', true],
    ['GET /reports/**', 'GET /reports', false],
    ['**/Pay', 'shop.v1.Payment/Pay', true],
    ['**', '(other)', true],
    ['**', '', true],
    ['*', '', true],
    ['a**c*', 'a/b c/cd', true],
    ['GET /[a-z].+', 'GET /abc', false],
  ])('`%s` on `%s`: %s', (pattern, endpoint, expected) => {
    expect(endpointMatches(pattern, endpoint)).toBe(expected);
  });

  const text = fc.string({ unit: fc.constantFrom('a', 'b', '/', ' ', '{'), maxLength: 12 });
  const pattern = fc.array(fc.constantFrom('a', 'b', '/', ' ', '{', '*', '**'), { maxLength: 8 }).map((parts) => parts.join(''));

  test.prop([pattern, text])('means what the regular expression made from it means', (written, endpoint) => {
    const source = written.replace(/\*\*|\*|[^*]/g, (part) =>
      (part === '**' ? '.*' : part === '*' ? '[^/ ]*' : `\\${part}`).replace(/^\\([ab ])/, '$1'),
    );
    expect(endpointMatches(written, endpoint)).toBe(new RegExp(`^(?:${source})$`).test(endpoint));
  });

  it('takes no longer for patterns that make backtracking matchers hang', () => {
    expect(endpointMatches(`${'**a*'.repeat(60)}b`, 'a'.repeat(256))).toBe(false);
  });

  test.prop([pattern, pattern, text])('overlaps with another when one endpoint matches both', (a, b, endpoint) => {
    if (endpointMatches(a, endpoint) && endpointMatches(b, endpoint)) expect(patternsOverlap(a, b)).toBe(true);
  });

  it.each([
    ['GET /items/*', '* /items/{id}', true],
    ['GET /items/*', 'GET /items/*/parts', false],
    ['GET /**', 'POST /**', false],
    ['**', 'anything at all', true],
    ['GET /a*', 'GET /*b', true],
    ['*', 'GET /a', false],
  ])('`%s` and `%s` share an endpoint: %s', (a, b, expected) => {
    expect(patternsOverlap(a, b)).toBe(expected);
    expect(patternsOverlap(b, a)).toBe(expected);
  });
});
