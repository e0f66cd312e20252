/** Stream time: waits for whom it should, for so long as it should, and says why it is not to be trusted. */
import { fc, test } from '@fast-check/vitest';
import { describe, expect, it } from 'vitest';
import { SourceBook } from '../../src/engine/source-book.ts';
import type { ProgressReport, SourceGap } from '../../src/model/source-progress.ts';

const T0 = 1_800_000_000_000;
const WAIT_MS = 120_000;

function told(completeUntil: Readonly<Record<string, number>>, of: Partial<ProgressReport> = {}): ProgressReport {
  const progress = Object.entries(completeUntil).map(([source, ms]) => ({ source, completeUntilMs: T0 + ms, isClosed: false }));
  return { member: 'm1', expected: [], gaps: [], progress, ...of };
}

/** `at` and results count from T0. */
class Book {
  book = new SourceBook({ waitMs: WAIT_MS });

  tell(at: number, completeUntil: Readonly<Record<string, number>>, of: Partial<ProgressReport> = {}): void {
    this.book.report(told(completeUntil, of), T0 + at);
  }

  time(at: number): number {
    return this.book.streamTime(T0 + at) - T0;
  }

  doubt(at: number) {
    return this.book.doubt(T0 + at);
  }

  waitedFor(at: number): string[] {
    return this.book.sources(T0 + at).flatMap(({ source, isWaitedFor }) => (isWaitedFor ? [source] : []));
  }

  restart(): void {
    const notes = JSON.parse(JSON.stringify(this.book.snapshot()));
    this.book = new SourceBook({ waitMs: WAIT_MS });
    this.book.restore(notes);
  }

  unobserved(): number[][] {
    return this.book.takeUnobserved().map(([from, to]) => [from - T0, to - T0]);
  }
}

const gap = (of: Partial<SourceGap>): SourceGap => ({ source: 't/0', reason: 'retention', fromMs: null, toMs: null, text: 'lost', ...of });

