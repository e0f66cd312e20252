import { describe, expect, it } from 'vitest';
import { Origins } from '../../src/window/origins.ts';

const origin = (source: string, epoch: string, sequence: number) => ({ source, epoch, sequence });

describe('Origins', () => {
  it.each([
    ['the next sequence', origin('a', '1', 8), true],
    ['a sequence further on, for flushes may be lost', origin('a', '1', 20), true],
    ['the same sequence', origin('a', '1', 7), false],
    ['an earlier sequence', origin('a', '1', 1), false],
    ['the first of a new epoch', origin('a', '2', 1), true],
    ['another source', origin('b', '1', 7), true],
  ])('after sequence 7, says of %s whether it is new', (_, next, isNew) => {
    const origins = new Origins();
    expect(origins.admit(origin('a', '1', 7))).toBe(true);
    expect(origins.admit(next)).toBe(isNew);
  });

  it('forgets the source heard longest ago when there are too many', () => {
    const origins = new Origins();
    for (let i = 0; i < 4096; i++) origins.admit(origin(`s${i}`, '1', 5));
    origins.admit(origin('s0', '1', 6));
    origins.admit(origin('one more', '1', 1));
    expect(origins.saved()).toHaveLength(4096);
    expect(origins.admit(origin('s0', '1', 6))).toBe(false);
    expect(origins.saved().some(({ source }) => source === 's1')).toBe(false);
  });

  it('remembers after a restore', () => {
    const before = new Origins();
    before.admit(origin('a', '1', 7));
    const after = new Origins();
    after.restore(before.saved());
    expect([after.admit(origin('a', '1', 7)), after.admit(origin('a', '1', 8))]).toEqual([false, true]);
  });
});
