/** Runs out of room while writing a checkpoint, then gets room again, and prints what came of it. */
import { spawnSync } from 'node:child_process';
import { writeSync } from 'node:fs';
import { RetryableError } from '../../src/model/errors.ts';
import { SqliteStore } from '../../src/store/sqlite-store.ts';
import { DECIDED_AT, sampleCheckpoint, sampleSignal } from './samples.ts';

/** The kernel refuses to let any file of this process grow beyond this. */
function limitFiles(bytes: string): void {
  const { status } = spawnSync('prlimit', ['--pid', String(process.pid), `--fsize=${bytes}:unlimited`]);
  if (status !== 0) throw new Error('prlimit failed');
}

// Without a listener the kernel's notice would end the process.
process.on('SIGXFSZ', () => {});
const store = new SqliteStore(process.argv[2] ?? '');
store.checkpoint(sampleCheckpoint({ notes: [{ key: 'n', json: '1' }] }));
const everything = () => JSON.stringify([store.load({ 1: 0 }), store.journal.entries(10)]);
const before = everything();
const large = sampleCheckpoint({
  at: DECIDED_AT + 1,
  notes: [{ key: 'n', json: '2' }],
  slots: [{ level: 1, startSec: 1, bytes: new Uint8Array(20_000_000) }],
});
const signals = [{ signal: sampleSignal(), decidedAt: DECIDED_AT }];
limitFiles('500000');
try {
  store.checkpoint(large, signals);
} catch (error) {
  writeSync(1, error instanceof RetryableError ? `${error.name} ${error.code}\n` : `${error}\n`);
}
writeSync(1, `unchanged ${everything() === before}\n`);
limitFiles('unlimited');
writeSync(1, `written ${store.checkpoint(large, signals).join()}\n`);
store.close();
