/** The ledger keeps its limits without losing a bad event, or says from when on it counts. */
import { fc, it as property } from '@fast-check/vitest';
import { describe, expect, it } from 'vitest';
import { SpendLedger } from '../../src/engine/spend-ledger.ts';
import type { StoredCounts } from '../../src/model/checkpoint.ts';
import { CountKeys } from '../../src/window/count-keys.ts';

const HOUR = 3600;
const T0 = 500_000 * HOUR;
const ALL = [T0 * 1000, (T0 + 1000 * HOUR) * 1000] as const;

describe('SpendLedger', () => {
  it('puts what is beyond its cells into (other), of one objective and of all', () => {
    const ledger = new SpendLedger({ cells: 2, allCells: 3 });
    for (const [objective, endpoint] of [
      ['a', '/1'],
      ['a', '/2'],
      ['a', '/3'],
      ['a', '/4'],
      ['b', '/1'],
      ['b', '/2'],
    ] as const) {
      ledger.add(objective, endpoint, 'v1', T0, 1);
    }
    expect(ledger.view('a', ...ALL).rows).toEqual([
      { endpoint: '(other)', release: '(other)', bad: 2 },
      { endpoint: '/1', release: 'v1', bad: 1 },
      { endpoint: '/2', release: 'v1', bad: 1 },
    ]);
    expect(ledger.view('b', ...ALL).rows).toEqual([{ endpoint: '(other)', release: '(other)', bad: 2 }]);
  });

  it('forgets its oldest hours when it is full, and begins later', () => {
    const ledger = new SpendLedger({ hours: 10 });
    for (let hour = 0; hour < 11; hour++) ledger.add('a', '/', 'v1', T0 + hour * HOUR, 1);
    const { from, rows } = ledger.view('a', ...ALL);
    expect(from).toBeGreaterThan(T0 * 1000);
    expect(rows).toEqual([{ endpoint: '/', release: 'v1', bad: 11 - (from / 1000 - T0) / HOUR }]);
    ledger.add('a', '/', 'v1', T0, 5);
    expect(ledger.view('a', ...ALL).rows).toEqual(rows);
  });

  it('makes room for others when hours retire', () => {
    const ledger = new SpendLedger({ cells: 1 });
    ledger.add('a', '/', 'v1', T0, 1);
    ledger.retire('a', (T0 + HOUR) * 1000);
    expect([...ledger.names()]).toEqual([]);
    ledger.add('a', '/', 'v2', T0 + HOUR, 1);
    expect(ledger.view('a', ...ALL).rows).toEqual([{ endpoint: '/', release: 'v2', bad: 1 }]);
  });

  const spending = fc.array(
    fc.record({
      objective: fc.constantFrom('a', 'b'),
      endpoint: fc.constantFrom('/1', '/2', '/"3"\n'),
      release: fc.constantFrom('v1', 'v2'),
      hour: fc.integer({ min: 0, max: 50 }),
      bad: fc.integer({ min: 1, max: 5 }),
    }),
    { maxLength: 60 },
  );

  property.prop({ all: spending, cut: fc.nat(), from: fc.integer({ min: 0, max: 50 }), hours: fc.integer({ min: 0, max: 50 }) })(
    'agrees with a recount, after a restart too',
    ({ all, cut, from, hours }) => {
      let ledger = new SpendLedger();
      let keys = new CountKeys();
      for (const [i, { objective, endpoint, release, hour, bad }] of all.entries()) {
        ledger.add(objective, endpoint, release, T0 + hour * HOUR + i, bad);
        if (i !== cut % all.length) continue;
        const stored: StoredCounts[] = ledger.checkpoint(keys);
        expect(ledger.checkpoint(keys)).toEqual([]);
        const known = new CountKeys();
        known.restore(keys.takeChanged());
        ledger = new SpendLedger();
        keys = known;
        ledger.restore(stored, known, Number.NEGATIVE_INFINITY, () => Number.NEGATIVE_INFINITY);
      }
      for (const objective of ['a', 'b']) {
        const sums = new Map<string, number>();
        for (const one of all) {
          if (one.objective !== objective || one.hour < from || one.hour >= from + hours) continue;
          const name = JSON.stringify([one.endpoint, one.release]);
          sums.set(name, (sums.get(name) ?? 0) + one.bad);
        }
        const { rows } = ledger.view(objective, (T0 + from * HOUR) * 1000, (T0 + (from + hours) * HOUR) * 1000);
        expect(new Map(rows.map(({ endpoint, release, bad }) => [JSON.stringify([endpoint, release]), bad]))).toEqual(sums);
        expect(rows.map(({ bad }) => bad)).toEqual(rows.map(({ bad }) => bad).toSorted((a, b) => b - a));
      }
    },
  );
});
