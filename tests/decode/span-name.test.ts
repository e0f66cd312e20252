/** Identifiers leave span names, words stay. */
import { describe, expect, it } from 'vitest';
import { writeSpanName } from '../../src/decode/span-name.ts';

function cleaned(name: string, limit = 256): string {
  const bytes = new TextEncoder().encode(name);
  const out = new Uint8Array(limit);
  return new TextDecoder().decode(out.subarray(0, writeSpanName(bytes, 0, bytes.length, out)));
}

describe('a span name', () => {
  it.each([
    ['GET /users/1234/cart?x=1', 'GET /users/{id}/cart'],
    ['GET /users/1234?x=1 HTTP', 'GET /users/{id} HTTP'],
    ['/a/9f1c2d3e-7a41-4c0b-9a53-0123456789ab', '/a/{id}'],
    ['/commit/9f1c2d3e', '/commit/{id}'],
    ['/a/2024-01-31/b', '/a/{id}/b'],
    ['/a/10.0.0.1/b', '/a/{id}/b'],
    ['/t/eyJhbGciOiJIUzI1NiIsInR5cCI6', '/t/{id}'],
    ['/api/v2/users', '/api/v2/users'],
    ['/facade/decade', '/facade/decade'],
    ['/users/{id}', '/users/{id}'],
    ['/users/:id', '/users/:id'],
    ['job 42', 'job {id}'],
    ['checkout v2', 'checkout v2'],
    ['HandleOrderPlacedEventVersion2', 'HandleOrderPlacedEventVersion2'],
    ['UsersController#show', 'UsersController#show'],
    ['is it done?', 'is it done?'],
    ['ünïcode/näme', 'ünïcode/näme'],
    ['//a//1//', '//a//{id}//'],
    ['', ''],
  ])('%s becomes %s', (name, expected) => {
    expect(cleaned(name)).toBe(expected);
  });

  it('fills the room it is given and no more', () => {
    expect(cleaned('/abcdef/1', 5)).toBe('/abcd');
    expect(cleaned('/1234567', 4)).toBe('/{id');
  });

  it('is the same when it is cleaned again', () => {
    for (const name of ['GET /users/1234/cart?x=1', '/a/9f1c2d3e4b/77?q', 'job 42/1.2.3'])
      expect(cleaned(cleaned(name))).toBe(cleaned(name));
  });
});
