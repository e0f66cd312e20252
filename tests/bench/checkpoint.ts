/** How long saving holds up everything else: what changed, gathered and written to a real file, every 5 s of event time. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SqliteStore } from '../../src/store/sqlite-store.ts';
import { EngineLoad, FLUSH_MS } from './engine-load.ts';
import type { Figure } from './figure.ts';

const SECONDS = 120;
const RUNS_FROM = 5;
const MEASURED_FROM = 40;
const INTERVAL_SECONDS = 5;
const FLUSHES_PER_SECOND = 1000 / FLUSH_MS;

export async function benchCheckpoint(): Promise<Figure[]> {
  const folder = mkdtempSync(join(tmpdir(), 'slipstream-checkpoint-'));
  const store = new SqliteStore(folder);
  try {
    const load = new EngineLoad();
    const gather: number[] = [];
    const write: number[] = [];
    let runBytes = 0;
    let oldestMs = 0;
    for (let second = 1; second <= SECONDS; second++) {
      for (let flush = 0; flush < FLUSHES_PER_SECOND; flush++) {
        load.receive();
        load.engine.merge(load.flush());
        load.engine.advance(load.now);
      }
      if (second === RUNS_FROM) load.startRuns();
      if (second % INTERVAL_SECONDS !== 0) continue;
      const savedAt = [...load.engine.rollouts.active()].map((run) => run.savedAt);
      if (second >= MEASURED_FROM) oldestMs = Math.max(oldestMs, load.now - Math.min(...savedAt));
      const begun = performance.now();
      const changed = load.engine.checkpoint(load.now, 'bounded');
      const gathered = performance.now();
      store.checkpoint(changed);
      if (second < MEASURED_FROM) continue;
      gather.push(gathered - begun);
      write.push(performance.now() - gathered);
      runBytes = Math.max(
        runBytes,
        changed.runs.reduce((sum, { json }) => sum + json.length, 0),
      );
    }
    const whole = gather.map((ms, i) => ms + (write[i] as number)).toSorted((a, b) => a - b);
    return [
      { name: 'checkpoint/median (10,000 series, 50 runs of 50 endpoints)', unit: 'ms', value: middle(whole), goal: '<= 100' },
      { name: 'checkpoint/worst', unit: 'ms', value: whole.at(-1) as number, goal: '<= 100' },
      { name: 'checkpoint/gathering, median', unit: 'ms', value: middle(gather) },
      { name: 'checkpoint/writing, median', unit: 'ms', value: middle(write) },
      { name: 'checkpoint/state of runs in one', unit: 'bytes', value: runBytes },
      { name: 'checkpoint/evidence of a run that a crash may cost, at most', unit: 's', value: oldestMs / 1000 },
    ];
  } finally {
    store.close();
    rmSync(folder, { recursive: true });
  }
}

function middle(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] as number;
}
