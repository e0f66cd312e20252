/** What one second of evaluation costs: 10,000 series, 1,000 objectives, 50 analysis runs. */
import { Aggregator } from '../../src/aggregate/aggregator.ts';
import { SeriesTable } from '../../src/aggregate/series-table.ts';
import { Engine } from '../../src/engine.ts';
import { HistogramLayout } from '../../src/model/histogram-layout.ts';
import { ObservationBatch } from '../../src/model/observation-batch.ts';
import { objective, policies } from '../support/policies.ts';
import type { Figure } from './figure.ts';

const SERVICES = 100;
const ENDPOINTS = 50;
const RELEASES = ['1.0', '1.1'];
const OBJECTIVES_PER_SERVICE = 10;
const RUNS = 50;
const SPANS_PER_SECOND = 20_000;
const SECONDS = 120;
const MEASURED_FROM = 60;
const START_SEC = 1_800_000_000;

export async function benchTick(): Promise<Figure[]> {
  const objectives = Array.from({ length: SERVICES * OBJECTIVES_PER_SERVICE }, (_, i) => {
    const service = `service-${i % SERVICES}`;
    const n = Math.floor(i / SERVICES);
    return n % 2 === 0
      ? objective({ service, name: `o${n}`, endpoint: n === 0 ? null : `GET /endpoint/${n}` })
      : objective({
          service,
          name: `o${n}`,
          endpoint: n === 1 ? null : `GET /endpoint/${n}`,
          sli: { kind: 'latency', thresholdNs: n * 1e8 },
        });
  });
  const layout = new HistogramLayout();
  const engine = new Engine(policies({ objectives }), layout);
  const table = new SeriesTable({
    maxTotal: 100_000,
    maxReleasesPerService: 20,
    maxSeriesOf: () => 1000,
    thresholdsOf: (service) =>
      objectives.flatMap(({ sli, service: of }) => (of === service && sli.kind === 'latency' ? [sli.thresholdNs] : [])),
    isReserved: () => false,
  });
  const aggregator = new Aggregator(table, layout, { source: 'bench', epoch: '1', capacity: 262_144 });
  const series = allSeries(table);
  const batch = new ObservationBatch(SPANS_PER_SECOND);
  const ticks: number[] = [];
  let random = 12345;
  let worstMs = 0;
  for (let second = 0; second < SECONDS; second++) {
    batch.clear();
    for (let i = 0; i < SPANS_PER_SECOND; i++) {
      random = (Math.imul(random, 1_664_525) + 1_013_904_223) >>> 0;
      const id = series[(random >>> 8) % series.length] as number;
      const endMs = (START_SEC + second) * 1000 + (i * 1000) / SPANS_PER_SECOND;
      random = (Math.imul(random, 1_664_525) + 1_013_904_223) >>> 0;
      batch.add(id, endMs, 20e6 + (random >>> 8) * 20, (random >>> 8) % 1009 === 0 ? 1 : 0, 1);
    }
    aggregator.append(batch);
    const deltas = aggregator.flush();
    const now = (START_SEC + second + 1) * 1000;
    const begun = performance.now();
    engine.merge(deltas);
    engine.advance(now);
    for (let i = 0; i < SERVICES; i++) engine.objectives.judge(`service-${i}`, now);
    const tookMs = performance.now() - begun;
    if (second === 5) startRuns(engine, now);
    if (second < MEASURED_FROM) continue;
    ticks.push(tookMs);
    worstMs = Math.max(worstMs, tookMs);
  }
  ticks.sort((a, b) => a - b);
  return [
    {
      name: 'tick/median (merge, 1,000 objectives, 50 runs, 10,000 series)',
      unit: 'ms',
      value: ticks[ticks.length >> 1] as number,
      goal: '<= 50',
    },
    { name: 'tick/p99', unit: 'ms', value: ticks[Math.floor(ticks.length * 0.99)] as number },
    { name: 'tick/active series', unit: 'series', value: series.length },
    { name: 'tick/active runs', unit: 'runs', value: [...engine.rollouts.active()].length },
  ];
}

function allSeries(table: SeriesTable): number[] {
  const ids: number[] = [];
  const text = new TextEncoder();
  for (let service = 0; service < SERVICES; service++) {
    for (const release of RELEASES) {
      const resource = table.resource({ service: `service-${service}`, releaseAttributes: new Map([['service.version', release]]) });
      for (let endpoint = 0; endpoint < ENDPOINTS; endpoint++) {
        const name = text.encode(`GET /endpoint/${endpoint}`);
        ids.push(table.series(resource, 0, name, 0, name.length, 0, name, 0, 0));
      }
    }
  }
  return ids;
}

function startRuns(engine: Engine, now: number): void {
  for (let i = 0; i < RUNS; i++) {
    engine.startRollout(
      {
        service: `service-${i}`,
        baseline: { 'service.version': RELEASES[0] as string },
        canary: { 'service.version': RELEASES[1] as string },
        generation: 1,
      },
      now,
    );
  }
}
