/** What every store must do, whatever it keeps its state in. */
import { fc } from '@fast-check/vitest';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { StoredCounts, StoredSlot } from '../../src/model/checkpoint.ts';
import { PermanentError } from '../../src/model/errors.ts';
import { DELIVERY_STATES, type DeliveryState } from '../../src/model/rollout.ts';
import type { DeliveryChange } from '../../src/store/journal.ts';
import type { Store } from '../../src/store/store.ts';
import { DECIDED_AT, sampleCheckpoint, sampleSeries, sampleSignal } from './samples.ts';

export interface StoreUnderTest {
  readonly name: string;
  /** A new and empty store that keeps so many signals and runs. */
  open(kept?: { readonly signals?: number; readonly runs?: number }): Promise<Store>;
  /** Once what was written is durable, closes the store and opens what it left behind; a store that leaves nothing behind returns itself. */
  reopen(store: Store): Promise<Store>;
  /** Removes what the test left. */
  clean(): void;
}

const bytes = (...values: number[]) => Uint8Array.from(values);
const slot = (level: StoredSlot['level'], startSec: number, ...values: number[]): StoredSlot => ({
  level,
  startSec,
  bytes: bytes(...values),
});
const counted = (kind: StoredCounts['kind'], startSec: number, ...values: number[]): StoredCounts => ({
  kind,
  startSec,
  bytes: bytes(...values),
});
const byJson = (a: unknown, b: unknown) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1);
const change = (state: DeliveryState, attempts = 1, rest: Partial<DeliveryChange> = {}): DeliveryChange => ({
  state,
  isOpen: state === 'pending' || state === 'sent',
  attempts,
  lastError: null,
  escalatedAt: null,
  at: DECIDED_AT + attempts,
  ...rest,
});

