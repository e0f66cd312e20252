/** Hours of trends from pieces of ten minutes: what is kept, what is missing, and restarts. */
import { describe, expect, it } from 'vitest';
import { TrendBook, type TrendSource } from '../../src/engine/trend-book.ts';
import type { StoredNote } from '../../src/model/checkpoint.ts';
import type { Counts, Distribution, DistributionBucket } from '../../src/model/distribution.ts';
import type { TrendRule } from '../../src/model/objective.ts';
import type { Policies } from '../../src/model/policy.ts';
import { objective, policies } from '../support/policies.ts';

const PIECE_MS = 600_000;
const DAY_PIECES = 144;
const START_PIECE = 20_000 * DAY_PIECES;

interface Piece {
  readonly latencyUs: number;
  readonly requests: number;
  readonly failed: number;
}

/** A window whose requests of ten minutes all take the same time. */
class Pieces implements TrendSource {
  frozenBefore = 0;
  newestSlot = 0;
  readonly #at: (piece: number) => Piece | null;

  constructor(at: (piece: number) => Piece | null) {
    this.#at = at;
  }

  /** Moves on to where `piece`, counted from the start, is complete. */
  complete(piece: number): this {
    this.frozenBefore = (START_PIECE + piece + 1) * 600;
    this.newestSlot = this.frozenBefore + 60;
    return this;
  }

  counts(series: readonly number[], fromMs: number, toMs: number): Counts {
    const piece = this.#of(series, fromMs, toMs);
    return { spans: piece?.requests ?? 0, failedSpans: piece?.failed ?? 0, requests: piece?.requests ?? 0, failed: piece?.failed ?? 0 };
  }

  distribution(series: readonly number[], fromMs: number, toMs: number): Distribution {
    const piece = this.#of(series, fromMs, toMs);
    const buckets: DistributionBucket[] =
      piece === null ? [] : [{ lowUs: piece.latencyUs, highUs: piece.latencyUs, count: piece.requests }];
    return {
      total: piece?.requests ?? 0,
      failed: piece?.failed ?? 0,
      countAtOrBelow: () => Number.NaN,
      quantile: () => Number.NaN,
      buckets: () => buckets,
    };
  }

  #of(series: readonly number[], fromMs: number, toMs: number): Piece | null {
    expect(toMs - fromMs).toBe(PIECE_MS);
    return series.includes(7) ? this.#at(fromMs / PIECE_MS - START_PIECE) : null;
  }
}

function rule(change: Partial<TrendRule> = {}): TrendRule {
  const metric = change.metric ?? 'p95';
  return {
    id: `shop:trend:${metric}`,
    service: 'shop',
    endpoint: null,
    metric,
    growthPerDay: 0.05,
    days: 3,
    capacity: null,
    text: `${metric} +5%/day for 3 days`,
    ...change,
  };
}

function declared(...trends: readonly TrendRule[]): Policies {
  const all = policies({ objectives: [objective({ service: 'shop' })] });
  const shop = all.services.get('shop');
  return { ...all, services: new Map(shop === undefined ? [] : [['shop', { ...shop, trends }]]) };
}

const seriesOf = () => [7];

/** 200 requests every ten minutes, 10 % slower and 20 % more failures each day. */
const creeping = (piece: number): Piece => {
  const day = Math.floor(piece / DAY_PIECES);
  return { latencyUs: 100_000 * 1.1 ** day, requests: 200, failed: 2 * 1.2 ** day };
};

function run(book: TrendBook, window: Pieces, from: number, to: number): void {
  for (let piece = from; piece < to; piece++) book.advance(window.complete(piece), seriesOf);
}

