/** What evaluation costs: each flush merged and judged as the service does it, the objectives besides once a second. */
import { EngineLoad, FLUSH_MS, SERVICES } from './engine-load.ts';
import type { Figure } from './figure.ts';

const SECONDS = 180;
/** Covers a roll-up of 10 s six times and that of a minute twice. */
const MEASURED_FROM = 60;
const RUNS_FROM = 5;
const FLUSHES_PER_SECOND = 1000 / FLUSH_MS;

export async function benchTick(): Promise<Figure[]> {
  const load = new EngineLoad();
  const { engine } = load;
  const ticks: number[] = [];
  const seconds: number[] = [];
  for (let second = 0; second < SECONDS; second++) {
    let secondMs = 0;
    for (let flush = 0; flush < FLUSHES_PER_SECOND; flush++) {
      load.receive();
      const begun = performance.now();
      engine.merge(load.flush());
      engine.advance(load.now);
      if (flush === 0) for (let i = 0; i < SERVICES; i++) engine.objectives.judge(`service-${i}`, load.now);
      const tookMs = performance.now() - begun;
      secondMs += tookMs;
      if (second >= MEASURED_FROM) ticks.push(tookMs);
    }
    if (second >= MEASURED_FROM) seconds.push(secondMs);
    if (second === RUNS_FROM) load.startRuns();
  }
  const [tick, whole] = [quantiles(ticks), quantiles(seconds)];
  return [
    { name: 'tick/median (flush, merge, judge 1,000 objectives, 50 runs, 10,000 series)', unit: 'ms', value: tick(0.5), goal: '<= 50' },
    { name: 'tick/p99', unit: 'ms', value: tick(0.99), goal: '<= 50' },
    { name: 'tick/worst', unit: 'ms', value: tick(1) },
    { name: 'tick/all ticks of one second, median', unit: 'ms', value: whole(0.5), goal: '<= 50' },
    { name: 'tick/all ticks of one second, p99', unit: 'ms', value: whole(0.99) },
    { name: 'tick/active series', unit: 'series', value: load.series.length },
    { name: 'tick/active runs', unit: 'runs', value: [...engine.rollouts.active()].length },
  ];
}

function quantiles(values: readonly number[]): (q: number) => number {
  const sorted = values.toSorted((a, b) => a - b);
  return (q) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))] as number;
}
