/** The bounds of what is remembered of incidents. */
import { describe, expect, it } from 'vitest';
import type { CountsOf } from '../../src/engine/counts-of.ts';
import { IncidentBook } from '../../src/engine/incident-book.ts';
import type { IncidentView } from '../../src/model/slo-views.ts';
import { objective } from '../support/policies.ts';

const incident = (objective: string, endedAt: number): IncidentView => ({
  objective,
  startedAt: endedAt - 1,
  detectedAt: endedAt - 1,
  endedAt,
  severity: 'page',
  bad: 1,
  budgetShare: 0.1,
  releases: [],
});

describe('an incident', () => {
  it('names the releases that spent most, five at most, and its share of what the budget allows', () => {
    const book = new IncidentBook();
    const of = objective({ service: 'shop', target: 0.99 });
    const counts: CountsOf = {
      over: (_, from, to) => ({ from, to, valid: 1000, bad: 40 }),
      total: () => ({ from: 0, to: 1, valid: 20_000, bad: 40 }),
      closedTo: () => Number.POSITIVE_INFINITY,
      spenders: () => ['v7', 'v6', 'v5', 'v4', 'v3', 'v2'],
    };
    book.note(counts, { objective: of, severity: 'ticket', readings: [], at: 5_000_000, to: 5_000_000 });
    expect(book.of(of.id)).toEqual([
      {
        objective: of.id,
        startedAt: 5_000_000,
        detectedAt: 5_000_000,
        endedAt: null,
        severity: 'ticket',
        bad: 40,
        budgetShare: 0.2,
        releases: ['v7', 'v6', 'v5', 'v4', 'v3'],
      },
    ]);
  });
});

describe('incidents that are over', () => {
  it('are kept up to fifty an objective, the newest', () => {
    const book = new IncidentBook();
    book.restore(
      [],
      Array.from({ length: 70 }, (_, i) => incident('a', 70 - i)),
    );
    expect(book.of('a').map(({ endedAt }) => endedAt)).toEqual(Array.from({ length: 50 }, (_, i) => 70 - i));
    expect(book.dropped).toBe(20);
  });

  it('are bounded in all, the oldest of any objective going first', () => {
    const book = new IncidentBook();
    const all = Array.from({ length: 120 }, (_, i) => Array.from({ length: 50 }, (_, k) => incident(`o${i}`, 1_000_000 - k * 1000 - i)));
    book.restore([], all.flat());
    const kept = all.flatMap((_, i) => book.of(`o${i}`));
    expect(kept).toHaveLength(5000);
    expect(book.dropped).toBe(1000);
    const newest = all
      .flat()
      .map(({ endedAt }) => endedAt as number)
      .sort((a, b) => b - a)
      .slice(0, 5000);
    expect(kept.map(({ endedAt }) => endedAt as number).sort((a, b) => b - a)).toEqual(newest);
  });

  it('are given out for saving once, and those that were read back are not new', () => {
    const book = new IncidentBook();
    book.restore([{ view: { ...incident('a', 9), endedAt: null }, settledTo: 8, settledBad: 0 }], [incident('a', 5)]);
    expect(book.takeEnded()).toBeNull();
    book.retain((id) => id !== 'a');
    expect(book.takeEnded()).toEqual([]);
    expect(book.takeEnded()).toBeNull();
    expect(book.of('a')).toEqual([]);
  });
});