export function describeStore(subject: StoreUnderTest): void {
  describe(`the ${subject.name} store`, () => {
    let store: Store;
    beforeEach(async () => {
      store = await subject.open();
    });
    afterEach(() => {
      store.close();
      subject.clean();
    });
    const reopen = async () => {
      await store.durable();
      store = await subject.reopen(store);
      return store;
    };

    it('is empty at first, and not because something was lost', () => {
      expect(store.load({ 1: 0, 3600: 0 })).toEqual({ at: null, series: [], slots: [], countKeys: [], counts: [], runs: [], notes: [] });
      expect(store.recovered).toBeNull();
      expect(store.journal.pending()).toEqual([]);
      expect(store.journal.entries(10)).toEqual([]);
    });

    it('gives back a checkpoint as it was', async () => {
      const saved = {
        series: [
          sampleSeries(0),
          sampleSeries(
            1,
            new Map([
              ['__proto__', 'x'],
              ['k8s.pod', 'ünï\u0000☃'],
            ]),
          ),
        ],
        slots: [slot(1, 100, 1, 2, 3), slot(1, 101), slot(60, 60, 255)],
        countKeys: [
          { id: 0, key: 'checkout:availability' },
          { id: 7, key: '["ünï☃"]' },
        ],
        counts: [counted('10', 100, 1, 2), counted('3600', 0), counted('period', 100, 3)],
        runs: [{ id: 'run/1', json: '{"a":[1,2]}' }],
        notes: [{ key: 'guard', json: '{"open":false}' }],
      };
      store.checkpoint(sampleCheckpoint({ at: 1_234.5, ...saved }));
      const loaded = (await reopen()).load({ 1: 0, 10: 0, 60: 0, 600: 0, 3600: 0 });
      expect({ ...loaded, counts: [...loaded.counts].sort(byJson) }).toEqual({ at: 1_234.5, ...saved, counts: saved.counts.sort(byJson) });
      expect(loaded.series[1]?.release.attributes.get('__proto__')).toBe('x');
    });

    it('keeps what a later checkpoint does not mention, and replaces what has the same key', async () => {
      store.checkpoint(
        sampleCheckpoint({
          slots: [slot(1, 100, 1), slot(1, 101, 2)],
          countKeys: [
            { id: 0, key: 'o' },
            { id: 1, key: 'p' },
            { id: 2, key: 'q' },
          ],
          counts: [counted('10', 100, 5), counted('10', 110, 5)],
          runs: [
            { id: 'a', json: '1' },
            { id: 'b', json: '1' },
          ],
          notes: [
            { key: 'x', json: '1' },
            { key: 'y', json: '1' },
          ],
        }),
      );
      store.checkpoint(
        sampleCheckpoint({
          at: DECIDED_AT + 1,
          slots: [slot(1, 101, 9)],
          countKeys: [
            { id: 1, key: 'new' },
            { id: 2, key: null },
          ],
          counts: [counted('10', 110, 6, 1)],
          runs: [{ id: 'b', json: '2' }],
          notes: [{ key: 'y', json: '2' }],
        }),
      );
      const loaded = (await reopen()).load({ 1: 0 });
      expect(loaded.at).toBe(DECIDED_AT + 1);
      expect(loaded.slots).toEqual([slot(1, 100, 1), slot(1, 101, 9)]);
      expect([...loaded.counts].sort(byJson)).toEqual([counted('10', 100, 5), counted('10', 110, 6, 1)]);
      expect(loaded.countKeys).toEqual([
        { id: 0, key: 'o' },
        { id: 1, key: 'new' },
      ]);
      expect([...loaded.runs].sort(byJson)).toEqual([
        { id: 'a', json: '1' },
        { id: 'b', json: '2' },
      ]);
      expect([...loaded.notes].sort(byJson)).toEqual([
        { key: 'x', json: '1' },
        { key: 'y', json: '2' },
      ]);
    });

    it('loads slots only of the levels and times asked for', async () => {
      store.checkpoint(sampleCheckpoint({ slots: [slot(1, 99), slot(1, 100), slot(10, 90), slot(60, 60), slot(3600, 3600)] }));
      expect((await reopen()).load({ 1: 100, 60: 0 }).slots).toEqual([slot(1, 100), slot(60, 60)]);
      expect(store.load({}).slots).toEqual([]);
    });

    it('reads slots of one level from a start up to, not including, an end', async () => {
      store.checkpoint(sampleCheckpoint({ slots: [slot(10, 30, 3), slot(10, 10, 1), slot(10, 20, 2), slot(1, 20, 7)] }));
      expect((await reopen()).slots(10, 10, 30)).toEqual([slot(10, 10, 1), slot(10, 20, 2)]);
      expect(store.slots(600, 0, 1e9)).toEqual([]);
    });

    it('does not share memory with who writes or reads a slot', () => {
      const buffer = bytes(1, 2, 3);
      store.checkpoint(sampleCheckpoint({ slots: [{ level: 1, startSec: 5, bytes: buffer }] }));
      buffer.fill(9);
      store.slots(1, 0, 10)[0]?.bytes.fill(8);
      expect(store.slots(1, 0, 10)).toEqual([slot(1, 5, 1, 2, 3)]);
    });

    it('drops slots and counts that a level or kind no longer retains, and those of no other', async () => {
      store.checkpoint(
        sampleCheckpoint({
          slots: [slot(1, 10), slot(1, 11), slot(10, 10)],
          counts: [counted('10', 10), counted('10', 20), counted('60', 0)],
        }),
      );
      store.checkpoint(sampleCheckpoint({ retain: [{ level: 1, slotsFromSec: 11 }], retainCounts: [{ kind: '10', fromSec: 15 }] }));
      const loaded = (await reopen()).load({ 1: 0, 10: 0 });
      expect(loaded.slots).toEqual([slot(1, 11), slot(10, 10)]);
      expect([...loaded.counts].sort(byJson)).toEqual([counted('10', 20), counted('60', 0)]);
    });

    it('is the fold of its checkpoints', async () => {
      const checkpoints = fc.array(
        fc.record({
          slots: fc.array(fc.tuple(fc.constantFrom(1 as const, 60 as const), fc.nat(9), fc.uint8Array({ maxLength: 4 })), { maxLength: 4 }),
          notes: fc.array(fc.tuple(fc.string({ unit: 'grapheme', maxLength: 3 }), fc.json()), { maxLength: 3 }),
          retain: fc.array(fc.tuple(fc.constantFrom(1 as const, 60 as const), fc.nat(9)), { maxLength: 2 }),
        }),
        { maxLength: 5 },
      );
      await fc.assert(
        fc.asyncProperty(checkpoints, async (steps) => {
          let folded = await subject.open();
          const slots = new Map<string, StoredSlot>();
          const notes = new Map<string, string>();
          for (const step of steps) {
            for (const [level, startSec, content] of step.slots) slots.set(`${level}/${startSec}`, { level, startSec, bytes: content });
            for (const [key, json] of step.notes) notes.set(key, json);
            for (const [level, from] of step.retain) {
              for (const [key, one] of slots) if (one.level === level && one.startSec < from) slots.delete(key);
            }
            folded.checkpoint(
              sampleCheckpoint({
                slots: step.slots.map(([level, startSec, content]) => ({ level, startSec, bytes: content })),
                notes: step.notes.map(([key, json]) => ({ key, json })),
                retain: step.retain.map(([level, from]) => ({ level, slotsFromSec: from })),
              }),
            );
          }
          await folded.durable();
          folded = await subject.reopen(folded);
          const loaded = folded.load({ 1: 0, 60: 0 });
          folded.close();
          expect([...loaded.slots]).toEqual([...slots.values()].sort((a, b) => a.level - b.level || a.startSec - b.startSec));
          expect(new Map(loaded.notes.map(({ key, json }) => [key, json]))).toEqual(notes);
        }),
        { numRuns: 25 },
      );
    });

    it('journals a new signal once per sink and says which were new', async () => {
      const signal = sampleSignal({ sinks: ['deploy', 'print', 'deploy'] });
      const other = sampleSignal({ id: 'sig_other', sinks: [] });
      expect(
        store.checkpoint(sampleCheckpoint(), [
          { signal, decidedAt: DECIDED_AT },
          { signal: other, decidedAt: DECIDED_AT },
        ]),
      ).toEqual([signal.id, 'sig_other']);
      const fresh = { state: 'pending', isOpen: true, attempts: 0, lastError: null, escalatedAt: null, updatedAt: DECIDED_AT };
      const open = { signal, decidedAt: DECIDED_AT, ...fresh };
      expect((await reopen()).journal.pending()).toEqual([
        { ...open, sink: 'deploy' },
        { ...open, sink: 'print' },
      ]);
    });

    it.each<DeliveryState>(['pending', 'sent', 'acknowledged'])('ignores a signal it knows, though it be %s', async (state) => {
      const signal = sampleSignal();
      store.checkpoint(sampleCheckpoint(), [{ signal, decidedAt: DECIDED_AT }]);
      store.journal.mark(signal.id, 'deploy', change(state));
      const again = { signal: sampleSignal({ summary: 'decided anew', sinks: ['deploy', 'late'] }), decidedAt: DECIDED_AT + 9 };
      expect((await reopen()).checkpoint(sampleCheckpoint(), [again, again])).toEqual([]);
      expect(store.journal.entries(10)).toMatchObject([{ signal, sink: 'deploy', state, decidedAt: DECIDED_AT }]);
    });

    it('remembers the way of a delivery', async () => {
      const signal = sampleSignal({ sinks: ['a', 'b'] });
      store.checkpoint(sampleCheckpoint(), [{ signal, decidedAt: DECIDED_AT }]);
      store.journal.mark(signal.id, 'a', change('sent', 2, { lastError: '503', escalatedAt: DECIDED_AT + 1.5 }));
      store.journal.mark(signal.id, 'b', change('acknowledged', 1));
      const a = { state: 'sent', isOpen: true, attempts: 2, lastError: '503', escalatedAt: DECIDED_AT + 1.5, updatedAt: DECIDED_AT + 2 };
      const rest = { isOpen: false, attempts: 1, lastError: null, escalatedAt: null, updatedAt: DECIDED_AT + 1 };
      expect((await reopen()).journal.pending()).toEqual([{ signal, decidedAt: DECIDED_AT, sink: 'a', ...a }]);
      expect(store.journal.of(signal.id)).toEqual([
        { signal, decidedAt: DECIDED_AT, sink: 'b', state: 'acknowledged', ...rest },
        { signal, decidedAt: DECIDED_AT, sink: 'a', ...a },
      ]);
      expect(store.journal.of('sig_never')).toEqual([]);
    });

    it.each(DELIVERY_STATES.flatMap((state) => [[state, true] as const, [state, false] as const]))(
      'keeps a delivery that is %s open or over as it was said to be: open %s',
      async (state, isOpen) => {
        const signal = sampleSignal();
        store.checkpoint(sampleCheckpoint(), [{ signal, decidedAt: DECIDED_AT }]);
        store.journal.mark(signal.id, 'deploy', change(state, 1, { isOpen }));
        expect((await reopen()).journal.pending()).toHaveLength(isOpen ? 1 : 0);
        store.journal.mark(signal.id, 'deploy', change('sent', 2));
        expect((await reopen()).journal.entries(1)).toMatchObject([
          isOpen ? { state: 'sent', attempts: 2 } : { state, isOpen, attempts: 1 },
        ]);
      },
    );

    it('takes up signals outside a checkpoint, once each, and leaves the rest as it was', async () => {
      store.checkpoint(sampleCheckpoint({ notes: [{ key: 'guard', json: '1' }] }), [{ signal: sampleSignal(), decidedAt: DECIDED_AT }]);
      store.journal.mark(sampleSignal().id, 'deploy', change('acknowledged'));
      const told = sampleSignal({ id: 'sig_told', action: 'rolled_back', sinks: ['a', 'b'], toldAfter: ['c'] });
      const both = [sampleSignal({ summary: 'anew' }), told, told].map((signal) => ({ signal, decidedAt: DECIDED_AT + 5 }));
      expect(store.journal.append(both)).toEqual(['sig_told']);
      expect(store.journal.append(both)).toEqual([]);
      expect((await reopen()).journal.pending()).toMatchObject([
        { signal: told, sink: 'a', state: 'pending', isOpen: true, decidedAt: DECIDED_AT + 5 },
        { signal: told, sink: 'b', state: 'pending', isOpen: true, decidedAt: DECIDED_AT + 5 },
      ]);
      expect(store.journal.of(sampleSignal().id)).toMatchObject([{ state: 'acknowledged', isOpen: false, signal: sampleSignal() }]);
      expect(store.load({})).toMatchObject({ at: DECIDED_AT, notes: [{ key: 'guard', json: '1' }] });
    });

    it('records decisions with their signals and leaves the time of the last checkpoint', async () => {
      store.checkpoint(sampleCheckpoint({ runs: [{ id: 'a', json: '1' }], notes: [{ key: 'guard', json: '1' }] }));
      const changed = { runs: [{ id: 'a', json: '2' }], notes: [{ key: 'guard', json: '2' }] };
      const decided = [{ signal: sampleSignal(), decidedAt: DECIDED_AT + 900 }];
      expect(store.recordDecisions(changed, decided)).toEqual([sampleSignal().id]);
      expect(store.recordDecisions(changed, decided)).toEqual([]);
      expect((await reopen()).load({})).toMatchObject({ at: DECIDED_AT, ...changed });
      expect(store.journal.pending()).toHaveLength(1);
    });

    it.each([
      ['signal', 'sig_never', 'deploy'],
      ['sink', sampleSignal().id, 'nowhere'],
    ])('refuses to mark a delivery whose %s was never journalled', (_, id, sink) => {
      store.checkpoint(sampleCheckpoint(), [{ signal: sampleSignal(), decidedAt: DECIDED_AT }]);
      expect(() => store.journal.mark(id, sink, change('sent'))).toThrow(PermanentError);
    });

    it('shows the newest decision first, and takes up the oldest first', async () => {
      const decided = [3, 1, 2].map((n) => ({ signal: sampleSignal({ id: `sig_${n}` }), decidedAt: DECIDED_AT + n }));
      store.checkpoint(sampleCheckpoint(), decided);
      expect((await reopen()).journal.entries(2).map((entry) => entry.signal.id)).toEqual(['sig_3', 'sig_2']);
      expect(store.journal.pending().map((entry) => entry.signal.id)).toEqual(['sig_1', 'sig_2', 'sig_3']);
    });

    it('forgets old signals beyond its limit, but none that is still open', async () => {
      const kept = await subject.open({ signals: 3 });
      const decide = (n: number) =>
        kept.checkpoint(sampleCheckpoint(), [{ signal: sampleSignal({ id: `sig_${n}` }), decidedAt: DECIDED_AT + n }]);
      for (let n = 0; n < 9; n++) {
        decide(n);
        if (n !== 1) kept.journal.mark(`sig_${n}`, 'deploy', change('acknowledged'));
      }
      decide(9);
      expect(kept.journal.entries(100).map((entry) => entry.signal.id)).toEqual(['sig_9', 'sig_8', 'sig_7', 'sig_6', 'sig_1']);
      kept.close();
    });

    it('forgets the runs that changed longest ago beyond its limit', async () => {
      const kept = await subject.open({ runs: 2 });
      for (const id of ['a', 'b', 'a', 'c']) kept.checkpoint(sampleCheckpoint({ runs: [{ id, json: '1' }] }));
      expect(
        kept
          .load({})
          .runs.map((run) => run.id)
          .sort(),
      ).toEqual(['a', 'c']);
      kept.close();
    });
  });
}
