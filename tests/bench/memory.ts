/** What 10,000 active series cost in memory: both stages, 1,000 objectives and the store, ten minutes of event time at 20,000 spans/s. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Figure } from './figure.ts';

const MIB = 1024 * 1024;

/** As `memory-load.ts` prints it. */
export interface MemoryLoad {
  readonly series: number;
  readonly spans: number;
  readonly bareRss: number;
  readonly peakRss: number;
  readonly slotBytes: number;
  readonly nsPerSpan: number;
  readonly worstTurnMs: number;
}

const SECONDS = 600;
const RUNS = 50;
/** Runs have their memory after a minute. */
const SECONDS_WITH_RUNS = 240;

export async function benchMemory(): Promise<Figure[]> {
  const load = await memoryLoad(SECONDS, 0);
  const judged = await memoryLoad(SECONDS_WITH_RUNS, RUNS);
  return [
    { name: 'memory/peak_rss', unit: 'MiB', value: load.peakRss / MIB, goal: '<= 300' },
    { name: 'memory/bytes_per_active_series', unit: 'B', value: (load.peakRss - load.bareRss) / load.series },
    { name: 'memory/slot_bytes_per_active_series', unit: 'B', value: load.slotBytes / load.series },
    { name: 'memory/active_series', unit: 'series', value: load.series, goal: '~ 10,000' },
    { name: 'memory/spans', unit: 'spans', value: load.spans },
    { name: 'memory/both_stages_ns_per_span', unit: 'ns', value: load.nsPerSpan },
    { name: 'memory/worst_turn', unit: 'ms', value: load.worstTurnMs, goal: '<= 50' },
    { name: 'memory/peak_rss with 50 runs of 50 endpoints, 4 min', unit: 'MiB', value: judged.peakRss / MIB },
  ];
}

async function memoryLoad(seconds: number, runs: number): Promise<MemoryLoad> {
  const program = join(import.meta.dirname, 'memory-load.ts');
  const { stdout } = await promisify(execFile)(process.execPath, [program, String(seconds), String(runs)]);
  return JSON.parse(stdout) as MemoryLoad;
}
