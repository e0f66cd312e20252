/** A state folder is used by one process at a time, and only what is sound, of a known version and writable is taken for a state. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, describe, expect, it } from 'vitest';
import { PermanentError } from '../../src/model/errors.ts';
import { SqliteStore } from '../../src/store/sqlite-store.ts';
import { DECIDED_AT, sampleCheckpoint, sampleSeries, sampleSignal } from './samples.ts';
import { TemporaryFolders } from './temporary-folder.ts';

const folders = new TemporaryFolders();
const EVERYTHING = { 1: 0, 10: 0, 60: 0, 600: 0, 3600: 0 } as const;

/** A folder with a state of some pages, closed properly. */
function writtenFolder(): string {
  const directory = folders.make();
  using store = new SqliteStore(directory);
  store.checkpoint(
    sampleCheckpoint({
      series: Array.from({ length: 20 }, (_, id) => sampleSeries(id)),
      slots: [1, 2, 3].map((startSec) => ({ level: 1, startSec, bytes: new Uint8Array(2_000).fill(startSec) })),
      countKeys: [{ id: 0, key: 'o' }],
      counts: Array.from({ length: 20 }, (_, startSec) => ({ kind: '60' as const, startSec, bytes: Uint8Array.of(5, 1) })),
      runs: [{ id: 'r', json: '{"state":"running"}' }],
      notes: [{ key: 'guard', json: '{}' }],
    }),
    [{ signal: sampleSignal(), decidedAt: DECIDED_AT }],
  );
  return directory;
}

function everythingIn(store: SqliteStore): unknown {
  return { state: store.load(EVERYTHING), journal: store.journal.entries(100) };
}

function everythingOf(directory: string): unknown {
  using store = new SqliteStore(directory);
  return everythingIn(store);
}

function openError(directory: string): PermanentError {
  try {
    new SqliteStore(directory).close();
  } catch (error) {
    if (error instanceof PermanentError) return error;
    throw error;
  }
  throw new Error('it opened');
}

