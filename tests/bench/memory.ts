/** What the state of 10,000 active series costs in memory: ten minutes of event time at 20,000 spans/s, in a process of its own. */
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
  readonly worstAdvanceMs: number;
}

export async function benchMemory(): Promise<Figure[]> {
  const { stdout } = await promisify(execFile)(process.execPath, [join(import.meta.dirname, 'memory-load.ts')]);
  const load = JSON.parse(stdout) as MemoryLoad;
  return [
    { name: 'memory/peak_rss', unit: 'MiB', value: load.peakRss / MIB, goal: '<= 300' },
    { name: 'memory/bytes_per_active_series', unit: 'B', value: (load.peakRss - load.bareRss) / load.series },
    { name: 'memory/slot_bytes_per_active_series', unit: 'B', value: load.slotBytes / load.series },
    { name: 'memory/aggregate_and_window_ns_per_span', unit: 'ns', value: load.nsPerSpan },
    { name: 'memory/worst_advance', unit: 'ms', value: load.worstAdvanceMs, goal: '<= 50' },
  ];
}
