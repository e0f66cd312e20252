/** Writes checkpoint after checkpoint and prints the number of each one that is durable, until it is killed. */
import { writeSync } from 'node:fs';
import { SqliteStore } from '../../src/store/sqlite-store.ts';
import { sampleCheckpoint, sampleSignal } from './samples.ts';

const store = new SqliteStore(process.argv[2] ?? '');
for (let n = (store.load({}).at ?? 0) + 1; ; n++) {
  const bytes = new Uint8Array(20_000).fill(n);
  const checkpoint = sampleCheckpoint({
    at: n,
    slots: [
      { level: 1, startSec: n, bytes },
      { level: 1, startSec: n - 1, bytes },
    ],
    counts: [{ kind: '10', startSec: n, bytes: Uint8Array.of(n % 256) }],
    runs: [{ id: 'run', json: String(n) }],
    notes: [{ key: 'last', json: String(n) }],
    retain: [{ level: 1, slotsFromSec: n - 1 }],
    retainCounts: [{ kind: '10', fromSec: n }],
  });
  store.checkpoint(checkpoint, [{ signal: sampleSignal({ id: `sig_${n}` }), decidedAt: n }]);
  writeSync(1, `${n}\n`);
}