describe('the state folder', () => {
  afterEach(() => folders.clean());

  it('is made for its owner only', () => {
    const directory = join(folders.make(), 'a', 'b');
    using store = new SqliteStore(directory);
    store.checkpoint(sampleCheckpoint());
    expect(statSync(directory).mode & 0o777).toBe(0o700);
    const modes = readdirSync(directory).map((file) => [file, statSync(join(directory, file)).mode & 0o777]);
    expect(modes).toContainEqual(['slipstream.db', 0o600]);
    expect(modes).toContainEqual(['slipstream.db-wal', 0o600]);
    expect(modes.filter(([, mode]) => mode !== 0o600)).toEqual([]);
  });

  it('admits one store at a time, and the next one after it is closed', () => {
    const directory = folders.make();
    const first = new SqliteStore(directory);
    expect(openError(directory)).toMatchObject({ code: 'state_locked', message: expect.stringContaining('another process is using it') });
    first.checkpoint(sampleCheckpoint({ notes: [{ key: 'still', json: '"mine"' }] }));
    first.close();
    first.close();
    using second = new SqliteStore(directory);
    expect(second.load({}).notes).toEqual([{ key: 'still', json: '"mine"' }]);
  });

  it('refuses a second process while the first lives, and admits it once that was killed', async () => {
    const directory = folders.make();
    const program = join(import.meta.dirname, 'endless-writer.ts');
    const child = spawn(process.execPath, [program, directory], { stdio: ['ignore', 'pipe', 'inherit'] });
    await once(child.stdout, 'data');
    expect(openError(directory)).toMatchObject({ code: 'state_locked' });
    child.kill('SIGKILL');
    await once(child, 'exit');
    new SqliteStore(directory).close();
  });

  it('refuses a state of a newer version and leaves it as it is, with what a crash left in its log', () => {
    const written = writtenFolder();
    const directory = folders.make();
    using newer = new DatabaseSync(join(written, 'slipstream.db'));
    newer.exec('pragma user_version = 99; pragma wal_checkpoint(truncate); create table later (a)');
    const files = ['slipstream.db', 'slipstream.db-wal'];
    for (const file of files) copyFileSync(join(written, file), join(directory, file));
    const before = files.map((file) => readFileSync(join(directory, file)));
    expect(openError(directory)).toMatchObject({ code: 'state_newer', message: expect.stringContaining('version 99') });
    expect(files.map((file) => readFileSync(join(directory, file)))).toEqual(before);
    expect(readdirSync(directory).filter((file) => file.includes('corrupt'))).toEqual([]);
  });

  it('refuses a newer version that only the log knows of', () => {
    const written = writtenFolder();
    const directory = folders.make();
    using newer = new DatabaseSync(join(written, 'slipstream.db'));
    newer.exec('pragma user_version = 99');
    for (const file of ['slipstream.db', 'slipstream.db-wal']) copyFileSync(join(written, file), join(directory, file));
    expect(openError(directory)).toMatchObject({ code: 'state_newer' });
  });

  it.each<[string, (path: string) => void]>([
    ['has lost all its bytes', (path) => writeFileSync(path, '')],
    ['has lost its second half', (path) => truncateSync(path, Math.floor(statSync(path).size / 2))],
    ['has lost its last byte', (path) => truncateSync(path, statSync(path).size - 1)],
    ['has only a piece of its header', (path) => truncateSync(path, 50)],
    ['is no database', (path) => writeFileSync(path, 'x'.repeat(9_000))],
    [
      'is the database of somebody else',
      (path) => {
        rmSync(path);
        const database = new DatabaseSync(path);
        database.exec('create table t (a)');
        database.close();
      },
    ],
    [
      'is gone while its log is there',
      (path) => {
        rmSync(path);
        writeFileSync(`${path}-wal`, 'x');
      },
    ],
    [
      'misses a table',
      (path) => {
        const database = new DatabaseSync(path);
        database.exec('drop table notes');
        database.close();
      },
    ],
    [
      'holds a value that we did not write',
      (path) => {
        const database = new DatabaseSync(path);
        database.exec(`update runs set json = '{"state":"promoted"}'`);
        database.close();
      },
    ],
  ])('puts a state aside that %s, and says so', (_, damage) => {
    const directory = writtenFolder();
    const path = join(directory, 'slipstream.db');
    damage(path);
    const damaged = existsSync(path) ? statSync(path).size : null;
    {
      using store = new SqliteStore(directory);
      expect(store.recovered).toEqual({ quarantined: `${path}.corrupt-1` });
      expect(store.load(EVERYTHING)).toMatchObject({ at: null, series: [], runs: [] });
      if (damaged !== null) expect(statSync(`${path}.corrupt-1`).size).toBe(damaged);
      store.checkpoint(sampleCheckpoint());
    }
    using later = new SqliteStore(directory);
    expect(later.recovered).toBeNull();
    expect(later.load({}).at).toBe(DECIDED_AT);
  });

  it('puts a second damaged state beside the first', () => {
    const directory = writtenFolder();
    const path = join(directory, 'slipstream.db');
    for (const n of [1, 2, 3]) {
      writeFileSync(path, `damage ${n}`);
      using store = new SqliteStore(directory);
      expect(store.recovered).toEqual({ quarantined: `${path}.corrupt-${n}` });
    }
    expect([1, 2, 3].map((n) => readFileSync(`${path}.corrupt-${n}`, 'utf8'))).toEqual(['damage 1', 'damage 2', 'damage 3']);
  });

  it('never takes a state with a flipped byte for a different one', () => {
    const directory = writtenFolder();
    const path = join(directory, 'slipstream.db');
    const sound = readFileSync(path);
    const expected = everythingOf(directory);
    const outcomes = { unchanged: 0, quarantined: 0, refused: 0 };
    // Every byte of the file header, then a stride coprime to the page size, so that all parts of pages are met.
    const offsets = [...Array(100).keys()];
    for (let at = 100; at < sound.length; at += 331) offsets.push(at);
    for (const at of offsets) {
      const trial = folders.make();
      const flipped = Buffer.from(sound);
      flipped[at] = (flipped[at] ?? 0) ^ 0xff;
      writeFileSync(join(trial, 'slipstream.db'), flipped);
      try {
        using store = new SqliteStore(trial);
        if (store.recovered !== null) outcomes.quarantined++;
        else {
          expect(everythingIn(store), `byte ${at}`).toEqual(expected);
          store.checkpoint(sampleCheckpoint());
          outcomes.unchanged++;
        }
      } catch (error) {
        if (!(error instanceof PermanentError)) throw error;
        expect(['state_newer', 'state_unusable'], `byte ${at}`).toContain(error.code);
        outcomes.refused++;
      }
    }
    expect(outcomes.quarantined).toBeGreaterThan(10);
    expect(outcomes.unchanged).toBeGreaterThan(10);
    expect(outcomes.refused).toBeLessThan(10);
  });

  it.each<[string, (directory: string) => string]>([
    [
      'a file stands in its place',
      (directory) => {
        writeFileSync(join(directory, 'file'), '');
        return join(directory, 'file');
      },
    ],
    [
      'a file stands above it',
      (directory) => {
        writeFileSync(join(directory, 'file'), '');
        return join(directory, 'file', 'state');
      },
    ],
    [
      'the state file is a folder',
      (directory) => {
        mkdirSync(join(directory, 'slipstream.db'));
        writeFileSync(join(directory, 'slipstream.db', 'keep'), '');
        return directory;
      },
    ],
  ])('says clearly that it cannot be used when %s', (_, arrange) => {
    const directory = arrange(folders.make());
    expect(openError(directory)).toMatchObject({
      code: 'state_unusable',
      message: expect.stringContaining(`opening state folder ${directory}`),
    });
  });

  it('says clearly that it cannot be written by somebody else', () => {
    const directory = writtenFolder();
    const program = `
      import { SqliteStore } from ${JSON.stringify(join(import.meta.dirname, '../../src/store/sqlite-store.ts'))};
      if (process.getuid() === 0) process.setuid(65534);
      try { new SqliteStore(${JSON.stringify(directory)}); console.log('opened'); }
      catch (error) { console.log(error.name, error.code); }`;
    chmodSync(directory, 0o555);
    const child = spawnSync(process.execPath, ['--input-type=module', '-e', program], { encoding: 'utf8' });
    chmodSync(directory, 0o700);
    expect(child.stdout.trim(), child.stderr).toBe('PermanentError state_unusable');
    using store = new SqliteStore(directory);
    expect(store.recovered).toBeNull();
  });
});
