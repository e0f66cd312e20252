/** What the gate is told by people and pipelines: how long it counts, what is kept of it, and that nothing grows. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { GateBook, MAX_LOAD_TESTS, MAX_TESTED_SERVICES } from '../../src/engine/gate-book.ts';
import { MAX_OVERRIDES } from '../../src/engine/override-trail.ts';
import type { GateOverride, LoadTestResult } from '../../src/model/gate-view.ts';

const HOUR = 3_600_000;

function wish(at: number, change: Partial<GateOverride> = {}): GateOverride {
  return { service: 'shop', by: 'ana', reason: 'urgent fix', at, until: at + HOUR, ...change };
}

function test(at: number, change: Partial<LoadTestResult> = {}): LoadTestResult {
  return { service: 'shop', outcome: 'pass', candidate: '1.5.0', at, summary: '', ...change };
}

function reopened(book: GateBook): GateBook {
  const again = new GateBook();
  again.restore(book.takeUnsaved() ?? '');
  return again;
}

describe('an override', () => {
  it('is in force from when it is given to when it ends, and for its service only', () => {
    const book = new GateBook();
    book.override(wish(0));
    expect(book.overrideOf('shop', 0)).toEqual(wish(0));
    expect(book.overrideOf('shop', HOUR - 1)).toEqual(wish(0));
    expect(book.overrideOf('shop', HOUR)).toBeNull();
    expect(book.overrideOf('cart', 0)).toBeNull();
  });

  it('that is over stays in the audit trail', () => {
    const book = new GateBook();
    book.override(wish(0));
    book.override(wish(2 * HOUR, { by: 'ben' }));
    expect(book.overrides()).toEqual([
      { ...wish(2 * HOUR, { by: 'ben' }), endedAt: null, endedBy: null },
      { ...wish(0), endedAt: null, endedBy: null },
    ]);
  });

  it('takes the place of the one in force, which says who ended it and when', () => {
    const book = new GateBook();
    book.override(wish(0));
    book.override(wish(10, { by: 'ben', reason: 'the other fix' }));
    expect(book.overrideOf('shop', 20)).toMatchObject({ by: 'ben' });
    expect(book.overrides()[1]).toEqual({ ...wish(0), endedAt: 10, endedBy: 'ben' });
  });

  it('is ended once', () => {
    const book = new GateBook();
    book.override(wish(0));
    expect(book.endOverride('shop', 'cleo', 5)).toEqual({ ...wish(0), endedAt: 5, endedBy: 'cleo' });
    expect(book.overrideOf('shop', 5)).toBeNull();
    expect(book.endOverride('shop', 'cleo', 6)).toBeNull();
  });

  it('is kept up to a number, those that are over going first', () => {
    const book = new GateBook();
    book.override(wish(0, { service: 'long', until: 1e12 }));
    for (let n = 1; n <= 2 * MAX_OVERRIDES; n++) book.override(wish(n * HOUR, { service: `s${n}` }));
    expect(book.overrides()).toHaveLength(MAX_OVERRIDES);
    expect(book.overrideOf('long', 3 * MAX_OVERRIDES * HOUR)).not.toBeNull();
    expect(book.overrides()[0]?.service).toBe(`s${2 * MAX_OVERRIDES}`);
  });

  it('is refused when all places are taken by some in force, unless it takes the place of one', () => {
    const book = new GateBook();
    for (let n = 0; n < MAX_OVERRIDES; n++) expect(book.override(wish(0, { service: `s${n}` }))).toBe(true);
    expect(book.override(wish(1, { service: 'more' }))).toBe(false);
    expect(book.override(wish(1, { service: 's7', by: 'ben' }))).toBe(true);
    expect(book.overrides()).toHaveLength(MAX_OVERRIDES);
    expect(book.overrideOf('s7', 1)).toMatchObject({ by: 'ben' });
    expect(book.override(wish(HOUR, { service: 'more' }))).toBe(true);
  });
});

describe('a load test', () => {
  it('is told newest first, whatever the order they are handed in', () => {
    const book = new GateBook();
    for (const at of [2, 3, 1]) book.addLoadTest(test(at));
    expect(book.loadTestsOf('shop').map(({ at }) => at)).toEqual([3, 2, 1]);
    expect(book.loadTestsOf('cart')).toEqual([]);
  });

  it('of the same candidate and time is the same', () => {
    const book = new GateBook();
    book.addLoadTest(test(1));
    book.addLoadTest(test(1, { candidate: 'other' }));
    book.addLoadTest(test(1, { outcome: 'fail' }));
    expect(book.loadTestsOf('shop')).toEqual([test(1, { outcome: 'fail' }), test(1, { candidate: 'other' })]);
  });

  it('is kept up to a number, of services up to a number', () => {
    const book = new GateBook();
    for (let at = 0; at < 3 * MAX_LOAD_TESTS; at++) book.addLoadTest(test(at));
    expect(book.loadTestsOf('shop').map(({ at }) => at)).toEqual([14, 13, 12, 11, 10]);
    for (let n = 1; n < MAX_TESTED_SERVICES; n++) book.addLoadTest(test(0, { service: `s${n}` }));
    book.addLoadTest(test(99));
    book.addLoadTest(test(0, { service: 'one more' }));
    expect(book.loadTestsOf('s1')).toEqual([]);
    expect(book.loadTestsOf('shop')).not.toEqual([]);
  });
});

describe('over a restart', () => {
  it('says the same, whatever was told before', () => {
    const service = fc.constantFrom('shop', 'cart', 'pay');
    const at = fc.nat(5 * HOUR);
    const act = fc.oneof(
      fc.record({ service, at }).map((change) => (book: GateBook) => void book.override(wish(change.at, change))),
      fc.tuple(service, at).map(
        ([of, now]) =>
          (book: GateBook) =>
            void book.endOverride(of, 'ben', now),
      ),
      fc
        .record({ service, at, candidate: fc.constantFrom('a', 'b') })
        .map((change) => (book: GateBook) => book.addLoadTest(test(change.at, change))),
    );
    fc.assert(
      fc.property(fc.array(act, { minLength: 1, maxLength: 30 }), (acts) => {
        const book = new GateBook();
        book.addLoadTest(test(0));
        for (const change of acts) change(book);
        const again = reopened(book);
        expect(again.overrides()).toEqual(book.overrides());
        for (const of of ['shop', 'cart', 'pay']) {
          expect(again.loadTestsOf(of)).toEqual(book.loadTestsOf(of));
          expect(again.overrideOf(of, HOUR)).toEqual(book.overrideOf(of, HOUR));
        }
      }),
    );
  });

  it.each(['', 'null', '{}', '{"overrides":[]}'])('what is not its own is refused: %j', (json) => {
    expect(() => new GateBook().restore(json)).toThrow('reading what the gate was told');
  });

  it('only what changed is saved', () => {
    const book = new GateBook();
    expect(book.takeUnsaved()).toBeNull();
    book.override(wish(0));
    const saved = book.takeUnsaved();
    expect(saved).not.toBeNull();
    expect(book.takeUnsaved()).toBeNull();
    const again = new GateBook();
    again.restore(saved ?? '');
    expect(again.takeUnsaved()).toBeNull();
    again.endOverride('shop', 'ben', 1);
    expect(again.takeUnsaved()).not.toBeNull();
  });
});
