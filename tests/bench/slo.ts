/** What 1,000 objectives over 30 days cost: looking at all of them once a second, their memory, and a restart from a real state file. */
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { SqliteStore } from '../../src/store/sqlite-store.ts';
import type { Figure } from './figure.ts';
import { SloLoad } from './slo-load.ts';

const MIB = 1024 * 1024;
const SECONDS = 120;
const WARM_UP = 20;
const RESTARTS = 5;

export async function benchSlo(): Promise<Figure[]> {
  const load = new SloLoad();
  load.fill();
  const read: number[] = [];
  const alerts: number[] = [];
  for (let second = 0; second < SECONDS; second++) {
    load.second();
    const begun = performance.now();
    load.readAll();
    const done = performance.now();
    load.lookAtAlerts();
    if (second < WARM_UP) continue;
    read.push(done - begun);
    alerts.push(performance.now() - done);
  }
  return [
    { name: 'slo/total and eight burn windows of 1,000 objectives, median', unit: 'ms', value: at(read, 0.5), goal: '<= 10' },
    { name: 'slo/total and eight burn windows, p99', unit: 'ms', value: at(read, 0.99) },
    { name: 'slo/alerts of 1,000 objectives, median of a second', unit: 'ms', value: at(alerts, 0.5), goal: '<= 20' },
    { name: 'slo/alerts, p99', unit: 'ms', value: at(alerts, 0.99) },
    { name: 'slo/memory of 30 days', unit: 'MiB', value: (await bytesUsed()) / MIB, goal: '<= 45' },
    ...restarts(load),
  ];
}

async function bytesUsed(): Promise<number> {
  const { stdout } = await promisify(execFile)(process.execPath, ['--expose-gc', join(import.meta.dirname, 'slo-memory.ts')]);
  return (JSON.parse(stdout) as { bytes: number }).bytes;
}

function restarts(load: SloLoad): Figure[] {
  const folder = mkdtempSync(join(tmpdir(), 'slipstream-slo-'));
  try {
    const writes: number[] = [];
    const opened: number[] = [];
    const whole: number[] = [];
    {
      using store = new SqliteStore(folder);
      load.save(store);
      for (let i = 0; i < RESTARTS; i++) {
        for (let second = 0; second < 5; second++) load.second();
        const begun = performance.now();
        load.save(store);
        writes.push(performance.now() - begun);
      }
    }
    for (let i = 0; i < RESTARTS; i++) {
      const begun = performance.now();
      using store = new SqliteStore(folder);
      const verified = performance.now();
      load.restored(store.load({}));
      opened.push((verified - begun) / 1000);
      whole.push((performance.now() - begun) / 1000);
    }
    return [
      { name: 'slo/restart with 30 days of state (open, verify, load, restore), median', unit: 's', value: at(whole, 0.5), goal: '<= 1.5' },
      { name: 'slo/restart, of it opening and verifying', unit: 's', value: at(opened, 0.5) },
      { name: 'slo/checkpoint after five seconds, median', unit: 'ms', value: at(writes, 0.5) },
      { name: 'slo/state file', unit: 'MiB', value: statSync(join(folder, 'slipstream.db')).size / MIB },
    ];
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function at(values: readonly number[], q: number): number {
  return values.toSorted((a, b) => a - b)[Math.floor((values.length - 1) * q)] as number;
}
