/** A large installation as stage B sees it: 10,000 series, 1,000 objectives, analysis runs on half of the services, 20,000 spans/s. */
import { Aggregator } from '../../src/aggregate/aggregator.ts';
import { SeriesTable } from '../../src/aggregate/series-table.ts';
import { Engine } from '../../src/engine.ts';
import { HistogramLayout } from '../../src/model/histogram-layout.ts';
import type { Objective } from '../../src/model/objective.ts';
import { ObservationBatch } from '../../src/model/observation-batch.ts';
import type { SlotDeltas } from '../../src/model/slot-deltas.ts';
import type { EpochMs } from '../../src/model/time.ts';
import { objective, policies } from '../support/policies.ts';

export const SERVICES = 100;
const SERIES = 10_000;
const RELEASES = ['1.0', '1.1'] as const;
const OBJECTIVES_PER_SERVICE = 10;
const RUNS = 50;
const SPANS_PER_SECOND = 20_000;
const FAILED_EVERY = 1009;
const START_MS = 1_800_000_000_000;
/** As often as stage A flushes at most. */
export const FLUSH_MS = 250;

export class EngineLoad {
  readonly engine: Engine;
  readonly series: readonly number[];
  /** End of what was flushed. */
  now: EpochMs = START_MS;
  readonly #aggregator: Aggregator;
  readonly #batch = new ObservationBatch((SPANS_PER_SECOND * FLUSH_MS) / 1000);
  #random = 12345;

  constructor() {
    const objectives = objectivesFor((i) => `service-${i}`);
    const layout = new HistogramLayout();
    this.engine = new Engine(policies({ objectives }), layout);
    const table = new SeriesTable({
      maxTotal: 100_000,
      maxReleasesPerService: 20,
      maxSeriesOf: () => 1000,
      thresholdsOf: (service) =>
        objectives.flatMap(({ sli, service: of }) => (of === service && sli.kind === 'latency' ? [sli.thresholdNs] : [])),
      isReserved: () => false,
    });
    this.#aggregator = new Aggregator(table, layout, { source: 'bench', epoch: '1', capacity: 262_144 });
    this.series = allSeries(table);
  }

  startRuns(): void {
    const [baseline, canary] = RELEASES;
    for (let i = 0; i < RUNS; i++) {
      const releases = { baseline: { 'service.version': baseline }, canary: { 'service.version': canary } };
      this.engine.startRollout({ service: `service-${i}`, ...releases, generation: 1 }, this.now);
    }
  }

  /** The spans of the next 250 ms, ready to be flushed. */
  receive(): void {
    const batch = this.#batch;
    batch.clear();
    const spans = (SPANS_PER_SECOND * FLUSH_MS) / 1000;
    for (let i = 0; i < spans; i++) {
      const id = this.series[this.#draw() % this.series.length] as number;
      const draw = this.#draw();
      batch.add(id, this.now + (i * FLUSH_MS) / spans, 20e6 + draw * 20, draw % FAILED_EVERY === 0 ? 1 : 0, 1);
    }
    this.#aggregator.append(batch);
    this.now += FLUSH_MS;
  }

  flush(): SlotDeltas {
    return this.#aggregator.flush();
  }

  #draw(): number {
    this.#random = (Math.imul(this.#random, 1_664_525) + 1_013_904_223) >>> 0;
    return this.#random >>> 8;
  }
}

/** Ten for each service, of which the first two hold for all endpoints, latency and availability in turn. */
export function objectivesFor(serviceName: (index: number) => string): Objective[] {
  return Array.from({ length: SERVICES * OBJECTIVES_PER_SERVICE }, (_, i) => {
    const service = serviceName(i % SERVICES);
    const n = Math.floor(i / SERVICES);
    const endpoint = n < 2 ? null : `GET /endpoint/${n}`;
    if (n % 2 === 0) return objective({ service, name: `o${n}`, endpoint });
    return objective({ service, name: `o${n}`, endpoint, sli: { kind: 'latency', thresholdNs: n * 1e8 } });
  });
}

function allSeries(table: SeriesTable): number[] {
  const ids: number[] = [];
  const text = new TextEncoder();
  for (let service = 0; service < SERVICES; service++) {
    for (const release of RELEASES) {
      const resource = table.resource({ service: `service-${service}`, releaseAttributes: new Map([['service.version', release]]) });
      for (let endpoint = 0; endpoint < SERIES / SERVICES / RELEASES.length; endpoint++) {
        const name = text.encode(`GET /endpoint/${endpoint}`);
        ids.push(table.series(resource, 0, name, 0, name.length, 0, name, 0, 0));
      }
    }
  }
  return ids;
}