describe('stream time', () => {
  it('is nowhere while nothing is known', () => {
    const book = new Book();
    expect(book.time(0)).toBe(Number.NEGATIVE_INFINITY);
    expect(book.doubt(0)).toBe('input_lagging');
    book.tell(0, {}, { expected: ['t/0', 't/1'] });
    expect(book.time(1000)).toBe(Number.NEGATIVE_INFINITY);
  });

  it('waits for all of them when all stood still for long and one is the first to be heard again', () => {
    const book = new Book();
    book.tell(0, { 't/0': 0, 't/1': 0 });
    for (let at = 0; at <= 5 * WAIT_MS; at += 500) expect(book.time(at)).toBe(0);
    // A broker is back, and what waited there is read one partition after the other.
    book.tell(5 * WAIT_MS, { 't/0': 30_000 });
    expect(book.time(5 * WAIT_MS)).toBe(0);
    expect(book.waitedFor(5 * WAIT_MS)).toEqual(['t/0', 't/1']);
    book.tell(5 * WAIT_MS + 1000, { 't/1': 20_000 });
    expect(book.time(5 * WAIT_MS + 1000)).toBe(20_000);
    expect(book.unobserved()).toEqual([]);
    for (let at = 5 * WAIT_MS + 1500; at <= 6 * WAIT_MS + 3000; at += 500) {
      book.tell(at, { 't/0': at });
      book.time(at);
    }
    expect(book.waitedFor(6 * WAIT_MS + 3000)).toEqual(['t/0']);
  });

  it('is where the earliest source is, whoever reports it, and never ahead of the wall clock', () => {
    const book = new Book();
    book.tell(5000, { 't/0': 4000, 't/1': 9000 });
    book.tell(5000, { 't/2': 3000 }, { member: 'm2' });
    expect(book.time(5000)).toBe(3000);
    book.tell(6000, { 't/2': 90_000, 't/0': 90_000, 't/1': 90_000 });
    expect(book.time(6000)).toBe(6000);
  });

  it.each([
    ['before any time was given', false, Number.NEGATIVE_INFINITY],
    ['where it is', true, 1000],
  ])('waits for a source that is expected and was never heard of: %s', (_, isGiven, expected) => {
    const book = new Book();
    book.tell(1000, { 't/0': 1000 });
    if (isGiven) expect(book.time(1000)).toBe(1000);
    book.tell(2000, { 't/0': 2000 }, { expected: ['t/0', 't/1'] });
    expect(book.time(2000)).toBe(expected);
    book.tell(3000, { 't/0': 3000, 't/1': 2500 });
    expect(book.time(3000)).toBe(2500);
  });

  it('goes on without a source that stands still for too long, says so, and waits for it again once it is back', () => {
    const book = new Book();
    for (let at = 0; at <= 200_000; at += 1000) {
      book.tell(at, { 't/0': at, ...(at <= 20_000 && { 't/1': at }) }, { expected: ['t/0', 't/1'] });
      const isLost = at > 20_000 + WAIT_MS;
      expect([at, book.time(at)]).toEqual([at, at <= 20_000 || isLost ? at : 20_000]);
      expect([at, book.doubt(at)]).toEqual([at, isLost || at > 80_000 ? 'input_lagging' : null]);
    }
    expect(book.waitedFor(200_000)).toEqual(['t/0']);
    expect(book.unobserved()).toEqual([[20_000, 200_000]]);
    book.tell(201_000, { 't/1': 100_000 });
    expect(book.time(201_000)).toBe(200_000);
    expect(book.doubt(201_000)).toBe('input_lagging');
    book.tell(202_000, { 't/0': 202_000, 't/1': 201_500 });
    expect([book.time(202_000), book.doubt(202_000)]).toEqual([201_500, null]);
    expect(book.unobserved()).toEqual([]);
  });

  it('gives nobody up for being hours behind while it goes on, unless others are far ahead', () => {
    const book = new Book();
    const hours = -3_600_000;
    for (let at = 0; at < 300_000; at += 1000) {
      book.tell(at, { 't/0': hours + at * 4, 't/1': hours + at * 3 });
      expect(book.time(at)).toBe(hours + at * 3);
    }
    expect(book.unobserved()).toEqual([]);
    const lead = 5 * WAIT_MS;
    const [from, to] = [300_000, 300_000 + lead];
    for (let at = from; at <= to + 1000; at += 1000) {
      const slow = hours + at * 3;
      book.tell(at, { 't/0': slow + lead + 1, 't/1': slow });
      expect([at, book.waitedFor(at)]).toEqual([at, at <= to ? ['t/0', 't/1'] : ['t/0']]);
    }
  });

  it('gives nobody up while nothing at all is heard: that is our own ear', () => {
    const book = new Book();
    book.tell(0, { 't/0': 0, 'otlp/m1': 0 });
    expect(book.time(0)).toBe(0);
    expect(book.time(3_600_000)).toBe(0);
    expect(book.waitedFor(3_600_000)).toEqual(['otlp/m1', 't/0']);
    expect(book.doubt(3_600_000)).toBe('input_lagging');
    expect(book.unobserved()).toEqual([]);
  });

  it('waits for nobody who took their leave, but for a partition that another member takes over', () => {
    const book = new Book();
    book.tell(0, { 't/0': 0, 'otlp/m1': 0 }, { expected: ['t/0'] });
    book.tell(0, {}, { member: 'm2', expected: ['t/0'] });
    const closed = ['t/0', 'otlp/m1'].map((source) => ({ source, completeUntilMs: T0 + 1000, isClosed: true }));
    book.tell(1000, {}, { progress: closed, expected: ['t/0'] });
    expect(book.waitedFor(1000)).toEqual(['t/0']);
    expect(book.time(2000)).toBe(1000);
    book.tell(3000, { 't/0': 3000 }, { member: 'm2', expected: ['t/0'] });
    expect(book.time(3000)).toBe(3000);
  });

  it('forgets a member that crashed, and tells what it had not told as lost', () => {
    const book = new Book();
    for (let at = 0; at <= 130_000; at += 1000) book.tell(at, { 't/0': at, ...(at <= 5000 && { 'otlp/m1': at }) }, { expected: ['t/0'] });
    expect(book.time(130_000)).toBe(130_000);
    expect(book.book.sources(T0 + 130_000).map(({ source }) => source)).toEqual(['t/0']);
    expect(book.doubt(130_000)).toBe('input_gap');
    expect(book.unobserved()).toEqual([[5000, 130_000]]);
    book.tell(200_000, { 't/0': 200_000 });
    expect(book.doubt(200_000)).toBeNull();
  });

  it('forgets a partition that nobody expects any more, and one whose member expects others now', () => {
    const book = new Book();
    book.tell(0, { 'old/0': 0 }, { expected: ['old/0', 'older/0'] });
    for (let at = 0; at <= 250_000; at += 1000) book.tell(at, { 't/0': at }, { expected: ['t/0'] });
    expect(book.book.sources(T0 + 250_000).map(({ source }) => source)).toEqual(['t/0']);
    expect(book.doubt(250_000)).toBeNull();
  });

  it('goes on after a restart with the sources there were, and gives them time to be heard again', () => {
    const book = new Book();
    book.tell(1000, { 't/0': 1000, 't/1': 900 }, { expected: ['t/0', 't/1', 't/2'] });
    book.tell(1000, { 't/2': 800 });
    expect(book.time(1000)).toBe(800);
    book.restart();
    const hour = 3_600_000;
    expect(book.time(hour)).toBe(800);
    book.tell(hour, { 't/0': hour, 't/1': 1000 });
    expect(book.time(hour)).toBe(800);
    expect(book.waitedFor(hour)).toEqual(['t/0', 't/1', 't/2']);
    book.tell(hour + 1000, { 't/1': hour, 't/2': hour });
    expect(book.time(hour + 1000)).toBe(hour);
  });

  const steps = fc.array(
    fc.record({
      wall: fc.integer({ min: -50_000, max: 200_000 }),
      source: fc.constantFrom('t/0', 't/1', 'otlp/a'),
      completeUntil: fc.integer({ min: -1_000_000, max: 1_000_000 }),
      isClosed: fc.boolean(),
      expected: fc.subarray(['t/0', 't/1', 't/2']),
      restart: fc.boolean(),
    }),
    { maxLength: 40 },
  );

  test.prop([steps])('never goes back and is never ahead of the wall clock that moved it', (all) => {
    const book = new Book();
    let before = Number.NEGATIVE_INFINITY;
    let wall = 0;
    for (const step of all) {
      wall += step.wall;
      const progress = [{ source: step.source, completeUntilMs: T0 + step.completeUntil, isClosed: step.isClosed }];
      book.tell(wall, {}, { progress, expected: step.expected });
      if (step.restart) book.restart();
      const at = book.time(wall);
      expect(at).toBeGreaterThanOrEqual(before);
      if (at > before) expect(at).toBeLessThanOrEqual(wall);
      before = at;
    }
  });
});

