/** The store in a compacted log keeps the contract, and its promises about crashes, successors and logs that stand still. */
import { fc } from '@fast-check/vitest';
import { afterEach, describe, expect, it } from 'vitest';
import { PermanentError } from '../../src/model/errors.ts';
import { ChangelogStore } from '../../src/store/changelog-store.ts';
import type { Store } from '../../src/store/store.ts';
import { MemoryChangelog } from './memory-changelog.ts';
import { DECIDED_AT, sampleCheckpoint, sampleSignal } from './samples.ts';
import { describeStore } from './store.contract.ts';
import { TemporaryFolders } from './temporary-folder.ts';

const folders = new TemporaryFolders();
const logOf = new WeakMap<object, MemoryChangelog>();

type Kept = { readonly signals?: number; readonly runs?: number };

async function openOn(log: MemoryChangelog, kept?: Kept, lost?: (error: unknown) => void): Promise<ChangelogStore> {
  const open = log.open.bind(log);
  const store = await ChangelogStore.restore({ folder: folders.make(), open, ...(kept && { kept }), ...(lost && { lost }) });
  logOf.set(store, log);
  return store;
}

async function reopened(store: Store): Promise<ChangelogStore> {
  store.close();
  return openOn(logOf.get(store) as MemoryChangelog);
}

for (const isCompacted of [false, true]) {
  describeStore({
    name: isCompacted ? 'compacted changelog' : 'changelog',
    open: (kept) => openOn(new MemoryChangelog(), kept),
    reopen: (store) => {
      if (isCompacted) logOf.get(store)?.compact();
      return reopened(store);
    },
    clean: () => folders.clean(),
  });
}

/** What never becomes durable is what a test is about. */
const ignored = (): void => {};

const EVERYTHING = { 1: 0, 10: 0, 60: 0, 600: 0, 3600: 0 } as const;

function everythingIn(store: Store): string {
  const { runs, ...state } = store.load(EVERYTHING);
  const bytes = (_: string, value: unknown) => (value instanceof Uint8Array ? [...value] : value instanceof Map ? [...value] : value);
  return JSON.stringify([state, [...runs].sort((a, b) => (a.id < b.id ? -1 : 1)), store.journal.entries(100)], bytes);
}

describe('a process that dies', () => {
  afterEach(() => folders.clean());

  type Step = (store: Store) => void;
  const numbered = fc.nat(5);
  const step: fc.Arbitrary<Step> = fc.oneof(
    fc.record({ at: fc.nat(50), slot: numbered, note: numbered, retain: numbered, value: fc.nat(255) }).map(
      ({ at, slot, note, retain, value }) =>
        (store: Store) =>
          void store.checkpoint(
            sampleCheckpoint({
              at,
              slots: [{ level: 1, startSec: slot, bytes: Uint8Array.of(value) }],
              counts: [{ kind: '10', startSec: slot, bytes: Uint8Array.of(value, 1) }],
              countKeys: [{ id: note, key: value % 3 === 0 ? null : String(value) }],
              notes: [{ key: `n${note}`, json: String(value) }],
              retain: [{ level: 1, slotsFromSec: retain }],
              retainCounts: [{ kind: '10', fromSec: retain }],
            }),
          ),
    ),
    fc.record({ run: numbered, signal: numbered, value: fc.nat(9) }).map(
      ({ run, signal, value }) =>
        (store: Store) =>
          void store.recordDecisions({ runs: [{ id: `r${run}`, json: String(value) }], notes: [] }, [
            { signal: sampleSignal({ id: `sig_${signal}` }), decidedAt: DECIDED_AT + value },
          ]),
    ),
    fc.record({ isOpen: fc.boolean(), attempts: fc.nat(9) }).map(({ isOpen, attempts }) => (store: Store) => {
      const open = store.journal.pending()[0];
      const state = isOpen ? 'sent' : 'confirmed';
      if (open !== undefined)
        store.journal.mark(open.signal.id, open.sink, { state, isOpen, attempts, lastError: null, escalatedAt: null, at: DECIDED_AT });
    }),
  );

  it('leaves a state that once was, whole, and not older than what was durable', async () => {
    const plan = fc.record({
      steps: fc.array(fc.record({ step, waits: fc.boolean() }), { minLength: 1, maxLength: 12 }),
      dies: fc.record({ atWrite: fc.nat(8), isCommitted: fc.boolean() }),
      isCompacted: fc.boolean(),
    });
    await fc.assert(
      fc.asyncProperty(plan, async ({ steps, dies, isCompacted }) => {
        const log = new MemoryChangelog();
        const store = await openOn(log, { signals: 3, runs: 2 });
        log.dies = dies;
        const were = [everythingIn(store)];
        let durable = 0;
        for (const { step, waits } of steps) {
          step(store);
          were.push(everythingIn(store));
          const now = were.length - 1;
          const settled = store.durable()?.then(() => {
            durable = Math.max(durable, now);
          }, ignored);
          // A log that hangs must not hang us: a turn of the event loop is more than the log in memory needs.
          if (waits) await Promise.race([settled, new Promise(setImmediate)]);
        }
        log.dies = null;
        if (isCompacted) log.compact();
        const heir = await openOn(log, { signals: 3, runs: 2 });
        const found = everythingIn(heir);
        heir.close();
        store.close();
        expect(were.slice(durable)).toContain(found);
        folders.clean();
      }),
      { numRuns: 60 },
    );
  });
});

