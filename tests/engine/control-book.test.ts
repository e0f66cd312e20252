/** What operators forbid: which of several counts, what is kept, and what a restart takes up. */
import { describe, expect, it } from 'vitest';
import { ControlBook, MAX_RESETS } from '../../src/engine/control-book.ts';
import { MAX_OVERRIDES } from '../../src/engine/override-trail.ts';
import type { ControlOverride } from '../../src/model/control-view.ts';

const AT = 1_800_000_000_000;

function wish(change: Partial<ControlOverride> = {}): ControlOverride {
  return { service: null, rollout: null, mode: 'hold', by: 'ana', reason: 'database is being moved', at: AT, until: null, ...change };
}

describe('the most that may leave', () => {
  it.each([
    ['nothing is in force', [], 'rollback'],
    ['everything is held', [wish()], 'hold'],
    ['the service is held', [wish({ service: 'shop' })], 'hold'],
    ['another service is held', [wish({ service: 'cart' })], 'rollback'],
    ['the rollout is held', [wish({ rollout: 'r1' })], 'hold'],
    ['another rollout is held', [wish({ rollout: 'r2' })], 'rollback'],
    ['a service is called as the rollout', [wish({ service: 'r1' })], 'rollback'],
    ['everything is held and the service observed', [wish(), wish({ service: 'shop', mode: 'observe' })], 'observe'],
    ['everything is observed and the rollout held', [wish({ mode: 'observe' }), wish({ rollout: 'r1' })], 'observe'],
    ['a stricter one gave way to a milder one', [wish({ mode: 'observe' }), wish()], 'hold'],
    ['it is over', [wish({ until: AT + 1 })], 'rollback'],
  ] as const)('when %s is as the lowest has it', (_when, wishes, expected) => {
    const book = new ControlBook();
    for (const one of wishes) expect(book.override(one)).toBe(true);
    expect(book.modeOf('shop', 'r1', AT + 1)).toBe(expected);
  });

  it('is no rollback while the kill switch is thrown', () => {
    const book = new ControlBook();
    book.switchedAt = AT;
    expect(book.modeOf('shop', 'r1', AT)).toBe('hold');
    book.override(wish({ service: 'shop', mode: 'observe' }));
    expect(book.modeOf('shop', 'r1', AT)).toBe('observe');
    book.switchedAt = null;
    expect(book.modeOf('cart', 'r1', AT)).toBe('rollback');
  });
});

it('all of it is taken up again after a restart, the audit trail too', () => {
  const book = new ControlBook();
  book.override(wish());
  book.override(wish({ service: 'shop', at: AT + 1 }));
  book.endOverride({ service: null, rollout: null }, 'ben', AT + 2);
  book.addReset({ by: 'ana', reason: 'looked at it', at: AT + 3 });
  const json = book.takeUnsaved();
  expect(book.takeUnsaved()).toBeNull();
  const next = new ControlBook();
  next.restore(json ?? '');
  expect([next.overrides(), next.resets()]).toEqual([book.overrides(), book.resets()]);
  expect([next.modeOf('shop', 'r', AT + 4), next.modeOf('cart', 'r', AT + 4)]).toEqual(['hold', 'rollback']);
  expect(next.takeUnsaved()).toBeNull();
  expect(() => new ControlBook().restore('{"overrides":[]}')).toThrow(/reading what operators forbade: .*a list is missing/);
});

it('what is in force is never forgotten, however much is asked', () => {
  const book = new ControlBook();
  for (let n = 0; n < MAX_OVERRIDES; n++) expect(book.override(wish({ service: `s${n}` }))).toBe(true);
  expect(book.override(wish())).toBe(false);
  expect(book.modeOf('s0', 'r', AT)).toBe('hold');
  for (let n = 0; n < 2 * MAX_RESETS; n++) book.addReset({ by: 'ana', reason: `number ${n}`, at: AT + n });
  expect(book.resets()).toHaveLength(MAX_RESETS);
  expect(book.resets()[0]?.at).toBe(AT + 2 * MAX_RESETS - 1);
});
