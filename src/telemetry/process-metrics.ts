/** What the process itself costs: memory, CPU, event loop lag and garbage collection. */
import { totalmem } from 'node:os';
import { constants, monitorEventLoopDelay, PerformanceObserver } from 'node:perf_hooks';
import type { Telemetry } from './telemetry.ts';

const SAMPLE_EVERY_MS = 5000;
/** Resolution of the event loop's delay histogram. */
const LAG_RESOLUTION_MS = 10;

const GC_NAMES: ReadonlyMap<number, string> = new Map([
  [constants.NODE_PERFORMANCE_GC_MINOR, 'minor'],
  [constants.NODE_PERFORMANCE_GC_MAJOR, 'major'],
  [constants.NODE_PERFORMANCE_GC_INCREMENTAL, 'incremental'],
  [constants.NODE_PERFORMANCE_GC_WEAKCB, 'weak_callbacks'],
]);

/** Samples now and every 5 s until the returned function is called. Keeps no process alive. */
export function watchProcess(telemetry: Telemetry): () => void {
  const lag = monitorEventLoopDelay({ resolution: LAG_RESOLUTION_MS });
  lag.enable();
  let cpu = { user: 0, system: 0 };

  telemetry.set('process_start_time_seconds', performance.timeOrigin / 1000);
  const limitBytes = process.constrainedMemory();
  // Without a limit it is 0, or more than any machine has.
  if (limitBytes > 0 && limitBytes <= totalmem()) telemetry.set('process_memory_limit_bytes', limitBytes);
  const sample = (): void => {
    const memory = process.memoryUsage();
    telemetry.set('process_resident_memory_bytes', memory.rss);
    telemetry.set('process_heap_used_bytes', memory.heapUsed);
    telemetry.set('process_external_bytes', memory.external);
    const used = process.cpuUsage();
    telemetry.add('process_cpu_seconds_total', (used.user - cpu.user + used.system - cpu.system) / 1e6);
    cpu = used;
    // The histogram holds whole timer intervals, so an idle loop reads as the resolution itself.
    const delayNs = lag.count === 0 ? 0 : Math.max(0, lag.percentile(99) - LAG_RESOLUTION_MS * 1e6);
    telemetry.set('event_loop_lag_p99_seconds', delayNs / 1e9);
    lag.reset();
  };

  const collections = new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) {
      const detail = (entry as { detail?: { kind?: number } }).detail;
      telemetry.add('gc_pause_seconds_total', entry.duration / 1000, { gc: GC_NAMES.get(detail?.kind ?? -1) ?? 'other' });
    }
  });
  collections.observe({ entryTypes: ['gc'] });
  sample();
  const timer = setInterval(sample, SAMPLE_EVERY_MS).unref();

  return () => {
    clearInterval(timer);
    collections.disconnect();
    lag.disable();
  };
}