describe('a store whose log stands still', () => {
  afterEach(() => folders.clean());

  it('is durable when the log goes on, and not before; what changed meanwhile goes together', async () => {
    const log = new MemoryChangelog();
    using store = await openOn(log);
    const { promise, resolve } = Promise.withResolvers<void>();
    log.before = () => promise;
    const told: string[] = [];
    const write = (n: number) => {
      store.checkpoint(
        sampleCheckpoint({ at: n, slots: [{ level: 1, startSec: n, bytes: new Uint8Array(9) }], retain: [{ level: 1, slotsFromSec: n }] }),
      );
      store.durable()?.then(() => told.push(`durable ${n}`), ignored);
    };
    write(1);
    await new Promise(setImmediate);
    for (let n = 2; n < 1_000; n++) write(n);
    await new Promise(setImmediate);
    expect(told).toEqual([]);
    resolve();
    await store.durable();
    expect(store.durable()).toBeNull();
    expect(told).toHaveLength(999);
    // The format, the checkpoint and its slot; then the checkpoint, the last slot, and that the first one is gone.
    expect(log.writes).toEqual([3, 3]);
  });

  it('has its decisions durable after an earlier write that is under way', async () => {
    const log = new MemoryChangelog();
    using store = await openOn(log);
    store.checkpoint(sampleCheckpoint());
    store.recordDecisions({ runs: [], notes: [] }, [{ signal: sampleSignal(), decidedAt: DECIDED_AT }]);
    store.journal.append([{ signal: sampleSignal({ id: 'sig_told' }), decidedAt: DECIDED_AT }]);
    await store.journal.durable();
    expect(store.journal.durable()).toBeNull();
    using heir = await reopened(store);
    expect(heir.journal.pending()).toHaveLength(2);
  });

  it('says when it has to close before all is durable', async () => {
    const log = new MemoryChangelog();
    const store = await openOn(log);
    log.before = () => new Promise<never>(() => {});
    store.checkpoint(sampleCheckpoint());
    const waiting = store.durable();
    expect(await store.finish(AbortSignal.abort())).toBe(false);
    await expect(waiting).rejects.toThrow(PermanentError);
  });

  it('closes when all is durable', async () => {
    const log = new MemoryChangelog();
    const store = await openOn(log);
    store.checkpoint(sampleCheckpoint({ at: 77 }));
    expect(await store.finish(new AbortController().signal)).toBe(true);
    using heir = await reopened(store);
    expect(heir.load({}).at).toBe(77);
  });
});

describe('a store whose state has another owner', () => {
  afterEach(() => folders.clean());

  it('tells so once, becomes durable never more, takes nothing more, and leaves no trace', async () => {
    const log = new MemoryChangelog();
    const told: unknown[] = [];
    using zombie = await openOn(log, {}, (error) => told.push(error));
    zombie.checkpoint(sampleCheckpoint({ at: 1 }));
    await zombie.durable();
    using heir = await openOn(log);
    zombie.recordDecisions({ runs: [], notes: [] }, [{ signal: sampleSignal(), decidedAt: DECIDED_AT }]);
    await expect(zombie.durable()).rejects.toMatchObject({ name: 'PermanentError', code: 'fenced' });
    await expect(zombie.durable()).rejects.toThrow(PermanentError);
    expect(() => zombie.checkpoint(sampleCheckpoint({ at: 2 }))).toThrow(PermanentError);
    expect(() => zombie.journal.append([])).toThrow(PermanentError);
    expect(told).toHaveLength(1);
    heir.checkpoint(sampleCheckpoint({ at: 3 }));
    await heir.durable();
    using third = await reopened(heir);
    expect(third.load({}).at).toBe(3);
    expect(third.journal.entries(9)).toEqual([]);
  });
});

