/** Names of counts keep their numbers through restarts, and a number is free again only when nothing mentions it. */
import { describe, expect, it } from 'vitest';
import { readCountRow } from '../../src/model/count-row.ts';
import { CountKeys } from '../../src/window/count-keys.ts';

describe('CountKeys', () => {
  it('gives each name one number, and tells of it once', () => {
    const keys = new CountKeys();
    expect(['a', 'b', 'a'].map((key) => keys.idOf(key))).toEqual([0, 1, 0]);
    expect(keys.takeChanged()).toEqual([
      { id: 0, key: 'a' },
      { id: 1, key: 'b' },
    ]);
    expect(keys.takeChanged()).toEqual([]);
  });

  it('keeps numbers that rows mention, and forgets the others', () => {
    const keys = new CountKeys();
    keys.restore([
      { id: 0, key: 'a' },
      { id: 3, key: 'b' },
    ]);
    expect([3, 1, 9].map((id) => keys.nameOf(id))).toEqual(['b', undefined, undefined]);
    keys.forgetUnused();
    expect(keys.takeChanged()).toEqual([{ id: 0, key: null }]);
    expect([keys.idOf('b'), keys.idOf('a')]).toEqual([3, 4]);
  });
});

describe('a row of counts', () => {
  it('is refused when its length is none that was ever written', () => {
    expect(() => readCountRow(new Uint8Array(21), () => {})).toThrow(expect.objectContaining({ code: 'counts_corrupt' }));
  });
});
