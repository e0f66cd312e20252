/** Recognising resources by their bytes. */
import { describe, expect, it } from 'vitest';
import type { ResourceEntry } from '../../src/decode/resource-identity.ts';
import { ResourceMemo } from '../../src/decode/resource-memo.ts';

function entryNamed(service: string): ResourceEntry {
  return {
    identity: { service, releaseAttributes: new Map() },
    events: null,
    excludes: { everySpan: false, rules: [] },
    nameless: false,
    instance: '',
    id: -1,
    lane: 0,
  };
}

const encoder = new TextEncoder();
const viewOf = (bytes: Uint8Array) => new DataView(bytes.buffer);
const find = (memo: ResourceMemo, bytes: Uint8Array) => memo.find(bytes, viewOf(bytes), 0, bytes.length);
const add = (memo: ResourceMemo, bytes: Uint8Array, entry: ResourceEntry) => memo.add(bytes, viewOf(bytes), 0, bytes.length, entry);

describe('the memo of resources', () => {
  it.each([0, 1, -7, 2 ** 31])('knows what it was told, or nothing, never another: seed %d', (seed) => {
    const memo = new ResourceMemo(seed);
    const all = Array.from({ length: 20_000 }, (_, i) => ({ bytes: encoder.encode(`resource ${i}`), entry: entryNamed(String(i)) }));
    for (const { bytes, entry } of all) add(memo, bytes, entry);
    const found = all.filter(({ bytes, entry }) => {
      const known = find(memo, bytes);
      expect(known === null || known === entry).toBe(true);
      return known !== null;
    });
    expect(found.length).toBeGreaterThan(2000);
    expect(found.length).toBeLessThanOrEqual(4096);
  });

  it('keeps a copy, so that the request may go', () => {
    const memo = new ResourceMemo(0);
    const bytes = encoder.encode('resource');
    const entry = entryNamed('a');
    add(memo, bytes, entry);
    bytes.fill(0);
    expect(find(memo, bytes)).toBeNull();
    expect(find(memo, encoder.encode('resource'))).toBe(entry);
  });

  it('keeps what is in use when strangers pass through', () => {
    const memo = new ResourceMemo(0);
    const bytes = encoder.encode('in use');
    const entry = entryNamed('a');
    add(memo, bytes, entry);
    for (let i = 0; i < 50_000; i++) {
      add(memo, encoder.encode(`stranger ${i}`), entryNamed('b'));
      expect(find(memo, bytes)).toBe(entry);
    }
  });

  it('does not keep resources of unusual size', () => {
    const memo = new ResourceMemo(0);
    const bytes = new Uint8Array(8193);
    add(memo, bytes, entryNamed('a'));
    expect(find(memo, bytes)).toBeNull();
  });

  it('tells resources apart that differ in one byte, wherever it is', () => {
    const memo = new ResourceMemo(5);
    const base = encoder.encode('0123456789abcdefghi');
    add(memo, base, entryNamed('a'));
    for (let i = 0; i < base.length; i++) {
      const other = base.slice();
      other[i] = (other[i] as number) ^ 0x80;
      expect(find(memo, other)).toBeNull();
    }
  });
});