describe('a log that is not as this program left it', () => {
  afterEach(() => folders.clean());

  async function written(): Promise<MemoryChangelog> {
    const log = new MemoryChangelog();
    using store = await openOn(log);
    store.checkpoint(sampleCheckpoint({ slots: [{ level: 1, startSec: 1, bytes: new Uint8Array(50).fill(7) }] }), [
      { signal: sampleSignal(), decidedAt: DECIDED_AT },
    ]);
    await store.durable();
    return log;
  }
  const format = (value: object) => ({ key: 'format', value: Buffer.from(JSON.stringify(value)) });

  it.each<[string, string, (log: MemoryChangelog) => void]>([
    [
      'has a newer layout',
      'state_newer',
      ({ rows }) => void rows.push(format({ layout: 2, schema: 3 }), { key: '{}', value: Buffer.from('?') }),
    ],
    ['has newer tables', 'state_newer', ({ rows }) => void rows.push(format({ layout: 1, schema: 99 }))],
    [
      'has a newer layout, told after rows of it',
      'state_newer',
      ({ rows }) => void rows.push({ key: '["new",1]', value: Buffer.from('?') }, format({ layout: 2, schema: 3 })),
    ],
    ['has older tables', 'state_older', ({ rows }) => void rows.push(format({ layout: 1, schema: 2 }))],
    ['says nothing of its form', 'state_foreign', ({ rows }) => void rows.splice(0, 1)],
    ['says something else of its form', 'state_foreign', ({ rows }) => void rows.splice(0, 1, format({}))],
    ['has a row of no table', 'state_damaged', ({ rows }) => void rows.push({ key: '["orders",1]', value: Buffer.from('?') })],
    ['has a row of another key', 'state_damaged', ({ rows }) => void rows.push({ key: '["notes"]', value: null })],
    ['has a row that is cut off', 'state_damaged', (log) => change(log, '["slots_1",1]', (value) => value.subarray(0, 12))],
    ['has an empty row', 'state_damaged', (log) => change(log, '["slots_1",1]', () => new Uint8Array(0))],
    ['has a blob that is cut off', 'state_damaged', (log) => change(log, '["slots_1",1]', (value) => value.subarray(0, -1))],
    ['has a blob with a flipped bit', 'state_damaged', (log) => change(log, '["slots_1",1]', (value) => value.fill(6, -1))],
    [
      'lost a signal of which there is a delivery',
      'state_damaged',
      ({ rows }) =>
        void rows.splice(
          rows.findIndex(({ key }) => key.includes('signals')),
          1,
        ),
    ],
  ])('is refused when it %s', async (_, code, act) => {
    const log = await written();
    act(log);
    await expect(openOn(log)).rejects.toMatchObject({ name: 'PermanentError', code });
  });

  function change(log: MemoryChangelog, key: string, to: (value: Uint8Array) => Uint8Array): void {
    const at = log.rows.findIndex((row) => row.key === key);
    expect(at).toBeGreaterThan(0);
    log.rows.splice(at, 1, { key, value: to(log.rows[at]?.value as Uint8Array) });
  }

  it('lets go of its folder when it is refused', async () => {
    const log = await written();
    const [folder, whole] = [folders.make(), [...log.rows]];
    log.rows.splice(0, 1);
    await expect(ChangelogStore.restore({ folder, open: log.open.bind(log) })).rejects.toThrow(PermanentError);
    log.rows.splice(0, Number.POSITIVE_INFINITY, ...whole);
    using store = await ChangelogStore.restore({ folder, open: log.open.bind(log) });
    expect(store.journal.pending()).toHaveLength(1);
  });

  it('is read back by who finds another state in its folder, which is thrown away', async () => {
    const [folder, log] = [folders.make(), await written()];
    const other = await ChangelogStore.restore({ folder, open: new MemoryChangelog().open.bind(new MemoryChangelog()) });
    other.checkpoint(sampleCheckpoint({ notes: [{ key: 'other', json: '1' }] }));
    other.close();
    using store = await ChangelogStore.restore({ folder, open: log.open.bind(log) });
    expect(store.load({}).notes).toEqual([]);
    expect(store.journal.pending()).toHaveLength(1);
  });
});