describe('lost spans', () => {
  it.each<[string, Partial<SourceGap>, number[][]]>([
    ['of known times', { fromMs: T0 + 2000, toMs: T0 + 9000 }, [[2000, 9000]]],
    ['since the source was complete', { toMs: T0 + 9000 }, [[4000, 9000]]],
    ['until now', {}, [[4000, 10_000]]],
    ['of a source that nobody knows, since the time all are at', { source: 't/9' }, [[4000, 10_000]]],
    ['of one moment', { fromMs: T0 + 9000, toMs: T0 + 9000 }, [[8000, 9000]]],
  ])('%s are a time in which nothing was observed', (_, of, expected) => {
    const book = new Book();
    book.tell(4000, { 't/0': 4000 });
    book.time(4000);
    book.book.lost(gap(of), T0 + 10_000);
    book.book.lost(gap(of), T0 + 10_000);
    expect(book.unobserved()).toEqual(expected);
    expect(book.unobserved()).toEqual([]);
  });

  it('are doubted from when time comes to them until a minute after, over a restart, too', () => {
    const book = new Book();
    book.tell(0, { 't/0': 0 }, { gaps: [gap({ fromMs: T0 + 5000, toMs: T0 + 20_000 })] });
    const doubts = [0, 4000, 5000, 20_000, 79_000, 81_000].map((at) => {
      book.tell(at, { 't/0': at });
      book.restart();
      return book.doubt(at);
    });
    expect(doubts).toEqual([null, null, 'input_gap', 'input_gap', 'input_gap', null]);
  });

  it('never take more room than a few', () => {
    const book = new Book();
    for (let i = 0; i < 1000; i++) book.book.lost(gap({ fromMs: T0 + i * 10_000, toMs: T0 + i * 10_000 + 2000 }), T0);
    const spans = book.unobserved();
    expect(spans.length).toBeLessThanOrEqual(64);
    for (let i = 0; i < 1000; i++) expect(spans.some(([from = 0, to = 0]) => from <= i * 10_000 && to >= i * 10_000 + 2000)).toBe(true);
  });
});

it('a note that is not what was written is refused', () => {
  const book = new SourceBook({ waitMs: WAIT_MS });
  expect(() => book.restore([{ key: 'sources', json: '{}' }])).toThrow(/reading note sources: .*a list is missing/);
});