describe('trends of recorded days', () => {
  it.each([
    ['p95', 0.1],
    ['errors', 0.2],
    ['inFlight', 0.1],
  ] as const)('of %s find what grew each day', (metric, growth) => {
    const book = new TrendBook(declared(rule({ metric })));
    run(book, new Pieces(creeping), 0, 4 * DAY_PIECES);
    const [view] = book.views('shop');
    expect(view).toMatchObject({ id: `shop:trend:${metric}`, outcome: 'too_steep' });
    expect(view?.growthPerDay).toBeCloseTo(growth, 9);
  });

  it('show µs, ratios and requests at once', () => {
    const metrics = ['p50', 'p95', 'errors', 'inFlight'] as const;
    const book = new TrendBook(declared(...metrics.map((metric) => rule({ metric }))));
    run(book, new Pieces(() => ({ latencyUs: 300_000, requests: 6000, failed: 60 })), 0, 4 * DAY_PIECES);
    // 6,000 requests of 0.3 s in 600 s are 3 at once.
    expect(book.views('shop').map(({ days }) => days[0])).toEqual([300_000, 300_000, 0.01, 3]);
  });

  it('are of too little data before the days are there', () => {
    const book = new TrendBook(declared(rule()));
    run(book, new Pieces(creeping), 0, DAY_PIECES);
    expect(book.views('shop')).toMatchObject([{ outcome: 'too_little_data' }]);
    expect(new TrendBook(declared(rule())).views('shop')).toMatchObject([{ outcome: 'too_little_data', days: [null, null, null, null] }]);
    expect(book.views('cart')).toEqual([]);
  });

  it.each([
    ['two of six pieces', (piece: number) => (piece % 6 < 2 ? creeping(piece) : null)],
    ['too few requests for a p95', (piece: number) => ({ ...creeping(piece), requests: 16 })],
  ])('do not trust hours with %s', (_, at) => {
    const book = new TrendBook(declared(rule()));
    run(book, new Pieces(at), 0, 4 * DAY_PIECES);
    expect(book.views('shop')).toMatchObject([{ outcome: 'too_little_data', days: [null, null, null, null] }]);
  });

  it('miss what was not heard, each hour in its place', () => {
    const book = new TrendBook(declared(rule()));
    const window = new Pieces(creeping);
    run(book, window, 0, 30);
    run(book, window, 50, 4 * DAY_PIECES);
    const [view] = book.views('shop');
    expect(view?.outcome).toBe('too_steep');
    expect(view?.growthPerDay).toBeCloseTo(0.1, 9);
  });

  it('look at the newest of at most 29 days', () => {
    const book = new TrendBook(declared(rule({ days: 28 })));
    run(book, new Pieces((piece) => ({ ...creeping(piece), latencyUs: 1000 + Math.floor(piece / DAY_PIECES) })), 0, 40 * DAY_PIECES);
    expect(book.views('shop')[0]?.days).toEqual(Array.from({ length: 29 }, (_, i) => 1011 + i));
    expect(book.snapshot()[0]?.json.length).toBeLessThan(10_000);
  });

  it('take each ten minutes once, and only while they can be read', () => {
    const book = new TrendBook(declared(rule({ metric: 'inFlight' })));
    const window = new Pieces(() => ({ latencyUs: 300_000, requests: 6000, failed: 0 }));
    for (let piece = 0; piece < 4 * DAY_PIECES; piece++)
      for (let again = 0; again < 3; again++) book.advance(window.complete(piece), seriesOf);
    expect(book.views('shop')[0]?.days.at(-1)).toBe(3);
    const late = new TrendBook(declared(rule()));
    window.complete(0).newestSlot += 900;
    late.advance(window, seriesOf);
    expect(late.snapshot()).toEqual([]);
  });

  it('serve many rules a few at a time, all of them before the piece is gone', () => {
    const rules = Array.from({ length: 95 }, (_, i) => rule({ id: `shop:trend:${i}` }));
    const book = new TrendBook(declared(...rules));
    const window = new Pieces(creeping).complete(0);
    const served: number[] = [];
    for (let second = 0; second < 11; second++) {
      book.advance(window, seriesOf);
      served.push(book.snapshot().length);
    }
    expect(served).toEqual([10, 10, 10, 10, 10, 10, 10, 10, 10, 5, 0]);
  });
});

describe('a restart', () => {
  it('changes nothing of what was gathered', () => {
    const window = new Pieces(creeping);
    const whole = new TrendBook(declared(rule()));
    run(whole, window, 0, 5 * DAY_PIECES);
    const saved = new Map<string, StoredNote>();
    let book = new TrendBook(declared(rule()));
    for (let piece = 0; piece < 5 * DAY_PIECES; piece++) {
      book.advance(window.complete(piece), seriesOf);
      if (piece % 101 !== 0) continue;
      for (const note of book.snapshot()) saved.set(note.key, note);
      book = new TrendBook(declared(rule()));
      book.restore([...saved.values()]);
    }
    expect(book.views('shop')).toEqual(whole.views('shop'));
  });

  it('with a rule that is gone, or about something else, starts it anew', () => {
    const book = new TrendBook(declared(rule()));
    run(book, new Pieces(creeping), 0, 4 * DAY_PIECES);
    const notes = book.snapshot();
    const other = new TrendBook(declared(rule({ endpoint: 'GET /' })));
    other.restore([...notes, { key: 'guard', json: '{}' }]);
    expect(other.views('shop')).toMatchObject([{ outcome: 'too_little_data' }]);
    book.reconfigure(declared());
    expect(book.snapshot()).toEqual([{ key: 'trend:shop:trend:p95', json: 'null' }]);
  });

  it('keeps the hours of a rule whose limit changes', () => {
    const book = new TrendBook(declared(rule()));
    run(book, new Pieces(creeping), 0, 4 * DAY_PIECES);
    book.reconfigure(declared(rule({ growthPerDay: 0.5 })));
    expect(book.views('shop')).toMatchObject([{ outcome: 'steady' }]);
  });

  it('from a note that is not what was written is refused', () => {
    const book = new TrendBook(declared(rule()));
    expect(() => book.restore([{ key: 'trend:shop:trend:p95', json: '{' }])).toThrow('reading note trend:shop:trend:p95');
  });
});
