/** What a status says of sources that are behind, and what it says for several cells together. */
import { describe, expect, it } from 'vitest';
import { inputsView, mergedInputs } from '../../src/engine/inputs-view.ts';
import { SourceBook } from '../../src/engine/source-book.ts';
import type { InputsView } from '../../src/model/inputs-view.ts';

const T0 = 1_800_000_000_000;
const WAIT_MS = 120_000;

function tell(book: SourceBook, at: number, completeUntil: Readonly<Record<string, number>>, expected: readonly string[] = []): void {
  const progress = Object.entries(completeUntil).map(([source, ms]) => ({ source, completeUntilMs: T0 + ms, isClosed: false }));
  book.report({ member: 'm', progress, expected, gaps: [] }, T0 + at);
}

describe('what is told of inputs', () => {
  it('is nothing while all sources are complete up to now', () => {
    const book = new SourceBook({ waitMs: WAIT_MS });
    tell(book, 5000, { 't/0': 4500, 't/1': 4000 });
    expect(inputsView(book, T0 + 5000)).toEqual({
      streamTime: T0 + 4000,
      lagMs: 1000,
      doubt: null,
      sources: 2,
      waitedFor: 0,
      givenUp: 0,
      lagging: [],
      quarantined: [],
    });
  });

  it('names a source that was never heard of before one that is behind, and those that were given up between', () => {
    const book = new SourceBook({ waitMs: WAIT_MS });
    tell(book, 0, { 't/0': 0, 't/1': 0, 't/2': 0 });
    for (let at = 0; at < 130_000; at += 1000) {
      tell(book, at, { 't/0': at, 't/1': 0, 't/2': Math.max(0, at - 50_000) }, ['t/0', 't/1', 't/2']);
      book.streamTime(T0 + at);
    }
    tell(book, 130_000, { 't/0': 130_000, 't/2': 80_000 }, ['t/1', 't/3']);
    const { lagging, ...view } = inputsView(book, T0 + 130_000);
    expect(view).toMatchObject({ streamTime: T0 + 79_000, lagMs: 51_000, doubt: 'input_lagging', sources: 4, waitedFor: 2, givenUp: 1 });
    expect(lagging).toEqual([
      { source: 't/3', completeUntil: null, stillSince: T0 + 130_000, isWaitedFor: true },
      { source: 't/1', completeUntil: T0, stillSince: T0, isWaitedFor: false },
      { source: 't/2', completeUntil: T0 + 80_000, stillSince: T0 + 130_000, isWaitedFor: true },
    ]);
  });

  it('has room for 20 sources and the five newest records that were set aside within a day, and counts the rest', () => {
    const book = new SourceBook({ waitMs: WAIT_MS });
    tell(
      book,
      0,
      {},
      Array.from({ length: 1000 }, (_, i) => `t/${i}`),
    );
    const records = Array.from({ length: 9 }, (_, offset) => ({ source: 't/0', offset, at: T0, reason: 'no' }));
    const view = inputsView(book, T0 + 1000, records);
    expect([view.sources, view.waitedFor, view.lagging.length]).toEqual([1000, 1000, 20]);
    expect(view.quarantined.map(({ offset }) => offset)).toEqual([8, 7, 6, 5, 4]);
    expect(inputsView(book, T0 + 24 * 3_600_000, records).quarantined).toEqual([]);
  });
});

describe('several cells together', () => {
  const view = (of: Partial<InputsView>): InputsView => ({
    streamTime: T0,
    lagMs: 0,
    doubt: null,
    sources: 3,
    waitedFor: 0,
    givenUp: 0,
    lagging: [],
    quarantined: [],
    ...of,
  });

  it('wait where one of them does, and name each source once', () => {
    const still = { source: 't/1', completeUntil: T0 - 70_000, stillSince: T0 - 9000, isWaitedFor: true };
    const behind = view({ streamTime: T0 - 70_000, lagMs: 70_000, doubt: 'input_lagging', waitedFor: 1, lagging: [still] });
    expect(mergedInputs([view({}), behind, null, behind])).toEqual(behind);
    expect(mergedInputs([behind, view({ streamTime: null, lagMs: null, doubt: 'input_gap' })])).toEqual({
      ...behind,
      streamTime: null,
      lagMs: null,
      doubt: 'input_gap',
    });
  });

  it('wait for nothing where none of them does', () => {
    expect(mergedInputs([])).toBeNull();
    expect(mergedInputs([null, null])).toBeNull();
    expect(mergedInputs([null, view({})])).toEqual(view({}));
  });
});
