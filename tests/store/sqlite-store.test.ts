/** The store on disk keeps the contract, and its promises about crashes, full disks and refused checkpoints. */
import { spawn, spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, describe, expect, it } from 'vitest';
import { PermanentError } from '../../src/model/errors.ts';
import { SqliteStore } from '../../src/store/sqlite-store.ts';
import { DECIDED_AT, sampleCheckpoint, sampleSignal } from './samples.ts';
import { describeStore } from './store.contract.ts';
import { TemporaryFolders } from './temporary-folder.ts';

const folders = new TemporaryFolders();
const folderOf = new WeakMap<object, string>();

function openIn(directory: string, kept?: { readonly signals?: number; readonly runs?: number }): SqliteStore {
  const store = new SqliteStore(directory, kept);
  folderOf.set(store, directory);
  return store;
}

describeStore({
  name: 'sqlite',
  open: async (kept) => openIn(folders.make(), kept),
  reopen: async (store) => {
    store.close();
    return openIn(folderOf.get(store) ?? '');
  },
  clean: () => folders.clean(),
});

const EVERYTHING = { 1: 0, 10: 0, 60: 0, 600: 0, 3600: 0 } as const;

function everythingIn(store: SqliteStore): unknown {
  return { state: store.load(EVERYTHING), journal: store.journal.entries(100) };
}

describe('a checkpoint that the disk refuses', () => {
  afterEach(() => folders.clean());

  it('fails for now, changes nothing, and succeeds when there is room again', () => {
    const child = spawnSync(process.execPath, [join(import.meta.dirname, 'full-disk.ts'), folders.make()], { encoding: 'utf8' });
    expect(child.stdout.split('\n'), child.stderr).toEqual([
      'RetryableError store_unavailable',
      'unchanged true',
      `written ${sampleSignal().id}`,
      '',
    ]);
  });
});

describe('a checkpoint that holds what no checkpoint may hold', () => {
  afterEach(() => folders.clean());

  it('is refused for good, changes nothing, and does not stand in the way of the next', () => {
    using store = new SqliteStore(folders.make());
    store.checkpoint(sampleCheckpoint({ notes: [{ key: 'n', json: '1' }] }));
    const before = everythingIn(store);
    const broken = sampleCheckpoint({
      at: DECIDED_AT + 1,
      slots: [{ level: 1, startSec: 1, bytes: new Uint8Array(5) }],
      counts: [{ kind: '10', startSec: Number.NaN, bytes: new Uint8Array(5) }],
    });
    expect(() => store.checkpoint(broken)).toThrow(PermanentError);
    expect(everythingIn(store)).toEqual(before);
    store.checkpoint(sampleCheckpoint({ at: DECIDED_AT + 2 }));
    expect(store.load({}).at).toBe(DECIDED_AT + 2);
  });
});

describe('a slot that the disk has changed while the store was open', () => {
  afterEach(() => folders.clean());

  it('is not given out', () => {
    const directory = folders.make();
    using store = new SqliteStore(directory);
    store.checkpoint(sampleCheckpoint({ slots: [1, 2].map((startSec) => ({ level: 1, startSec, bytes: new Uint8Array(5) })) }));
    using disk = new DatabaseSync(join(directory, 'slipstream.db'));
    disk.exec(`update slots_1 set bytes = x'0000000001' where start_sec = 2`);
    expect(store.slots(1, 0, 2)).toHaveLength(1);
    expect(() => store.slots(1, 0, 3)).toThrow(expect.objectContaining({ name: 'PermanentError', code: 'state_damaged' }));
  });
});

describe('a process killed while it writes', () => {
  afterEach(() => folders.clean());

  it('has kept every checkpoint it acknowledged, each whole', async () => {
    const directory = folders.make();
    let acknowledged = 0;
    for (let round = 0; round < 20; round++) {
      acknowledged = Math.max(acknowledged, await killedAfter(directory, 1 + ((round * 7) % 40)));
      using store = new SqliteStore(directory);
      expect(store.recovered).toBeNull();
      const saved = store.load(EVERYTHING);
      const last = Number(saved.notes.find((note) => note.key === 'last')?.json);
      expect(last).toBeGreaterThanOrEqual(acknowledged);
      expect(saved.at).toBe(last);
      expect(saved.runs).toEqual([{ id: 'run', json: String(last) }]);
      expect(saved.slots.map((slot) => slot.startSec)).toEqual([last - 1, last]);
      expect(saved.counts).toEqual([{ kind: '10', startSec: last, bytes: Uint8Array.of(last % 256) }]);
      expect(store.journal.entries(1)).toMatchObject([{ signal: { id: `sig_${last}` }, decidedAt: last }]);
      expect(store.journal.pending().length).toBeGreaterThan(0);
    }
    expect(acknowledged).toBeGreaterThan(100);
  });
});

function endlessWriter(directory: string) {
  return spawn(process.execPath, [join(import.meta.dirname, 'endless-writer.ts'), directory], { stdio: ['ignore', 'pipe', 'inherit'] });
}

/** Lets a child write checkpoints until it has acknowledged so many, kills it, and returns the last number it acknowledged. */
async function killedAfter(directory: string, lines: number): Promise<number> {
  const child = endlessWriter(directory);
  let output = '';
  for await (const chunk of child.stdout.setEncoding('utf8')) {
    output += chunk;
    if (output.split('\n').length > lines) child.kill('SIGKILL');
  }
  return Number(output.slice(0, output.lastIndexOf('\n')).split('\n').at(-1));
}
